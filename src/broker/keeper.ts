import { isDeepStrictEqual } from 'node:util'
import type { HealthConfig } from '../config/config.ts'
import { type Bell, rest } from './bell.ts'
import type { Limits, Link } from './link.ts'
import { type Offer, readOffer } from './offer.ts'
import type { Wording } from './wording.ts'

/** What a server is to us now. Times are milliseconds since 1970. */
export interface UpstreamState {
  readonly kind: 'ready' | 'connecting' | 'unreachable' | 'disabled'
  /** When it became that. */
  readonly since: number
  /** While it is ready. */
  readonly protocolVersion?: string | undefined
  /** What it calls itself, while it is ready: one line. */
  readonly serverName?: string | undefined
  /** While it is unreachable: one line without secrets of the configuration. */
  readonly lastError?: string | undefined
  /** While it is unreachable and not being tried. */
  readonly nextAttemptAt?: number | undefined
}

/** A server that is connected, and what it offers. */
export interface Presence {
  readonly link: Link
  readonly offer: Offer
}

export interface Keeping {
  readonly open: () => Promise<Link>
  readonly health: HealthConfig
  /** Makes it look before it is time. */
  readonly bell: Bell
  readonly wording: Wording
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  readonly onPresence: (presence: Presence | undefined) => void
  readonly onState: (state: Omit<UpstreamState, 'since'>) => void
  /** Told after each attempt to reach the server. */
  readonly onTried: () => void
  readonly onFlaw: (text: string) => void
}

const firstBackoffMs = 500
/** Whoever was there for shorter before it broke is not tried again as if it had been well. */
const steadyMs = 5000

/** Keeps a connection with a server, and what it offers, until the signal aborts and the connection is closed. */
export async function keep(keeping: Keeping, signal: AbortSignal): Promise<void> {
  const { health, now, random, onState, onTried } = keeping
  const retiring = new Set<Promise<void>>()
  let failures = 0
  while (!signal.aborted) {
    const startedAt = now()
    const lastError = await attempt(keeping, retiring, signal)
    if (signal.aborted) break
    failures = now() - startedAt >= steadyMs ? 1 : failures + 1
    // Full jitter: brokers that lost a server together do not come back together.
    const mostMs = Math.min(health.maxBackoffSeconds * 1000, firstBackoffMs * 2 ** (failures - 1))
    const delayMs = Math.round(random() * mostMs)
    onState({ kind: 'unreachable', lastError, nextAttemptAt: now() + delayMs })
    onTried()
    await rest(delayMs, signal)
    if (!signal.aborted) onState({ kind: 'unreachable', lastError })
  }
  await Promise.all(retiring)
}

/** One connection from its beginning to its end. Never rejects; gives what ended it. */
async function attempt(keeping: Keeping, retiring: Set<Promise<void>>, signal: AbortSignal): Promise<string> {
  const { open, wording, onPresence, onState } = keeping
  let link: Link | undefined
  let lastError = ''
  try {
    link = await open()
    lastError = link.isProcess ? 'the program ended' : 'the connection was closed'
    await attend(link, keeping, AbortSignal.any([signal, link.closed]))
  } catch (thrown) {
    // What is asked through a connection that was closed fails for no reason of its own.
    if (link?.closed.aborted !== true) lastError = wording.fault(thrown)
  }
  onPresence(undefined)
  if (!signal.aborted) onState({ kind: 'unreachable', lastError })
  if (link === undefined) return lastError
  const retired = link.retire(signal).finally(() => retiring.delete(retired))
  retiring.add(retired)
  // Two processes at once might want the same files.
  if (link.isProcess) await retired
  return lastError
}

/** Looks after a connection until it is over. @throws what made it of no use */
async function attend(link: Link, keeping: Keeping, over: AbortSignal): Promise<void> {
  const { health, bell, wording, onPresence, onState, onTried, onFlaw } = keeping
  const timeoutMs = health.timeoutSeconds * 1000
  const { protocolVersion, serverName } = link
  let offer: Offer | undefined
  const subscribe = subscriber(link, keeping)
  while (!over.aborted) {
    if (offer !== undefined) await link.check({ timeoutMs, signal: over })
    // Before the lists are read, so that no change falls between.
    await subscribe({ timeoutMs, signal: over })
    const read = await readOffer(link, { timeoutMs, signal: over, onFlaw })
    if (over.aborted) return
    if (offer === undefined) {
      onState({ kind: 'ready', protocolVersion, serverName: serverName && wording.line(serverName) })
    }
    if (!isDeepStrictEqual(read, offer)) {
      offer = read
      onPresence({ link, offer })
    }
    onTried()
    await bell.wait(health.everySeconds * 1000, over)
  }
}

/**
 * Asks a server to tell of changes, and again where it stops, but not all the time. One that cannot is none that cannot
 * be used: its lists are read again from time to time.
 */
function subscriber(link: Link, { bell, health, now }: Keeping): (limits: Limits) => Promise<void> {
  let isOpen = false
  let notBefore = 0
  return async (limits) => {
    if (isOpen || now() < notBefore) return
    notBefore = now() + health.everySeconds * 1000
    const subscription = await link.subscribe(limits).catch(() => undefined)
    if (subscription === undefined) return
    isOpen = true
    void subscription.closed.then(() => {
      isOpen = false
      bell.ring()
    })
  }
}
