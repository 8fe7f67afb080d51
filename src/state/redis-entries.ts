import { type Carriage, openCarriage } from './carriage.ts'
import { readEntry, writeEntry } from './entry.ts'
import type { LedgerEntry } from './ledger.ts'
import type { RedisClient, RedisConnections } from './redis-client.ts'

/** What was read of Redis at once. */
export interface Found {
  readonly entries: readonly LedgerEntry[]
  /** Why each thing that is no entry was left out. */
  readonly faults: readonly string[]
}

/** What came after a position in the stream. */
export interface Changes extends Found {
  readonly position: string
  /** The stream may have been cut before all of it was read. */
  readonly cut: boolean
}

/** The ledger in Redis: a hash of every entry by its id, and a stream that tells of new ones. */
export interface RedisEntries {
  /** Where the stream ends now. */
  end(): Promise<string>
  /** Every entry, in parts: whatever is there from beginning to end, and perhaps more than once. */
  all(): AsyncGenerator<Found>
  /** Waits up to 200 ms for something to come. */
  changesAfter(position: string): Promise<Changes>
  /** Puts what is not there, and tells the others. Twice is as good as once. */
  put(entries: readonly LedgerEntry[]): Promise<void>
  drop(ids: readonly string[]): Promise<void>
  count(): Promise<number>
}

const waitMs = 200
const partSize = 200
// The stream is for speed; whoever fell behind reads the hash. So much of it is kept at least, so much read at once:
// who finds less than a full reading has missed nothing.
const keptChanges = 2000
const readingSize = 1000

/** A whole reading is compared, so that a value which is no entry gives way to one that is. */
const putScript = `
for i = 2, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[1], '*', 'entry', ARGV[i + 1])
  end
end`

/** Reads by the connection that may wait, and writes by the other one. */
export function createRedisEntries(
  connections: RedisConnections,
  prefix: string,
  carriage: Carriage = openCarriage,
): RedisEntries {
  const { waiting, asking } = connections
  const ledger = `${prefix}ledger`
  const changes = `${prefix}changes`
  return {
    async end() {
      const last = await waiting.xRevRange(changes, '+', '-', { COUNT: 1 })
      return last?.[0]?.id ?? '0-0'
    },
    all: () => readAll(waiting, ledger, carriage),
    async changesAfter(position) {
      const [stream] =
        (await waiting.xRead({ key: changes, id: position }, { BLOCK: waitMs, COUNT: readingSize })) ?? []
      const messages = stream?.messages ?? []
      const found = messages.map(({ id, message }) => reading(message['entry'] ?? '', `message ${id}`, carriage))
      const cut = messages.length === readingSize
      return { ...together(found), position: messages.at(-1)?.id ?? position, cut }
    },
    async put(entries) {
      for (const part of partsOf(entries)) {
        const told = part.flatMap((entry) => [entry.id, carriage.stamp(writeEntry(entry))])
        await asking.eval(putScript, { keys: [ledger, changes], arguments: [String(keptChanges), ...told] })
      }
    },
    async drop(ids) {
      for (const part of partsOf(ids)) await asking.hDel(ledger, [...part])
    },
    count: async () => await waiting.hLen(ledger),
  }
}

async function* readAll(client: RedisClient, ledger: string, carriage: Carriage): AsyncGenerator<Found> {
  let cursor = '0'
  do {
    const page = await client.hScan(ledger, cursor, { COUNT: readingSize })
    const found = page.entries.map(({ field, value }) => reading(value, `field \`${shown(field)}\``, carriage, field))
    yield together(found)
    cursor = page.cursor
  } while (cursor !== '0')
}

function reading(carried: string, where: string, carriage: Carriage, id?: string): Found {
  const leftOut = (fault: string): Found => ({ entries: [], faults: [`${where} is left out: ${fault}`] })
  const text = carriage.unstamp(carried)
  if (text === undefined) return leftOut('nobody who has the signing key of this replica wrote it')
  const read = readEntry(text)
  if (!read.ok) return leftOut(read.fault)
  const refusal = carriage.refusal(read.entry.type)
  if (refusal !== undefined) return leftOut(refusal)
  return id === undefined || read.entry.id === id
    ? { entries: [read.entry], faults: [] }
    : leftOut('the entry has another id')
}

function together(found: readonly Found[]): Found {
  return { entries: found.flatMap(({ entries }) => entries), faults: found.flatMap(({ faults }) => faults) }
}

function partsOf<T>(all: readonly T[]): readonly (readonly T[])[] {
  const parts: (readonly T[])[] = []
  for (let from = 0; from < all.length; from += partSize) parts.push(all.slice(from, from + partSize))
  return parts
}

// Somebody else wrote this name.
function shown(field: string): string {
  return JSON.stringify(field.slice(0, 64)).slice(1, -1)
}
