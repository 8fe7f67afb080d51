import type { Link } from './link.ts'

/** One caller's connection, from when it is opened until nothing of it is left. */
export interface Session {
  readonly link: Promise<Link>
  /** Resolves once it is closed. */
  readonly over: Promise<void>
  /** Something is asked through it. */
  enter(): void
  /** It is answered. Once nothing is asked for `idleMs`, `onIdle` is told. */
  leave(idleMs: number, onIdle: () => void): void
  /** Ends it once nothing is asked through it. */
  retire(): void
  /** Ends it now. */
  end(): void
}

/** Begins to open a connection. */
export function openSession(open: (signal: AbortSignal) => Promise<Link>): Session {
  const ending = new AbortController()
  const { promise: over, resolve: ended } = Promise.withResolvers<void>()
  const link = open(ending.signal)
  let calls = 0
  let isRetired = false
  let idle: NodeJS.Timeout | undefined

  function end(): void {
    clearTimeout(idle)
    if (ending.signal.aborted) return
    ending.abort()
    void link
      .then((opened) => opened.close())
      .catch(() => undefined)
      .finally(ended)
  }

  return {
    link,
    over,
    enter() {
      calls += 1
      clearTimeout(idle)
    },
    leave(idleMs, onIdle) {
      calls -= 1
      if (calls > 0) return
      if (isRetired || ending.signal.aborted) end()
      else idle = setTimeout(onIdle, idleMs).unref()
    },
    retire() {
      isRetired = true
      if (calls === 0) end()
    },
    end,
  }
}
