import { isDeepStrictEqual } from 'node:util'
import type { Outcome } from '../authorizer/attempt.ts'
import type { Credential } from '../identity/subject.ts'
import { changedKinds } from '../mcp/list-changed.ts'
import type { Read } from '../mcp/reading.ts'
import type { Capabilities } from '../policy/decision.gen.ts'
import { createAudience } from './audience.ts'
import type { InnerTransport } from './carrier.ts'
import { type Lookout, type Seen, usable, type Who } from './lookout.ts'

/** Looks for what a peer may use otherwise than before, and tells it. */
export interface Changes {
  /** A message that was allowed, and whose it is. */
  received(message: unknown, asked: Asked): void
  /** A message that is about to be sent; what is returned goes in its place. */
  sent(message: unknown): unknown
  /** Whether the credential of whoever came last opened anything at the last look. */
  stands(): boolean
  close(): void
}

/** Who came last, and how. */
export interface Asked {
  readonly credential: Credential
  readonly reading: Read
  readonly address: string | undefined
  readonly outcome: Outcome
}

/** Who came last, as the lookout asks. */
interface Peer extends Who {
  readonly subject: string | undefined
}

/**
 * Compares, every so often, what whoever came last may use with what it was, whatever the cause of a change: data, policy,
 * a revocation, the end of the credential. Older versions are told once they are initialized, 2026-07-28 by its
 * subscriptions alone.
 */
export function watchChanges(lookout: Lookout, inner: InnerTransport, everyMs: number): Changes {
  const audience = createAudience()
  let last: Peer | undefined
  let before: Capabilities | undefined
  let end: (() => void) | undefined
  let isClosed = false
  let isGood = true

  async function saw(seen: Seen, peer: Who): Promise<void> {
    // Whoever else came meanwhile is compared with itself.
    if (seen === undefined || last === undefined || !isSamePeer(peer as Peer, last) || isClosed) return
    isGood = seen.ok
    const now = usable(seen)
    const changed = before === undefined ? [] : changedKinds(before, now)
    before = now
    for (const kind of changed) for (const notice of audience.notices(kind)) await inner.send(notice)
  }

  async function look(peer: Peer): Promise<void> {
    await saw(await lookout.look(peer), peer)
  }

  return {
    received(message, { credential, reading: { virtualServers }, address, outcome: { subject } }) {
      audience.received(message)
      const peer = { credential, virtualServers, address, subject: subject?.id }
      const isSame = last !== undefined && isSamePeer(last, peer)
      last = peer
      isGood = true
      // Of the same person with another token the list is still the one that was shown.
      if (isSame || isClosed) return
      before = undefined
      // What it may use now is what a change is measured by.
      void look(peer).catch(() => undefined)
      end ??= lookout.watch({ who: () => last, saw, over: () => undefined }, everyMs)
    },
    sent: audience.sent,
    stands: () => isGood,
    close() {
      isClosed = true
      end?.()
    },
  }
}

function isSamePeer(one: Peer, other: Peer): boolean {
  const [first, second] = [one, other].map(({ subject, virtualServers }) => [subject, virtualServers])
  return isDeepStrictEqual(first, second)
}
