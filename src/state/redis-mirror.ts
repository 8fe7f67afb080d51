import { isOver } from './entry.ts'
import { type Instant, instant, msSince } from './freshness.ts'
import type { LedgerEntry } from './ledger.ts'
import { createOutage, type Outage, type Reports } from './outage.ts'
import type { RedisConnections } from './redis-client.ts'
import type { Found, RedisEntries } from './redis-entries.ts'
import type { EmbeddedLedger } from './sqlite-ledger.ts'

/** Two ledgers, each of which gets what it lacks of the other. */
export interface RedisMirror {
  /** Takes every entry in Redis. From then on each new one here is given at once. */
  readWhole(): Promise<void>
  /** Takes what was found in Redis. */
  take(found: Found): Promise<void>
  /** Gives every entry that was not found there. Where that fails, {@link mustGiveAgain} says so later. */
  giveWhatRedisLacks(): Promise<void>
  /** Resolves once Redis has an entry that is here. */
  shared(entry: LedgerEntry): Promise<void>
  mustGiveAgain(): boolean
  /** Drops what is over from Redis, and compares how many are there and should be. */
  isTheSame(): Promise<boolean>
  /** Gives nothing at once any more until Redis was read whole again. */
  pause(): void
  close(): void
}

const giveAgainMs = 250

/** What has ended long ago is neither taken nor given. */
export function createRedisMirror(
  own: EmbeddedLedger,
  entries: RedisEntries,
  { name, explain, ...reports }: Reports & Pick<RedisConnections, 'name' | 'explain'>,
): RedisMirror {
  const outage = createOutage(`Redis at ${name} takes no entries`, `Redis at ${name} takes entries again`, reports)
  const giver = createGiver(entries, outage, explain)
  let faults: ReadonlySet<string> = new Set()
  let live = false

  async function take({ entries: found }: Found): Promise<void> {
    const now = Date.now()
    const taken = found.filter(({ until }) => !isOver(until, now))
    for (const { id, until } of taken) giver.there.set(id, until)
    await own.addAll(taken)
    await entries.drop(found.flatMap(({ id, until }) => (isOver(until, now) ? [id] : [])))
  }
  const unfollow = own.follow((news) => {
    const given = live ? giver.lacking(news) : []
    if (given.length > 0) void giver.give(given)
  })
  return {
    async take(found) {
      for (const fault of found.faults) reports.onFault(`Redis at ${name}: ${fault}`)
      await take(found)
    },
    async readWhole() {
      giver.forget()
      const left = new Set<string>()
      for await (const found of entries.all()) {
        await take(found)
        for (const fault of found.faults) left.add(fault)
      }
      for (const fault of left) if (!faults.has(fault)) reports.onFault(`Redis at ${name}: ${fault}`)
      faults = left
      live = true
    },
    async giveWhatRedisLacks() {
      const given: LedgerEntry[] = []
      own.follow((all) => given.push(...giver.lacking(all)))()
      if (given.length > 0) await giver.give(given).catch(() => undefined)
    },
    shared: giver.shared,
    mustGiveAgain: giver.mustGiveAgain,
    async isTheSame() {
      const now = Date.now()
      const over = [...giver.there].flatMap(([id, until]) => (isOver(until, now) ? [id] : []))
      await entries.drop(over)
      for (const id of over) giver.there.delete(id)
      return (await entries.count()) === giver.there.size + faults.size
    },
    pause() {
      live = false
    },
    close: unfollow,
  }
}

interface Giver {
  /** When each entry that is known to be in Redis ends. */
  readonly there: Map<string, number | undefined>
  lacking(all: readonly LedgerEntry[]): readonly LedgerEntry[]
  /** Who does not wait for it need not fear that it rejects. */
  give(given: readonly LedgerEntry[]): Promise<void>
  readonly shared: RedisMirror['shared']
  readonly mustGiveAgain: RedisMirror['mustGiveAgain']
  forget(): void
}

function createGiver(entries: RedisEntries, outage: Outage, explain: RedisConnections['explain']): Giver {
  const there = new Map<string, number | undefined>()
  const underway = new Map<string, Promise<void>>()
  let failed: Instant | undefined

  async function put(given: readonly LedgerEntry[]): Promise<void> {
    try {
      await entries.put(given)
      for (const { id, until } of given) there.set(id, until)
      outage.end()
    } catch (error) {
      failed = instant()
      outage.begin(explain(error))
      throw error
    } finally {
      for (const { id } of given) underway.delete(id)
    }
  }
  function give(given: readonly LedgerEntry[]): Promise<void> {
    const giving = put(given)
    for (const { id } of given) underway.set(id, giving)
    giving.catch(() => undefined)
    return giving
  }
  return {
    there,
    lacking(all) {
      const now = Date.now()
      return all.filter(({ id, until }) => !(there.has(id) || isOver(until, now)))
    },
    give,
    async shared(entry) {
      if (!there.has(entry.id)) await (underway.get(entry.id) ?? give([entry]))
    },
    mustGiveAgain: () => failed !== undefined && msSince(failed) > giveAgainMs,
    forget() {
      there.clear()
      failed = undefined
    },
  }
}
