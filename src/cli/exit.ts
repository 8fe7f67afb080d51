/** Exit codes of every command. */
export const exit = { ok: 0, denied: 1, usage: 2, internal: 3 } as const

export type ExitCode = (typeof exit)[keyof typeof exit]

/** A wrong use of the command line: what was given, and what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The process, as far as commands may touch it. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly out: { write(text: string): unknown }
  readonly err: { write(text: string): unknown }
  /** Standard input; absent where a command cannot be piped anything. */
  readonly in?: AsyncIterable<Uint8Array | string>
}
