import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { root } from '../../tools/paths.ts'
import { type Finished, runCommand } from '../../tools/run-command.ts'

const script = join(root, 'examples/demo/main.ts')
const envoyIsThere = existsSync(join(root, '.tools/envoy/envoy/_bin/envoy'))

describe('npm run demo', { timeout: 30_000 }, () => {
  let finished: Finished
  beforeAll(async () => {
    finished = await runCommand(process.execPath, [script])
  }, 30_000)

  /** What came of it through Envoy and at the broker. */
  const answer = (who: string, what: string): readonly string[] => {
    const line = finished.stdout.split('\n').find((one) => one.startsWith(who) && one.includes(` ${what} `)) ?? ''
    return line.split(/ {2,}/u).slice(2)
  }
  const both = (text: string): readonly string[] => [envoyIsThere ? text : '-', text]

  it('ends by itself, in peace', () => {
    expect([finished.code, finished.stderr]).toEqual([0, ''])
  })

  it('says whether Envoy takes part', () => {
    const said = envoyIsThere
      ? 'asks mcp-authz before it passes anything on'
      : 'not installed; `npm run tools` brings it'
    expect(finished.stdout).toContain(`envoy     ${said}`)
  })

  it('shows each person what is theirs', () => {
    expect(answer('alice', 'sees')).toEqual(both('tools 4, prompts 4, resources 2, templates 1'))
    expect(answer('bob', 'sees')).toEqual(both('tools 9, prompts 0, resources 1, templates 0'))
    expect(answer('carol', 'sees')).toEqual(both('tools 0, prompts 0, resources 0, templates 0'))
    expect(answer('carol', 'sees the tools')).toEqual(both('none'))
  })

  it('lets each person do what is theirs, and nothing else', () => {
    expect(answer('alice', 'calls everything_echo')).toEqual(both('allowed: Echo: hello'))
    expect(answer('alice', 'calls everything_get-env')).toEqual(both('denied: 403 role_missing'))
    expect(answer('alice', 'calls memory_read_graph')).toEqual(both('allowed: { "entities": [], "relations": [] }'))
    expect(answer('alice', 'reads memory://knowledge-graph')).toEqual(both('denied: 403 role_missing'))
    expect(answer('bob', 'calls everything_echo')).toEqual(both('denied: 403 role_missing'))
    expect(answer('bob', 'calls memory_delete_entities')).toEqual(both('allowed: Entities deleted successfully'))
    expect(answer('bob', 'reads memory://knowledge-graph')).toEqual(
      both('allowed: { "entities": [], "relations": [] }'),
    )
    expect(answer('carol', 'calls everything_echo')).toEqual(both('denied: 403 role_missing'))
  })

  it('lets nobody in without a token that is believed', () => {
    expect(answer('no token', 'calls everything_echo')).toEqual(both('denied: 401 token_missing'))
    const [envoy] = both('denied: 401 token_missing')
    expect(answer('forged claim', 'calls everything_echo')).toEqual([envoy, 'denied: 401 token_algorithm'])
  })
})

describe('npm run demo, interrupted', { timeout: 30_000 }, () => {
  it('takes every process that it started with it', async () => {
    const demo = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(demo, 'exit')
    await once(demo.stdout, 'data')
    const children = await childrenOf(demo.pid ?? 0)
    expect(children).toHaveLength(envoyIsThere ? 3 : 2)
    demo.kill('SIGTERM')
    expect((await exited)[0]).toBe(1)
    await vi.waitFor(() => expect(children.filter(isAlive)).toEqual([]), 5000)
  })
})

async function childrenOf(parent: number): Promise<number[]> {
  const { stdout } = await runCommand('ps', ['-A', '-o', 'pid=,ppid='])
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/u).map(Number))
  return pairs.flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid] : []))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
