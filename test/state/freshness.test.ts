import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createFreshness, instant } from '../../src/state/freshness.ts'

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ['Date', 'performance'] }))
afterEach(() => void vi.useRealTimers())

it('is uncertain until something was proven', () => {
  expect(createFreshness(500).uncertainForMs()).toBe(Number.POSITIVE_INFINITY)
})

it('is certain for as long as the slack, and then uncertain since the proof', () => {
  const freshness = createFreshness(500)
  freshness.prove(instant())
  vi.advanceTimersByTime(500)
  expect(freshness.uncertainForMs()).toBe(0)
  vi.advanceTimersByTime(1)
  expect(freshness.uncertainForMs()).toBe(501)
})

it('counts the time for which the machine was suspended', () => {
  const freshness = createFreshness(500)
  freshness.prove(instant())
  vi.setSystemTime(Date.now() + 3_600_000)
  expect(freshness.uncertainForMs()).toBe(3_600_000)
})

it('is not made certain by a clock that was set back', () => {
  const freshness = createFreshness(500)
  freshness.prove(instant())
  vi.advanceTimersByTime(2000)
  vi.setSystemTime(Date.now() - 3_600_000)
  expect(freshness.uncertainForMs()).toBe(2000)
})
