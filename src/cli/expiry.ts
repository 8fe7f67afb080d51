import { UsageError } from './exit.ts'

const unitSeconds = { m: 60, h: 3600, d: 86_400, w: 7 * 86_400 } as const
/** The end of the year 9999: every store can hold it. */
const latest = 253_402_300_799

/**
 * Seconds since the epoch at which something ends: after a duration like `90d`, at the start of a day in UTC, or at a
 * time with its zone.
 * @throws {UsageError} for what is neither, or has passed
 */
export function expiryOf(text: string, now: number): number {
  const seconds = afterDuration(text, now) ?? atTime(text)
  if (seconds === undefined) {
    throw new UsageError(
      `--expires \`${text}\`: expected a duration in m, h, d or w like 90d, a day like 2027-03-31, or a time like 2027-03-31T18:00:00Z`,
    )
  }
  if (seconds <= now || seconds > latest) throw new UsageError(`--expires \`${text}\`: expected a time that lies ahead`)
  return seconds
}

function afterDuration(text: string, now: number): number | undefined {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  return count === undefined
    ? undefined
    : Math.floor(now) + Number(count) * unitSeconds[unit as keyof typeof unitSeconds]
}

function atTime(text: string): number | undefined {
  const [, day] = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? []
  const ms = Date.parse(text)
  if (day === undefined || Number.isNaN(ms)) return undefined
  // A day that no month has would be one of the next month.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? ms / 1000 : undefined
}
