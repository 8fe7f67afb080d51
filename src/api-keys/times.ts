import type { TimeWindow } from './api-key.gen.ts'

/** Tells whether a window is open at a time, in milliseconds since the epoch. */
export type IsOpen = (ms: number) => boolean

/** Minutes since midnight, and the day, by the clock on the wall. */
interface WallClock {
  readonly day: TimeWindow['days'][number]
  readonly minutes: number
}

const week = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/**
 * Opens a window for being asked. The wall clock decides, whatever it does: an hour that it skips in spring is in no
 * window, and one that it shows twice in autumn is in a window twice.
 * @throws {RangeError} for a zone that is not known
 */
export function windowOf({ zone, days, from, to }: TimeWindow): IsOpen {
  const clock = clockIn(zone)
  const [start, end] = [minutesOf(from), minutesOf(to)]
  return (ms) => {
    const { day, minutes } = clock(ms)
    if (end > start) return days.includes(day) && minutes >= start && minutes < end
    return (days.includes(day) && minutes >= start) || (days.includes(dayBefore(day)) && minutes < end)
  }
}

/** Whether a zone is one of the IANA database; what is only an offset is not, as it would not follow the clocks. */
export function isZone(zone: string): boolean {
  try {
    return /^[A-Za-z]/.test(zone) && clockIn(zone) !== undefined
  } catch {
    return false
  }
}

function clockIn(timeZone: string): (ms: number) => WallClock {
  const format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
  })
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, value]))
    const day = week.find((name) => name === parts.get('weekday')?.toLowerCase())
    const minutes = Number(parts.get('hour')) * 60 + Number(parts.get('minute'))
    if (day === undefined || Number.isNaN(minutes)) throw new TypeError('the clock shows no day and time')
    return { day, minutes }
  }
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':')
  return Number(hours) * 60 + Number(minutes)
}

function dayBefore(day: WallClock['day']): WallClock['day'] {
  return week[(week.indexOf(day) + 6) % 7] ?? day
}
