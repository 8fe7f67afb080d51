import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Client } from '@grpc/grpc-js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { allowed, denied } from '../../src/envoy/check-response.ts'
import { root, toolPath } from '../../tools/paths.ts'
import { type Finished, runCommand } from '../../tools/run-command.ts'
import { connect } from '../envoy/clients.ts'
import { folderWith } from '../tools/folders.ts'
import { verifyAllowed, verifyDenied, verifySame } from './check-answers.ts'
import { cpuTime, killChildren, startServer } from './children.ts'
import { type Figure, measure, median, percentile, type Row, type Step } from './figures.ts'
import type { Report } from './report.ts'
import { missingTools, type Part, parts } from './tools.ts'
import { makeWorkload, type Workload } from './workload.ts'

const main = join(root, 'test/bench/main.ts')
const patient = { timeout: 120_000 }
const installed = { opa: toolPath('opa'), ghz: toolPath('ghz') }
const measurable = parts.filter((part) => missingTools([part], installed) === undefined)

const contestants = {
  check: ['check.service', 'check.grpc-js', 'check.http2'],
  decision: ['decision.authzen', 'decision.opa-server'],
  broker: ['broker.call.broker', 'broker.call.upstream'],
  guard: ['guard.list.guard', 'guard.list.bare', 'guard.call.guard', 'guard.call.bare'],
} as const

async function expectedRows(part: Part): Promise<readonly string[]> {
  const tellsCpu = (await cpuTime(process.pid)) !== undefined
  const measures = {
    check: ['one.p50', 'one.p99', 'many.rate', ...(tellsCpu ? ['many.cpu'] : [])],
    decision: ['p50', 'p99', ...(tellsCpu ? ['CPU'] : [])],
    guard: ['p50', 'p99'],
    broker: ['p50', 'p99'],
  }
  const alone = part === 'decision' ? ['decision.engine', 'decision.opa-bench'] : []
  return [...alone, ...contestants[part].flatMap((id) => measures[part].map((name) => `${id}.${name}`))]
}

async function bench(args: readonly string[], folder: string): Promise<Finished> {
  return await runCommand(process.execPath, [main, ...args], { env: { TMPDIR: folder } })
}

describe('a quick run', patient, () => {
  it.each(parts)(
    'prints every row of %s, each of answers that were checked, or says which tool is missing',
    async (part) => {
      const folder = await folderWith({})
      const file = join(folder, 'report.json')
      const { code, stdout, stderr } = await bench(['--quick', '--only', part, '--json', file], folder)
      if (!measurable.includes(part)) {
        expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
        expect(stderr).toContain('run `npm run tools` first')
        return
      }
      expect({ code, stderr }).toEqual({ code: 0, stderr: 'round 1 of 1\n' })
      const { figures, machine, sizes } = JSON.parse(await readFile(file, 'utf8')) as Report
      expect(figures.map(({ id }) => id).toSorted()).toEqual((await expectedRows(part)).toSorted())
      for (const figure of figures) expectWhole(figure, stdout)
      expect(stdout).toContain(`node ${machine.node}, opa ${machine.opa}, ghz ${machine.ghz}`)
      for (const [name, size] of Object.entries(sizes)) expect(stdout).toContain(`${name} ${size} B`)
      expect(await readdir(folder)).toEqual(['report.json'])
    },
  )
})

function expectWhole(figure: Figure, stdout: string): void {
  expect(figure.checkedAnswers, figure.id).toBeGreaterThan(0)
  expect(figure.values, figure.id).toHaveLength(1)
  expect(Object.keys(figure.ratios), figure.id).toEqual(figure.peers)
  const line = stdout.split('\n').find((text) => text.includes(figure.name) && text.includes(` ${figure.measure} `))
  expect(line, figure.id).toContain(figure.unit)
  for (const ratio of Object.values(figure.ratios)) expect(stdout).toContain(` ${ratio.toFixed(2)} x `)
}

describe('a run that is stopped', patient, () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('leaves no process and no file behind after %s', async (signal) => {
    const folder = await folderWith({})
    const only = measurable.flatMap((part) => ['--only', part])
    const env = { ...process.env, TMPDIR: folder }
    const child = spawn(process.execPath, [main, '--quick', ...only], { env, stdio: ['ignore', 'ignore', 'pipe'] })
    const exited = once(child, 'exit') as Promise<[number | null]>
    // By then every server runs; without any tool, the run ends at once and has nothing to leave behind.
    await Promise.race([once(createInterface(child.stderr), 'line'), exited])
    const before = await processesNaming(folder)
    child.kill(signal)
    const [code] = await exited
    const stopped = signal === 'SIGINT' ? 130 : 143
    expect([code, before > 0]).toEqual(measurable.length === 0 ? [1, false] : [stopped, true])
    await expect.poll(() => processesNaming(folder), { timeout: 10_000 }).toBe(0)
    expect(await readdir(folder)).toEqual([])
  })
})

/** How many processes have this folder in their command line. */
async function processesNaming(folder: string): Promise<number> {
  const { stdout } = await runCommand('ps', ['-A', '-o', 'args'])
  return stdout.split('\n').filter((line) => line.includes(folder)).length
}

describe('the client that checks answers', patient, () => {
  const allow = allowed({ headers: [['x-mcp-authorized', 'a.b.c']], remove: ['router-key'], metadata: { allow: true } })
  const deny = denied({ httpStatus: 403, grpcCode: 7, headers: [], body: '{}', metadata: { allow: false } })

  it.each([
    ['denies what must be allowed', deny, 'is denied that must be allowed'],
    ['allows with a capability token that nobody signed', allow, 'JWS Protected Header is invalid'],
  ])('refuses a service that %s', async (_, bytes, message) => {
    const { client, workload } = await serverThatAnswers(bytes)
    await expect(verifyAllowed(workload, '127.0.0.1:1')(client)).rejects.toThrow(message)
  })

  it.each([
    ['allows what must be denied', allow, 'is allowed that must be denied'],
    ['denies for another reason', deny, 'does not say `role_missing`'],
  ])('refuses a service that %s', async (_, bytes, message) => {
    const { client, workload } = await serverThatAnswers(bytes)
    await expect(verifyDenied(workload)(client)).rejects.toThrow(message)
  })

  it('refuses a floor that answers something else', async () => {
    const { client, workload } = await serverThatAnswers(deny)
    await expect(verifySame(workload, allow)(client)).rejects.toThrow('is not the fixed one')
    await verifySame(workload, deny)(client)
  })
})

async function serverThatAnswers(bytes: Buffer): Promise<{ client: Client; workload: Workload }> {
  const folder = await folderWith({})
  const file = join(folder, 'answer.bin')
  await writeFile(file, bytes)
  onTestFinished(killChildren)
  const program = join(root, 'test/bench/grpc-floor.ts')
  const { groups } = await startServer(process.execPath, [program, file], {
    ready: /^ready grpc=(?<grpc>\S+)$/,
    cwd: folder,
  })
  const client = connect(groups['grpc'] ?? '')
  onTestFinished(() => client.close())
  return { client, workload: await makeWorkload(folder) }
}

describe('arguments', () => {
  it.each([[['--fast']], [['--only', 'door']], [['positional']]])('%j are refused with the usage', async (args) => {
    const { code, stdout, stderr } = await bench(args, await folderWith({}))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^usage: npm run bench -- /)
  })
})

describe('missing tools', () => {
  it('are named with what to run, and what can be measured without them', () => {
    const text = missingTools(parts, { opa: '/opa', ghz: undefined })
    expect(text).toBe(
      'ghz is missing or out of date: it makes the load on Check over gRPC\n' +
        'run `npm run tools` first, or measure the rest with `npm run bench -- --only decision`',
    )
  })

  it('are all named where all are missing', () => {
    const text = missingTools(parts, { opa: undefined, ghz: undefined })
    expect(text).toMatch(/^ghz is missing .*\nopa is missing .*\nrun `npm run tools` first, or .* --only guard`$/)
  })

  it('do not matter where their part is not asked for', () => {
    expect(missingTools(['decision'], { opa: '/opa', ghz: undefined })).toBeUndefined()
  })
})

describe('figures', () => {
  it('are medians of the rounds, and ratios are of the same round each', async () => {
    const figures = await measure(
      [stepOf('a', ['b'], [10, 40, 90]), stepOf('b', [], [5, 10, 30])],
      3,
      0,
      () => undefined,
    )
    expect(
      figures.map(({ id, median: middle, min, max, ratios, checkedAnswers }) => [
        id,
        middle,
        min,
        max,
        ratios,
        checkedAnswers,
      ]),
    ).toEqual([
      ['a', 40, 10, 90, { b: 3 }, 6],
      ['b', 10, 5, 30, {}, 6],
    ])
  })

  it('take every contestant in turn in every round', async () => {
    const order: string[] = []
    const noting = (id: string): Step => {
      const step = stepOf(id, [], [1, 1])
      return { ...step, run: (time) => step.run(order.push(id) + time) }
    }
    await measure([noting('a'), noting('b'), noting('c')], 2, 0, () => undefined)
    expect(order.join('')).toBe('abcabc')
  })

  it('are refused where a step measured nothing', async () => {
    await expect(measure([stepOf('a', [], [0])], 1, 0, () => undefined)).rejects.toThrow('nothing was measured for `a`')
  })

  it('lie between two values where their number is even', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect([percentile([1, 2, 3], 0), percentile([1, 2, 3], 99), percentile([1, 2, 3], 100)]).toEqual([1, 2.98, 3])
  })
})

/** A step that measures these values, one in each round, and checks two answers every time. */
function stepOf(id: string, peers: readonly string[], values: readonly number[]): Step {
  const row: Row = { id, group: 'group', name: id, measure: 'mean', unit: 'µs', peers }
  const left = [...values]
  return { rows: [row], run: async () => ({ values: { [id]: left.shift() ?? Number.NaN }, checkedAnswers: 2 }) }
}
