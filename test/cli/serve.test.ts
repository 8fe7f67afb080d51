import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { check, connect } from '../envoy/clients.ts'
import { post, statusCode } from '../envoy/messages.ts'
import { holdOpen, untilRefused } from './held-request.ts'
import {
  addressesIn,
  afterwards,
  binary,
  catalogue,
  claims,
  config,
  folder,
  type Program,
  project,
  start,
} from './terminal.ts'

/** Each mostly waits for a process, so they run side by side. */
const patient = { timeout: 30_000, concurrent: true }

/** What ext_authz says to a request without a credential: 16 unless something is broken. */
async function asksEnvoy(address: string): Promise<number> {
  const client = connect(address)
  try {
    return statusCode(await check(client, post({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, { headers: {} })))
  } finally {
    client.close()
  }
}

/** Whether alice may call a tool, by AuthZEN. */
async function mayCall(http: string, id: string): Promise<boolean> {
  const response = await fetch(`http://${http}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'identity', id: 'alice', properties: { claims: claims.alice } },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id },
    }),
  })
  return ((await response.json()) as { decision: boolean }).decision
}

async function serveIn(directory: string, ...args: string[]): Promise<Program & { grpc: string; http: string }> {
  const program = start(directory, ['serve', ...args])
  return { ...program, ...addressesIn(await program.ready()) }
}

describe('serve', patient, () => {
  it('says once that it is ready, on standard output, and answers at both addresses it names', async () => {
    const { grpc, http, child, out, ended } = await serveIn(await project(), '--config', 'mcp-authz.yaml')
    expect(grpc).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
    expect(await mayCall(http, 'weather_forecast')).toBe(true)
    expect((await fetch(`http://${http}/readyz`)).status).toBe(200)
    expect(await (await fetch(`http://${http}/status`)).json()).toMatchObject({ ready: true, lacks: [] })
    expect(await asksEnvoy(grpc)).toBe(16)
    child.kill('SIGTERM')
    expect(await ended()).toBe(0)
    expect(out()).toBe(`ready grpc=${grpc} http=${http}\n`)
  })

  it('listens where the options say, over the configuration', async () => {
    const directory = await project({
      'mcp-authz.yaml': config.replace(/^listen.*$/m, 'listen: {grpc: "127.0.0.1:1", http: "127.0.0.1:2"}'),
    })
    const { grpc, http, child, ended } = await serveIn(directory, '--grpc', 'unix:grpc.sock', '--http', '127.0.0.1:0')
    expect(grpc).toBe(`unix:${directory}/grpc.sock`)
    expect((await stat(join(directory, 'grpc.sock'))).isSocket()).toBe(true)
    expect(await asksEnvoy(grpc)).toBe(16)
    expect(await mayCall(http, 'weather_forecast')).toBe(true)
    child.kill('SIGINT')
    expect(await ended()).toBe(0)
    expect(existsSync(join(directory, 'grpc.sock'))).toBe(false)
  })
})

describe('the end of serve', patient, () => {
  it('comes at once with a second signal of either kind', async () => {
    for (const [first, second, code] of [
      ['SIGTERM', 'SIGINT', 130],
      ['SIGINT', 'SIGTERM', 143],
    ] as const) {
      const { child, ended, http } = await serveIn(await project())
      const held = holdOpen(http)
      await held.sent
      child.kill(first)
      await new Promise((resolve) => setTimeout(resolve, 100))
      child.kill(second)
      expect(await ended()).toBe(code)
    }
  })

  it('waits for what is under way', async () => {
    const { child, ended, http } = await serveIn(await project())
    const held = holdOpen(http)
    await held.sent
    child.kill('SIGTERM')
    await untilRefused(http)
    expect(child.exitCode).toBeNull()
    expect(await held.finish()).toMatch(/^HTTP\/1\.1 200 .*"decision":true/s)
    expect(await ended()).toBe(0)
  })

  it('comes at the start, as exit 2, where a port is taken, naming it', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    afterwards(() => void other.close())
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`
    for (const door of ['grpc', 'http']) {
      const { ended, err, out } = start(await project(), ['serve', `--${door}`, taken])
      expect(await ended()).toBe(2)
      expect(err()).toContain(`cannot listen on ${door} address \`${taken}\``)
      expect(err()).not.toContain('    at ')
      expect(out()).toBe('')
    }
  })
})

describe('data that changes while it serves', patient, () => {
  it('decides the next request, and a broken file leaves what was there', async () => {
    const directory = await project()
    const { http, says, err } = await serveIn(directory, '--config', 'mcp-authz.yaml')
    expect([await mayCall(http, 'weather_forecast'), await mayCall(http, 'weather_tides')]).toEqual([true, false])
    const file = join(directory, 'catalogue.yaml')
    await writeFile(`${file}.next`, catalogue.replace('[forecast, alerts]', '[tides]'))
    await rename(`${file}.next`, file)
    await says('new data is in place')
    expect([await mayCall(http, 'weather_forecast'), await mayCall(http, 'weather_tides')]).toEqual([false, true])

    await writeFile(file, 'servers: {weather: {tool: [x]}}')
    await says('the data files cannot be used')
    expect(err()).toMatch(/catalogue\.yaml:1:\d+: servers\.weather\.tool/)
    expect(await mayCall(http, 'weather_tides')).toBe(true)
    expect((await fetch(`http://${http}/readyz`)).status).toBe(200)
  })
})

const embedded = ['serve', '--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0']

describe('the embedded default', patient, () => {
  it('keeps standard output to the one line where nobody said `npm start`', async () => {
    const program = start(await folder(), embedded, { npm_lifecycle_event: '' })
    await program.ready()
    await program.says('bob.jwt')
    expect(program.out()).toMatch(/^ready [^\n]*\n$/)
  })

  it('is ready in an empty folder, and names commands that do what they say', async () => {
    const directory = await folder()
    const program = start(directory, embedded, { npm_lifecycle_event: 'start' })
    addressesIn(await program.ready())
    while (!program.out().includes('bob.jwt')) await new Promise((resolve) => setTimeout(resolve, 20))
    for (const [name, code] of [
      ['alice', 0],
      ['bob', 1],
    ] as const) {
      expect((await stat(join(directory, `.mcp-authz/${name}.jwt`))).mode & 0o777).toBe(0o600)
      const [, args = ''] = new RegExp(`mcp-authz -- (.*${name}.*)`).exec(program.out()) ?? []
      const words = args.replaceAll("'", '').split(' ')
      expect(await start(directory, words).ended()).toBe(code)
    }
  })
})

/** Has the launcher believe that it runs on another Node. */
const olderNode =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.9.0"}})'

describe('an older Node', () => {
  it('is told what is needed, without a stack', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', olderNode, binary, '--help'], {
      encoding: 'utf8',
    })
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^mcp-authz needs Node 22\.18 or newer, this is 20\.9\.0: .*\n$/)
  })
})

describe('the program', () => {
  it('is what package.json names, and runs under this Node', async () => {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(binary.endsWith(manifest.bin['mcp-authz'])).toBe(true)
    const { ended, out } = start(await folder(), ['--help'])
    expect(await ended()).toBe(0)
    expect(out()).toMatch(/^Usage: mcp-authz/)
  })
})
