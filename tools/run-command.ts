import { execFile } from 'node:child_process'

/** What a finished command left behind. `code` is 127, as in a shell, where there is no such command. */
export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Where a command runs, and what its environment adds to that of this process. */
export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a command without a shell and waits for it. Never rejects: a command that cannot start has a code too. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const settings = { cwd: options.cwd, env: { ...process.env, ...options.env }, maxBuffer: 2 ** 28 }
  return await new Promise((resolve) => {
    execFile(command, [...args], settings, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr })
      else resolve({ code: codeOf(error.code), stdout, stderr: `${stdout}${stderr}` === '' ? error.message : stderr })
    })
  })
}

/** The last lines that a failed command wrote, each indented, for a message about it. */
export function lastWords(finished: Finished, lines = 20): string {
  const text = finished.stderr.trim() === '' ? finished.stdout : finished.stderr
  return text
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join('\n')
}

function codeOf(code: unknown): number {
  if (code === 'ENOENT' || code === 'EACCES') return 127
  return typeof code === 'number' ? code : 1
}

/** How an installation went: what to say of it, or why there is none. */
export type Installed = { readonly ok: true; readonly how: string } | { readonly ok: false; readonly reason: string }
