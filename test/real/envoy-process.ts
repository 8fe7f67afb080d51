import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toolPath } from '../../tools/paths.ts'
import type { Json } from './envoy-config.ts'

/** Envoy's binary; undefined where `npm run tools` has not installed it. */
export const envoyProgram = toolPath('envoy')

if (envoyProgram === undefined) {
  process.stdout.write('test/real is left out: envoy is not installed, run `npm run tools -- --only envoy`\n')
}

/** A running Envoy. */
export interface Envoy {
  /** The port a listener was given. */
  port(listener: string): number
  /** What the access log says of the request with this `x-test-id`, once it is written. */
  accessOf(testId: string): Promise<Json>
  /** Everything it wrote: its own log and the access log. */
  written(): Promise<string>
  /** What one of its counters has come to. */
  counter(name: string): Promise<number>
  stop(): Promise<void>
}

/** Starts an Envoy whose listeners and admin have port 0; resolves when it is live. `accessLog` is where it writes to. */
export async function startEnvoy(configOf: (accessLog: string) => Json): Promise<Envoy> {
  if (envoyProgram === undefined) throw new Error('envoy is not installed')
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-envoy-'))
  const file = (name: string): string => join(folder, name)
  await writeFile(file('access.log'), '')
  await writeFile(file('envoy.json'), JSON.stringify(configOf(file('access.log'))))
  const options = ['-c', file('envoy.json'), '--admin-address-path', file('admin'), '--disable-hot-restart']
  const child = spawn(envoyProgram, [
    ...options,
    '--concurrency',
    '1',
    '-l',
    'warn',
    '--file-flush-interval-msec',
    '20',
  ])
  const unhook = killWithThisProcess(child)
  const log = collect(child)
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
    unhook()
    await rm(folder, { recursive: true })
  }
  try {
    const admin = await adminOf(child, file('admin'))
    const ports = await portsOf(admin)
    return {
      port: (listener) => ports.get(listener) ?? fail(`no listener \`${listener}\``),
      accessOf: async (testId) => await entryOf(file('access.log'), testId),
      counter: async (name) => await counterOf(admin, name),
      written: async () => log() + (await readFile(file('access.log'), 'utf8')),
      stop,
    }
  } catch (thrown) {
    await stop()
    throw new Error(`envoy did not start: ${log()}`, { cause: thrown })
  }
}

/** A child that must not outlive this process, whatever ends it. Returns what takes the hooks away. */
export function killWithThisProcess(child: ChildProcess): () => void {
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  const leave = (): void => process.exit(143)
  process.once('exit', kill)
  process.once('SIGTERM', leave)
  return () => {
    process.off('exit', kill)
    process.off('SIGTERM', leave)
  }
}

/** Everything a child writes, as it comes. */
export function collect(child: ChildProcess): () => string {
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  return () => text
}

/** Asks until there is an answer; for what becomes true without telling. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string, withinMs = 8000): Promise<T> {
  const until = performance.now() + withinMs
  while (performance.now() < until) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await sleep(20)
  }
  throw new Error(`waited ${withinMs} ms in vain: ${what}`)
}

interface ListenerStatuses {
  readonly listener_statuses: readonly {
    readonly name: string
    readonly local_address: { readonly socket_address: { readonly port_value: number } }
  }[]
}

async function adminOf(child: ChildProcess, adminFile: string): Promise<string> {
  return await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    const address = (await readFile(adminFile, 'utf8').catch(() => '')).trim()
    if (address === '') return undefined
    const ready = await fetch(`http://${address}/ready`).catch(() => undefined)
    return ready?.status === 200 ? address : undefined
  }, 'envoy is live')
}

async function counterOf(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/stats?filter=${encodeURIComponent(`^${name}$`)}`)).text()
  const value = /: (\d+)$/m.exec(text)?.[1]
  return value === undefined ? fail(`envoy has no counter \`${name}\``) : Number(value)
}

async function portsOf(admin: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://${admin}/listeners?format=json`)
  const { listener_statuses: statuses } = (await response.json()) as ListenerStatuses
  return new Map(statuses.map(({ name, local_address }) => [name, local_address.socket_address.port_value]))
}

async function entryOf(accessLog: string, testId: string): Promise<Json> {
  return await eventually(async () => {
    const lines = (await readFile(accessLog, 'utf8')).split('\n').slice(0, -1)
    const entries = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Json)
    return entries.find((entry) => entry['test_id'] === testId)
  }, `the access log names ${testId}`)
}

function fail(message: string): never {
  throw new Error(message)
}
