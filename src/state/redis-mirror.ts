import { type Carriage, openCarriage } from './carriage.ts'
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
  /** Begins to give every entry that was not found there. */
  giveWhatRedisLacks(): void
  /** Begins to give again what could not be given a while ago. */
  giveWhatIsOwed(): void
  /** Resolves once Redis has an entry that is here. */
  shared(entry: LedgerEntry): Promise<void>
  /** Drops what is over from Redis, and compares how many are there and should be. */
  isTheSame(): Promise<boolean>
  /** Gives nothing at once any more until Redis was read whole again. */
  pause(): void
  close(): void
}

const giveAgainMs = 500

type MirrorOptions = Reports & Pick<RedisConnections, 'name' | 'explain'> & { readonly carriage?: Carriage | undefined }

/** What has ended long ago is neither taken nor given. */
export function createRedisMirror(
  own: EmbeddedLedger,
  entries: RedisEntries,
  { name, explain, carriage = openCarriage, ...reports }: MirrorOptions,
): RedisMirror {
  const outage = createOutage(`Redis at ${name} takes no entries`, `Redis at ${name} takes entries again`, reports)
  const giver = createGiver(entries, { outage, explain, carriage })
  let faults: ReadonlySet<string> = new Set()
  let live = false

  // It is dropped by somebody, some time.
  const drop = (ids: readonly string[]): void => void entries.drop(ids).catch(() => undefined)

  async function take({ entries: found }: Found): Promise<void> {
    if (found.length === 0) return
    const now = Date.now()
    const taken = found.filter(({ until }) => !isOver(until, now))
    for (const { id, until } of taken) giver.there.set(id, until)
    await own.addAll(taken)
    drop(found.flatMap(({ id, until }) => (isOver(until, now) ? [id] : [])))
  }
  const unfollow = own.follow((news) => {
    const given = live ? giver.lacking(news) : []
    if (given.length > 0) giver.give(given)
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
    giveWhatRedisLacks() {
      const given: LedgerEntry[] = []
      own.follow((all) => given.push(...giver.lacking(all)))()
      if (given.length > 0) giver.give(given)
    },
    giveWhatIsOwed: giver.giveWhatIsOwed,
    shared: giver.shared,
    async isTheSame() {
      const now = Date.now()
      const over = [...giver.there].flatMap(([id, until]) => (isOver(until, now) ? [id] : []))
      drop(over)
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
  give(given: readonly LedgerEntry[]): void
  readonly giveWhatIsOwed: RedisMirror['giveWhatIsOwed']
  readonly shared: RedisMirror['shared']
  forget(): void
}

interface GiverMeans {
  readonly outage: Outage
  readonly explain: RedisConnections['explain']
  readonly carriage: Carriage
}

function createGiver(entries: RedisEntries, { outage, explain, carriage }: GiverMeans): Giver {
  const there = new Map<string, number | undefined>()
  const underway = new Map<string, Promise<void>>()
  const owed = new Map<string, LedgerEntry>()
  let failed: Instant | undefined

  async function put(given: readonly LedgerEntry[]): Promise<void> {
    try {
      await entries.put(given)
      outage.end()
      for (const { id, until } of given) {
        there.set(id, until)
        owed.delete(id)
      }
    } catch (error) {
      failed = instant()
      for (const entry of given) owed.set(entry.id, entry)
      outage.begin(explain(error))
      throw error
    } finally {
      for (const { id } of given) underway.delete(id)
    }
  }
  function give(given: readonly LedgerEntry[]): Promise<void> {
    const giving = put(given)
    for (const { id } of given) underway.set(id, giving)
    // Whoever waits for it hears of it all the same.
    giving.catch(() => undefined)
    return giving
  }
  return {
    there,
    lacking(all) {
      const now = Date.now()
      const isGiven = ({ type }: LedgerEntry): boolean => carriage.refusal(type) === undefined
      return all.filter((entry) => isGiven(entry) && !(there.has(entry.id) || isOver(entry.until, now)))
    },
    give: (given) => void give(given),
    giveWhatIsOwed() {
      const due = failed !== undefined && msSince(failed) > giveAgainMs
      if (due && owed.size > 0 && underway.size === 0) give([...owed.values()])
    },
    async shared(entry) {
      const refusal = carriage.refusal(entry.type)
      if (refusal !== undefined) throw new Error(refusal)
      if (!there.has(entry.id)) await (underway.get(entry.id) ?? give([entry]))
    },
    forget() {
      there.clear()
      owed.clear()
    },
  }
}
