import type { LedgerEntry } from './ledger.ts'

/** What one entry may weigh as JSON. Bytes. */
export const maxEntryBytes = 16 * 1024

/** How long an entry is kept beyond its end, so that clocks may differ between replicas. Seconds. */
export const graceSeconds = 300

const maxIdLength = 256

/** An entry as it came from outside, or why it is none. The fault names nothing that the entry holds. */
export type EntryReading =
  | { readonly ok: true; readonly entry: LedgerEntry }
  | { readonly ok: false; readonly fault: string }

/** An entry as JSON, members always in this order: equal entries are equal texts. */
export function writeEntry({ id, type, until, body }: LedgerEntry): string {
  return JSON.stringify({ id, type, until, body })
}

/** Reads what {@link writeEntry} wrote, trusting nothing. */
export function readEntry(text: string): EntryReading {
  if (Buffer.byteLength(text) > maxEntryBytes) return refused(`it is larger than ${maxEntryBytes} bytes`)
  const value = parsed(text)
  return isRecord(value) ? checkEntry(value) : refused('it is no JSON object')
}

/** Checks the members of an entry, whoever put them together. */
export function checkEntry(value: Readonly<Record<string, unknown>>): EntryReading {
  const { id, type, until, body } = value
  if (typeof id !== 'string' || id === '' || id.length > maxIdLength)
    return refused('its id is not 1 to 256 characters')
  if (type !== 'revocation' && type !== 'api-key' && type !== 'definition') return refused('its type is unknown')
  if (!isRecord(body)) return refused('its body is no JSON object')
  if (until === undefined) return { ok: true, entry: { id, type, body } }
  if (typeof until !== 'number' || !Number.isFinite(until)) return refused('its end is no number')
  return { ok: true, entry: { id, type, until, body } }
}

/** The JSON value of a text; undefined where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether an entry has ended so long ago that it need not be kept. `now`: milliseconds since the epoch. */
export function isOver(until: number | undefined, now: number): boolean {
  return until !== undefined && (until + graceSeconds) * 1000 < now
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(fault: string): EntryReading {
  return { ok: false, fault }
}
