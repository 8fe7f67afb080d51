import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TimeWindow } from '../../src/api-keys/api-key.gen.ts'
import { isZone, windowOf } from '../../src/api-keys/times.ts'

const everyDay: TimeWindow['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']

function isOpen(window: Partial<TimeWindow>, time: string): boolean {
  return windowOf({ zone: 'UTC', days: everyDay, from: '09:00', to: '17:00', ...window })(Date.parse(time))
}

describe('a window', () => {
  it.each([
    ['2026-11-24T08:59:59.999Z', false],
    ['2026-11-24T09:00:00Z', true],
    ['2026-11-24T16:59:59.999Z', true],
    ['2026-11-24T17:00:00Z', false],
  ])('is open from its first minute until before its last: %s', (time, open) => {
    expect(isOpen({}, time)).toBe(open)
  })

  it('is open on its days alone', () => {
    // 2026-11-23 is a Monday.
    const open = everyDay.map((_, index) => isOpen({ days: ['mon', 'fri'] }, `2026-11-${23 + index}T12:00:00Z`))
    expect(open).toEqual([true, false, false, false, true, false, false])
    expect(isOpen({ days: [] }, '2026-11-24T12:00:00Z')).toBe(false)
  })
})

describe('a window across midnight', () => {
  const friday: Partial<TimeWindow> = { days: ['fri'], from: '22:00', to: '06:00' }

  it.each([
    ['2026-11-27T21:59:00Z', false],
    ['2026-11-27T22:00:00Z', true],
    ['2026-11-28T05:59:00Z', true],
    ['2026-11-28T06:00:00Z', false],
    ['2026-11-28T22:00:00Z', false],
    ['2026-11-27T05:59:00Z', false],
  ])('belongs to the day on which it starts: %s', (time, open) => {
    expect(isOpen(friday, time)).toBe(open)
  })

  it('goes on from Sunday into Monday', () => {
    const sunday: Partial<TimeWindow> = { ...friday, days: ['sun'] }
    expect(isOpen(sunday, '2026-11-30T03:00:00Z')).toBe(true)
    expect(isOpen(sunday, '2026-11-29T03:00:00Z')).toBe(false)
  })

  it('whose ends are the same is a whole day', () => {
    const whole: Partial<TimeWindow> = { days: ['tue'], from: '06:00', to: '06:00' }
    expect(isOpen(whole, '2026-11-24T05:59:00Z')).toBe(false)
    expect(isOpen(whole, '2026-11-24T06:00:00Z')).toBe(true)
    expect(isOpen(whole, '2026-11-25T05:59:00Z')).toBe(true)
    expect(isOpen(whole, '2026-11-25T06:00:00Z')).toBe(false)
    const midnight: Partial<TimeWindow> = { days: ['tue'], from: '00:00', to: '00:00' }
    expect(isOpen(midnight, '2026-11-24T00:00:00Z')).toBe(true)
    expect(isOpen(midnight, '2026-11-24T23:59:59Z')).toBe(true)
    expect(isOpen(midnight, '2026-11-25T00:00:00Z')).toBe(false)
  })
})

describe('a zone', () => {
  const berlin: Partial<TimeWindow> = { zone: 'Europe/Berlin', from: '09:00', to: '17:00' }

  it('moves the window with its clocks, in spring and in autumn', () => {
    expect(isOpen(berlin, '2026-03-28T08:00:00Z')).toBe(true)
    expect(isOpen(berlin, '2026-03-28T07:59:00Z')).toBe(false)
    expect(isOpen(berlin, '2026-03-29T07:00:00Z')).toBe(true)
    expect(isOpen(berlin, '2026-03-29T06:59:00Z')).toBe(false)
    expect(isOpen(berlin, '2026-10-24T07:00:00Z')).toBe(true)
    expect(isOpen(berlin, '2026-10-25T07:00:00Z')).toBe(false)
    expect(isOpen(berlin, '2026-10-25T08:00:00Z')).toBe(true)
  })

  it('has no window in the hour that its clocks skip in spring', () => {
    const night: Partial<TimeWindow> = { ...berlin, from: '02:00', to: '03:00' }
    const minutes = Array.from({ length: 24 * 60 }, (_, index) => Date.parse('2026-03-29T00:00:00Z') + index * 60_000)
    const open = (window: Partial<TimeWindow>) =>
      minutes.filter((ms) => isOpen(window, new Date(ms).toISOString())).length
    expect(open(night)).toBe(0)
    expect(open({ ...night, to: '04:00' })).toBe(60)
    // By UTC the night of the change begins on the day before.
    expect(isOpen({ ...night, from: '01:30', to: '03:30' }, '2026-03-29T00:30:00Z')).toBe(true)
    expect(isOpen({ ...night, from: '01:30', to: '03:30' }, '2026-03-29T01:29:00Z')).toBe(true)
    expect(isOpen({ ...night, from: '01:30', to: '03:30' }, '2026-03-29T01:30:00Z')).toBe(false)
  })

  it('has a window twice where its clocks show an hour twice in autumn', () => {
    const night: Partial<TimeWindow> = { ...berlin, from: '02:00', to: '03:00' }
    expect(isOpen(night, '2026-10-24T23:59:00Z')).toBe(false)
    expect(isOpen(night, '2026-10-25T00:00:00Z')).toBe(true)
    expect(isOpen(night, '2026-10-25T01:59:00Z')).toBe(true)
    expect(isOpen(night, '2026-10-25T02:00:00Z')).toBe(false)
  })
})

describe('the name of a zone', () => {
  it.each([
    ['Asia/Kolkata', '2026-11-24T03:30:00Z'],
    ['Asia/Kathmandu', '2026-11-24T03:15:00Z'],
    ['Australia/Eucla', '2026-11-24T00:15:00Z'],
    ['Australia/Lord_Howe', '2026-11-23T22:00:00Z'],
    ['America/St_Johns', '2026-11-24T12:30:00Z'],
    ['Pacific/Kiritimati', '2026-11-23T19:00:00Z'],
    ['Pacific/Pago_Pago', '2026-11-24T20:00:00Z'],
  ])('may be any part of an hour away: it is 09:00 in %s at %s', (zone, time) => {
    expect(isOpen({ zone, days: ['tue'] }, time)).toBe(true)
    expect(isOpen({ zone, days: ['tue'] }, new Date(Date.parse(time) - 1).toISOString())).toBe(false)
  })

  it('decides which day it is', () => {
    expect(isOpen({ zone: 'Pacific/Auckland', days: ['wed'], from: '08:00' }, '2026-11-24T19:00:00Z')).toBe(true)
    expect(
      isOpen({ zone: 'America/Los_Angeles', days: ['mon'], from: '16:00', to: '23:00' }, '2026-11-24T01:00:00Z'),
    ).toBe(true)
  })

  it.each(['', 'Mars/Olympus', 'Europe/Berlin ', '+01:00', '-05:00', 'local', '../etc/passwd'])(
    'is refused: `%s`',
    (zone) => {
      expect(isZone(zone)).toBe(false)
    },
  )

  it.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Asia/Calcutta', 'Etc/GMT+5'])('is known: %s', (zone) => {
    expect(isZone(zone)).toBe(true)
  })
})

describe('any window', () => {
  const two = (number: number) => String(number).padStart(2, '0')
  const time = fc.tuple(fc.nat(23), fc.nat(59)).map(([hours, minutes]) => `${two(hours)}:${two(minutes)}`)
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns', 'Australia/Lord_Howe')
  const days = fc.subarray(everyDay)
  const ms = fc.integer({ min: Date.parse('2020-01-01'), max: Date.parse('2040-01-01') })

  it('and the one from its end to its start are never open together, and with all days one of them always is', () => {
    fc.assert(
      fc.property(zone, time, time, ms, (zone, from, to, ms) => {
        fc.pre(from !== to)
        const there = windowOf({ zone, days: everyDay, from, to })(ms)
        const back = windowOf({ zone, days: everyDay, from: to, to: from })(ms)
        expect(there).toBe(!back)
      }),
    )
  })

  it('is open at no time at which the same one with more days is not', () => {
    fc.assert(
      fc.property(zone, days, days, time, time, ms, (zone, some, more, from, to, ms) => {
        fc.pre(windowOf({ zone, days: some, from, to })(ms))
        expect(windowOf({ zone, days: [...some, ...more], from, to })(ms)).toBe(true)
      }),
    )
  })
})
