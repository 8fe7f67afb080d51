import { LRUCache } from 'lru-cache'
import { abortable } from './abortable.ts'
import type { Link } from './link.ts'
import { openSession, type Session } from './session.ts'

/** Connections of their own for callers of a server that keeps state by connection. */
export interface Sessions {
  /**
   * Runs something with the caller's connection, which is opened where there is none.
   *
   * @param signal - gives up waiting for a connection, which is opened all the same
   * @throws what either throws, or the signal's reason
   */
  use<T>(caller: string, run: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Ends every connection, whatever is asked through it; resolves once they are closed. */
  clear(): Promise<void>
}

export interface SessionsOptions {
  readonly open: (signal: AbortSignal) => Promise<Link>
  /** Whether an error says that the connection is of no use any more. */
  readonly isLost: (thrown: unknown) => boolean
  /** Beyond, the one that was not used for longest is ended. */
  readonly most: number
  readonly idleMs: number
}

export function createSessions({ open, isLost, most, idleMs }: SessionsOptions): Sessions {
  // Also those that nobody finds any more, until they are closed.
  const living = new Set<Session>()
  const byCaller = new LRUCache<string, Session>({ max: most, dispose: (session) => session.retire() })

  function begin(caller: string): Session {
    const session = openSession(open)
    living.add(session)
    byCaller.set(caller, session)
    void session.over.then(() => living.delete(session))
    session.link.then(
      ({ closed }) => closed.addEventListener('abort', () => drop(caller, session), { once: true }),
      () => drop(caller, session),
    )
    return session
  }

  function drop(caller: string, session: Session): void {
    if (byCaller.peek(caller) === session) byCaller.delete(caller)
  }

  return {
    async use(caller, run, signal) {
      const session = byCaller.get(caller) ?? begin(caller)
      session.enter()
      try {
        return await run(await abortable(session.link, signal))
      } catch (thrown) {
        if (isLost(thrown)) drop(caller, session)
        throw thrown
      } finally {
        session.leave(idleMs, () => drop(caller, session))
      }
    },
    async clear() {
      byCaller.clear()
      const ending = [...living]
      for (const session of ending) session.end()
      await Promise.all(ending.map(({ over }) => over))
    },
  }
}
