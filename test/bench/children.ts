// Processes of a run. None outlives it, however it ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'

/** A server of its own process. */
export interface ServerProcess {
  readonly pid: number
  /** What the first line it wrote held where the pattern has groups. */
  readonly groups: Readonly<Record<string, string>>
}

const running = new Set<ChildProcess>()

/** Ends every child when this process exits, and makes the signals that would end it without `exit` do so with it. */
export function killChildrenOnExit(): void {
  process.once('exit', killChildren)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]))
  }
}

/** Ends every child at once. */
export function killChildren(): void {
  for (const child of running) child.kill('SIGKILL')
}

/**
 * Starts a server and waits for its first line of output.
 * @param ready what that line must look like; named groups are handed on
 * @throws Error when it ends, or says something else, first
 */
export async function startServer(
  command: string,
  args: readonly string[],
  options: { readonly ready: RegExp; readonly cwd: string },
): Promise<ServerProcess> {
  // Standard error is dropped: a log is written, as in production, and nobody on this machine pays for reading it.
  const child = start(command, args, { cwd: options.cwd, stdio: ['ignore', 'pipe', 'ignore'] })
  const line = await Promise.race([firstLine(child), ended(child)])
  const found = typeof line === 'string' ? options.ready.exec(line) : null
  if (found === null || child.pid === undefined) {
    throw new Error(`\`${[command, ...args].join(' ')}\` did not start; run it by hand to see why`)
  }
  return { pid: child.pid, groups: { ...found.groups } }
}

/** Starts a server that says nothing when it is ready; the caller finds out. */
export function startSilentServer(command: string, args: readonly string[], cwd: string): { readonly pid: number } {
  const child = start(command, args, { cwd, stdio: 'ignore' })
  return { pid: child.pid ?? 0 }
}

/**
 * Runs a command to its end.
 * @returns what it wrote on standard output
 * @throws Error with its last words when it fails
 */
export async function runToEnd(command: string, args: readonly string[]): Promise<string> {
  const child = start(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, code] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended(child)])
  if (code === 0) return stdout
  throw new Error(`\`${command}\` failed: ${(stderr.trim() || stdout.trim()).slice(-2000)}`)
}

/** CPU time that a process has used so far, all its threads, in microseconds; undefined where the system does not tell. */
export async function cpuTime(pid: number): Promise<number | undefined> {
  try {
    const threads = await readdir(`/proc/${pid}/task`)
    const texts = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')))
    return texts.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1000, 0)
  } catch {
    return undefined
  }
}

function start(command: string, args: readonly string[], options: object): ChildProcess {
  const child = spawn(command, [...args], { env: { ...process.env, NODE_ENV: 'production' }, ...options })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** The exit code; 127 where the command cannot be started at all, null where a signal ended it. */
async function ended(child: ChildProcess): Promise<number | null> {
  return await once(child, 'close').then(
    ([code]: unknown[]) => code as number | null,
    () => 127,
  )
}

// The interface stays open, so that a talkative server never stops at a full pipe.
async function firstLine({ stdout }: ChildProcess): Promise<string | undefined> {
  if (stdout === null) return undefined
  const [line] = (await once(createInterface({ input: stdout }), 'line')) as [string]
  return line
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}
