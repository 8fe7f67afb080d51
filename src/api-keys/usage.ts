import { textOf } from '../policy/errors.ts'
import type { Tally } from '../state/ledger.ts'
import type { UsageLimits } from './api-key.gen.ts'
import type { ApiKey } from './api-key.ts'
import { createNotebook } from './notebook.ts'

/** How often a key was used, in the windows that are open now. */
export interface Usage {
  readonly hour: number
  readonly day: number
  readonly total: number
  /** Seconds since the epoch; undefined: never. */
  readonly lastUsed: number | undefined
}

export interface UsageCounterOptions {
  readonly tally: Tally
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** How long what limits no key is kept in memory before it is written, in milliseconds. Default: 1000. */
  readonly flushMs?: number
  /** Told why uses could not be written, once for each cause; for a log. */
  readonly onFault?: (text: string) => void
}

/** Counts the uses of keys, over all processes and replicas. */
export interface UsageCounter {
  /** Counts one use, unless a limit of the key is reached. Never rejects. */
  take(key: ApiKey): Promise<'taken' | 'usage_exceeded' | 'state_unavailable'>
  /** @throws {Error} where it cannot be had */
  usageOf(id: string): Promise<Usage>
  /** Writes what is still in memory. Never rejects. */
  close(): Promise<void>
}

/** Makes the one counter of a process. */
export function createUsageCounter(options: UsageCounterOptions): UsageCounter {
  const { tally, now = Date.now, onFault = () => undefined } = options
  const notebook = createNotebook({ ...options, onFault })
  const tell = (thrown: unknown): void => onFault(`the uses of API keys cannot be counted: ${textOf(thrown)}`)
  return {
    async take({ id, body }) {
      const seconds = now() / 1000
      const windows = windowsOf(id, seconds)
      const limits = body.scope?.usage
      const limited = limits === undefined ? [] : windows.filter(({ name }) => limits[name] !== undefined)
      try {
        if (limits !== undefined && !(await countAll(tally, limited, limits))) return 'usage_exceeded'
      } catch (thrown) {
        tell(thrown)
        return 'state_unavailable'
      }
      const others = windows.filter((window) => !limited.includes(window))
      for (const { key, until } of others) notebook.note({ key, until, add: 1 })
      notebook.note({ key: lastUsedKey(id), until: forever, atLeast: Math.floor(seconds) })
      return 'taken'
    },
    async usageOf(id) {
      const keys = [...windowsOf(id, now() / 1000).map(({ key }) => key), lastUsedKey(id)]
      const [hour = 0, day = 0, total = 0, last = 0] = await tally.counts(keys)
      return { hour, day, total, lastUsed: last === 0 ? undefined : last }
    },
    close: () => notebook.close(),
  }
}

interface Window {
  readonly name: keyof UsageLimits
  readonly key: string
  /** Seconds since the epoch. */
  readonly until: number
}

/** The last second of the year 9999: every store can hold it. */
const forever = 253_402_300_799

/** From the shortest to the longest; hours and days are those of UTC, so that each hour is within one day. */
function windowsOf(id: string, seconds: number): readonly Window[] {
  const window = (name: Window['name'], length: number): Window => {
    const number = Math.floor(seconds / length)
    return { name, key: `api-key/${id}/${name}/${number}`, until: (number + 1) * length }
  }
  return [
    window('perHour', 3600),
    window('perDay', 24 * 3600),
    { name: 'total', key: `api-key/${id}/total`, until: forever },
  ]
}

function lastUsedKey(id: string): string {
  return `api-key/${id}/last`
}

/**
 * Counts in every window or, as far as can be, in none. Those are looked at first; where another request takes the last
 * use of a longer window in between, a shorter one has counted one too many, and nothing is allowed in it any more.
 */
async function countAll(tally: Tally, windows: readonly Window[], limits: UsageLimits): Promise<boolean> {
  if (windows.length === 0) return false
  const limitOf = ({ name }: Window): number => limits[name] ?? 0
  if (windows.length > 1) {
    const counts = await tally.counts(windows.map(({ key }) => key))
    if (windows.some((window, index) => (counts[index] ?? 0) >= limitOf(window))) return false
  }
  for (const window of windows) {
    if ((await tally.count(window.key, limitOf(window), window.until)) === false) return false
  }
  return true
}
