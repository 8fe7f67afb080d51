import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { UsageLimits } from '../../src/api-keys/api-key.gen.ts'
import { type Place, placeWith } from './place.ts'

const hour = 3_600_000
/** A full hour in the middle of a day of UTC. */
const noon = Date.parse('2027-01-15T12:00:00Z')

async function keyIn(place: Place, usage?: UsageLimits) {
  const { id } = await place.create(usage && { scope: { usage } })
  const key = place.apiKeys.get(id)
  if (key === undefined) throw new Error('no key')
  return key
}

async function placeAt(ms: number): Promise<Place> {
  const place = placeWith()
  place.clock.ms = ms
  return place
}

async function takes(place: Place, key: Parameters<Place['usage']['take']>[0], times: number): Promise<number> {
  let taken = 0
  for (let turn = 0; turn < times; turn++) if ((await place.usage.take(key)) === 'taken') taken += 1
  return taken
}

describe('a limit of usage', () => {
  it('counts from one full hour to the next', async () => {
    const place = await placeAt(noon + hour - 1)
    const key = await keyIn(place, { perHour: 2 })
    expect(await takes(place, key, 3)).toBe(2)
    place.clock.ms += 1
    expect(await takes(place, key, 3)).toBe(2)
    place.clock.ms += hour - 1
    expect(await takes(place, key, 1)).toBe(0)
  })

  it('counts from one midnight UTC to the next', async () => {
    const place = await placeAt(noon)
    const key = await keyIn(place, { perDay: 2 })
    expect(await takes(place, key, 3)).toBe(2)
    place.clock.ms = Date.parse('2027-01-15T23:59:59.999Z')
    expect(await takes(place, key, 1)).toBe(0)
    place.clock.ms += 1
    expect(await takes(place, key, 3)).toBe(2)
  })

  it('counts for good', async () => {
    const place = await placeAt(noon)
    const key = await keyIn(place, { total: 2 })
    expect(await takes(place, key, 3)).toBe(2)
    place.clock.ms += 400 * 24 * hour
    expect(await takes(place, key, 3)).toBe(0)
  })

  it.each<[UsageLimits, number]>([
    [{ perHour: 5, perDay: 3 }, 3],
    [{ perHour: 5, perDay: 9, total: 4 }, 4],
    [{ perHour: 2, total: 4 }, 2],
  ])('of several is the tightest, and what it refuses is counted nowhere: %j', async (limits, most) => {
    const place = await placeAt(noon)
    const key = await keyIn(place, limits)
    expect(await takes(place, key, 12)).toBe(most)
    await place.usage.close()
    expect(await place.usage.usageOf(key.id)).toMatchObject({ hour: most, day: most, total: most })
  })

  it.each<[string, UsageLimits | undefined]>([
    ['that is limited', { perHour: 9, perDay: 9, total: 9 }],
    ['that is not', undefined],
  ])('or none lets a count end with its hour and its day: of a key %s', async (_, limits) => {
    const place = await placeAt(noon + 1)
    await takes(place, await keyIn(place, limits), 1)
    await place.usage.close()
    const ends = [...place.tally.ends.values()].sort((a, b) => a - b)
    expect(ends).toEqual([noon / 1000 + 3600, noon / 1000 + 12 * 3600, 253_402_300_799, 253_402_300_799])
  })

  it('does not hold for another key', async () => {
    const place = await placeAt(noon)
    const [one, other] = [await keyIn(place, { total: 1 }), await keyIn(place, { total: 1 })]
    expect([await takes(place, one, 2), await takes(place, other, 2)]).toEqual([1, 1])
  })
})

describe('usage', () => {
  it('is known for keys without limits, by the hour, the day and in all', async () => {
    const place = await placeAt(noon)
    const key = await keyIn(place)
    expect(await place.usage.usageOf(key.id)).toEqual({ hour: 0, day: 0, total: 0, lastUsed: undefined })
    await takes(place, key, 3)
    place.clock.ms += hour
    await takes(place, key, 2)
    await place.usage.close()
    const lastUsed = (noon + hour) / 1000
    expect(await place.usage.usageOf(key.id)).toEqual({ hour: 2, day: 5, total: 5, lastUsed })
  })

  it('is known in all its windows for keys that only one of them limits', async () => {
    const place = await placeAt(noon)
    const key = await keyIn(place, { perDay: 9 })
    await takes(place, key, 3)
    await place.usage.close()
    expect(await place.usage.usageOf(key.id)).toMatchObject({ hour: 3, day: 3, total: 3, lastUsed: noon / 1000 })
  })
})

describe('usage that no limit needs to know at once', () => {
  it('is written once for many uses, without being waited for', async () => {
    const place = await placeAt(noon)
    const keys = [await keyIn(place), await keyIn(place)]
    for (const key of keys) expect(await takes(place, key, 500)).toBe(500)
    expect(place.tally.writes).toBe(0)
    await vi.waitFor(() => expect(place.tally.writes).toBe(1))
    expect(await place.usage.usageOf(keys[0]?.id ?? '')).toMatchObject({ total: 500 })
    await sleep(60)
    expect(place.tally.writes).toBe(1)
  })

  it('is kept where it cannot be written, told of once, and written when it can be', async () => {
    const place = await placeAt(noon)
    const key = await keyIn(place)
    place.tally.fails = true
    await takes(place, key, 3)
    await vi.waitFor(() => expect(place.faults).toEqual(['the uses of API keys cannot be written: frozen']))
    await sleep(60)
    await takes(place, key, 2)
    await sleep(60)
    expect(place.faults).toHaveLength(1)
    place.tally.fails = false
    await vi.waitFor(async () => expect(await place.usage.usageOf(key.id)).toMatchObject({ total: 5 }))
  })

  it('is not asked of a store that hangs twice at once', async () => {
    const place = await placeAt(noon)
    const key = await keyIn(place)
    let asked = 0
    let answer: () => void = () => undefined
    place.tally.record = async () => {
      asked += 1
      await new Promise<void>((resolve) => {
        answer = resolve
      })
    }
    await takes(place, key, 1)
    await vi.waitFor(() => expect(asked).toBe(1))
    await takes(place, key, 1)
    await sleep(80)
    expect(asked).toBe(1)
    answer()
    await vi.waitFor(() => expect(asked).toBe(2))
  })
})
