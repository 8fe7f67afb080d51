import { createHash } from 'node:crypto'
import { type Claims, isObject, own } from '../../identity/claims.ts'
import type { AdminAnswer } from './keycloak-admin.ts'

/** An event of Keycloak. */
export interface KeycloakEvent {
  /** Names it, the same for everybody who reads it. */
  readonly digest: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly fields: Claims
}

export interface EventStreamOptions {
  /** Asks for events from a time on (milliseconds since the epoch), the oldest first, without the first `first` of them. */
  readonly page: (from: number, first: number) => Promise<AdminAnswer>
  /** How many events a full page has. */
  readonly pageSize: number
  /** Milliseconds since the epoch at which reading begins. */
  readonly since: number
  /** What is done with each event, once; where it rejects, the event is read again. */
  readonly take: (event: KeycloakEvent) => Promise<void>
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** How a reading ended; `detail` says why it did not come to the end. */
export type Reading = { readonly ok: true } | Failed

interface Failed {
  readonly ok: false
  readonly detail: string
  /** Nothing that comes later may be taken before this is. */
  readonly final?: true
}

/** Where a page begins; see `EventStreamOptions`. */
interface Place {
  readonly from: number
  readonly first: number
}

/** Events that come one after the other, each taken once. */
export interface EventStream {
  /** Reads everything that is new. Never rejects. */
  read(): Promise<Reading>
}

/**
 * How far back is read again, in milliseconds: an event has its time before it is committed, and the clocks of a cluster
 * differ, so that one that is older than the latest can still turn up.
 */
export const overlapMs = 10_000

/** Opens a stream of events. Nothing is asked before it is read. */
export function openEventStream({ page, pageSize, since, take, now }: EventStreamOptions): EventStream {
  /** The events of the time that is read again, with their times. */
  const taken = new Map<string, number>()
  let latest = since + overlapMs

  // A node whose clock is ahead must not hide what the others tell.
  const start = (): number => Math.max(since, Math.min(latest, now()) - overlapMs)

  /** One that cannot be read is said at the end: it must not keep what follows from being taken. */
  async function takeAll(values: readonly unknown[]): Promise<Reading> {
    let time = Number.NEGATIVE_INFINITY
    let reading: Reading = { ok: true }
    for (const value of values) {
      const event = eventOf(value)
      if (event === undefined) {
        reading = failed('expected every event to be an object with a time')
        continue
      }
      if (event.time < time) return { ...failed('expected the oldest event first'), final: true }
      time = event.time
      if (taken.has(event.digest)) continue
      try {
        await take(event)
      } catch {
        return { ...failed('what an event takes away cannot be kept'), final: true }
      }
      taken.set(event.digest, time)
      latest = Math.max(latest, time)
    }
    return reading
  }

  /** Reads on from a place until a page is not full. */
  async function readFrom({ from, first }: Place, before: Reading): Promise<Reading> {
    const answer = await page(from, first)
    if (!answer.ok) return answer
    if (!Array.isArray(answer.value)) return failed('expected a list of events')
    const values: readonly unknown[] = answer.value
    const reading = await takeAll(values)
    const worse = reading.ok ? before : reading
    if ((!reading.ok && reading.final === true) || values.length < pageSize) return worse
    // By time rather than by number: events that expire meanwhile do not move the others.
    const last = eventOf(values.at(-1))?.time ?? from
    return await readFrom(last > from ? { from: last, first: 0 } : { from, first: first + values.length }, worse)
  }

  return {
    async read() {
      const reading = await readFrom({ from: start(), first: 0 }, { ok: true })
      for (const [digest, time] of taken) if (time < start()) taken.delete(digest)
      return reading
    },
  }
}

function eventOf(value: unknown): KeycloakEvent | undefined {
  if (!isObject(value)) return undefined
  const time = own(value, 'time')
  if (typeof time !== 'number' || !Number.isSafeInteger(time) || time < 0) return undefined
  const id = own(value, 'id')
  const named = typeof id === 'string' && id !== '' ? id : JSON.stringify(value)
  const digest = createHash('sha256')
    .update(JSON.stringify(['event', time, named]))
    .digest('base64url')
  return { digest, time, fields: value }
}

function failed(detail: string): Failed {
  return { ok: false, detail }
}
