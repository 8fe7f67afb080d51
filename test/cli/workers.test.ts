import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { check, connect } from '../envoy/clients.ts'
import { post, statusCode } from '../envoy/messages.ts'
import { holdOpen, untilRefused } from './held-request.ts'
import { addressesIn, catalogue, folder, project, start } from './terminal.ts'

/** Each mostly waits for a process, so they run side by side. */
const patient = { timeout: 30_000, concurrent: true }
const workers = ['serve', '--workers', '2', '--grpc', '127.0.0.1:0', '--http', '127.0.0.1:0']

/** Both doors, each over several connections, so that more than one worker is met. */
async function answers({ grpc, http }: { readonly grpc: string; readonly http: string }): Promise<Set<string>> {
  const asked = Array.from({ length: 8 }, async (_, i) => {
    if (i % 2 === 0)
      return `http ${(await fetch(`http://${http}/readyz`, { headers: { connection: 'close' } })).status}`
    const client = connect(grpc)
    const reply = await check(client, post({ jsonrpc: '2.0', id: i, method: 'tools/list' }, { headers: {} }))
    client.close()
    return `grpc ${statusCode(reply)}`
  })
  return new Set(await Promise.all(asked))
}

function childrenOf(pid: number | undefined): number[] {
  const list = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const lines = list
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  return lines.flatMap(([child = 0, parent]) => (parent === pid ? child : []))
}

describe('two workers', patient, () => {
  it('share both ports, are announced once, and stop cleanly', async () => {
    const directory = await project()
    const program = start(directory, workers)
    const line = await program.ready()
    expect(await answers(addressesIn(line))).toEqual(new Set(['http 200', 'grpc 16']))
    const children = childrenOf(program.child.pid)
    expect(children).toHaveLength(2)
    program.child.kill('SIGTERM')
    expect(await program.ended()).toBe(0)
    expect(program.out()).toBe(`${line}\n`)
    for (const pid of children) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  it('drain when a terminal interrupts all of them', async () => {
    const program = start(await project(), workers)
    const { http } = addressesIn(await program.ready())
    const held = holdOpen(http)
    await held.sent
    for (const pid of childrenOf(program.child.pid)) process.kill(pid, 'SIGINT')
    program.child.kill('SIGINT')
    await untilRefused(http)
    expect(await held.finish()).toMatch(/^HTTP\/1\.1 200 .*"decision":true/s)
    expect(await program.ended()).toBe(0)
  })
})

describe('workers that begin and end', patient, () => {
  it('are replaced when one dies', async () => {
    const program = start(await project(), workers)
    const addresses = addressesIn(await program.ready())
    const [first = 0] = childrenOf(program.child.pid)
    process.kill(first, 'SIGKILL')
    for (let alive = 0; alive < 2; ) {
      alive = childrenOf(program.child.pid).filter((pid) => pid !== first).length
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await answers(addresses)).toEqual(new Set(['http 200', 'grpc 16']))
  })

  it('share the keys of the embedded default', async () => {
    const program = start(await folder(), workers)
    expect(await answers(addressesIn(await program.ready()))).toEqual(new Set(['http 200', 'grpc 16']))
  })

  it('are exit 2 or 3 where none can start, and nothing is announced', async () => {
    const directory = await project()
    const holder = start(directory, ['serve'])
    const { http } = addressesIn(await holder.ready())
    const program = start(directory, ['serve', '--workers', '2', '--http', http])
    expect([2, 3]).toContain(await program.ended())
    expect(program.out()).toBe('')
    expect(program.err()).toContain(http)
  })

  it('take new data, every one of them', async () => {
    const directory = await project()
    const program = start(directory, workers)
    addressesIn(await program.ready())
    await writeFile(join(directory, 'catalogue.yaml'), catalogue.replace('forecast, alerts', 'tides'))
    await program.says(/(new data is in place[\s\S]*){2}/)
  })
})
