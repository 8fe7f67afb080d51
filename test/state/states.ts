import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { LedgerEntry, State } from '../../src/state/ledger.ts'
import { openState, type StateOptions } from '../../src/state/open.ts'
import type { Question, Said } from './peer.ts'

/** An open state, and what came of it so far. */
export interface Opened extends State {
  /** The ids its listener was told. */
  readonly told: readonly string[]
  readonly faults: readonly string[]
  readonly warnings: readonly string[]
}

/** Another process with a state of its own. */
export interface Peer {
  readonly said: readonly Said[]
  ask(question: Question): void
  /** Waits for something it says, also where it has said it already. */
  says<T extends Said>(fits: (said: Said) => said is T): Promise<T>
  /** Holds it as it is, and lets it go on. */
  freeze(): void
  thaw(): void
  kill(): Promise<void>
}

/** The path of a state file in a folder that goes with the test. */
export async function stateFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-state-'))
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  return join(folder, 'kept/state.db')
}

/** Opens a state and follows its ledger; it is closed with the test at the latest. */
export async function open(options: Partial<StateOptions> & Pick<StateOptions, 'file'>): Promise<Opened> {
  const faults: string[] = []
  const warnings: string[] = []
  const told: string[] = []
  const onFault = (text: string): void => void faults.push(text)
  const onWarning = (text: string): void => void warnings.push(text)
  const state = await openState({ named: true, onFault, onWarning, ...options })
  onTestFinished(state.close)
  state.ledger.follow((entries) => told.push(...entries.map(({ id }) => id)))
  return { ...state, told, faults, warnings }
}

/** A revocation with this id. */
export function entry(id: string, rest: Partial<LedgerEntry> = {}): LedgerEntry {
  return { id, type: 'revocation', body: { kind: 'subject', key: id }, ...rest }
}

/** Seconds since the epoch, so many from now. */
export function inSeconds(seconds: number): number {
  return Date.now() / 1000 + seconds
}

/** Every entry that a state tells a new listener. */
export function entriesOf({ ledger }: State): readonly LedgerEntry[] {
  const all: LedgerEntry[] = []
  ledger.follow((entries) => all.push(...entries))()
  return all.toSorted((one, other) => (one.id < other.id ? -1 : 1))
}

/** Asks again and again until it is so. */
export async function until(fits: () => boolean, what: string, withinMs = 10_000): Promise<void> {
  const end = performance.now() + withinMs
  while (!fits()) {
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms in vain: ${what}`)
    await sleep(5)
  }
}

/** Starts a process that opens a state; it is killed with the test at the latest. */
export async function startPeer(options: Omit<StateOptions, 'onFault' | 'onWarning'>): Promise<Peer> {
  const child = fork(fileURLToPath(new URL('peer.ts', import.meta.url)), [JSON.stringify(options)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const said: Said[] = []
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.on('message', (message: Said) => said.push(message))
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  const peer: Peer = {
    said,
    ask: (question) => void child.send(question),
    async says(fits) {
      await until(() => said.some(fits) || child.exitCode !== null, 'the other process says so')
      const found = said.find(fits)
      if (found === undefined) throw new Error(`the other process ended with code ${child.exitCode}: ${errors}`)
      return found
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async kill() {
      process.off('exit', end)
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      end()
      await gone
    },
  }
  onTestFinished(peer.kill)
  await peer.says((message): message is Extract<Said, { ready: true }> => 'ready' in message)
  return peer
}

/** Adds entries to one process: after how long each was told to another one, since it was told to the first. Milliseconds. */
export async function delaysMs(from: Peer | undefined, to: Peer | undefined, times = 40): Promise<readonly number[]> {
  if (from === undefined || to === undefined) throw new Error('two processes are needed')
  const delays: number[] = []
  for (let number = 0; number < times; number += 1) {
    const id = `delay-${number}`
    from.ask({ add: entry(id) })
    const [first, second] = [await from.says(hasTold(id)), await to.says(hasTold(id))]
    delays.push(Number(BigInt(second.at) - BigInt(first.at)) / 1e6)
  }
  return delays
}

/** The one in the middle. */
export function medianOf(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

/** It has added this entry. */
export function hasAdded(id: string) {
  return (said: Said): said is Extract<Said, { added: string }> => 'added' in said && said.added === id
}

/** It was told this entry. */
export function hasTold(id: string) {
  return (said: Said): said is Extract<Said, { told: readonly string[] }> => 'told' in said && said.told.includes(id)
}

/** It has counted. */
export function hasCounted(said: Said): said is Extract<Said, { counted: unknown }> {
  return 'counted' in said
}

/** It has used single uses. */
export function hasUsed(said: Said): said is Extract<Said, { first: unknown }> {
  return 'first' in said
}
