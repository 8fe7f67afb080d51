import { expect, it } from 'vitest'
import { entry, inSeconds, until } from '../state/states.ts'
import { certain, patient, replica, told, withRedis } from './redis-replicas.ts'
import { startRedis } from './redis-server.ts'

withRedis('a Redis that hangs', patient, () => {
  it('holds nobody up, and all is well once it goes on', async () => {
    const redis = await startRedis()
    const [one, other] = [await replica(redis), await replica(redis)]
    await certain(one, other)
    redis.freeze()
    const slowest = watchEventLoop()
    const before = performance.now()
    expect(await one.ledger.add(entry('a'))).toEqual({ shared: false })
    await expect(one.tally.count('k', 1, inSeconds(60))).rejects.toThrow('no answer within 300 ms')
    await expect(one.tally.once('u', inSeconds(60))).rejects.toThrow(/^Redis at /)
    await expect(one.tally.counts(['k'])).rejects.toThrow(/^Redis at /)
    expect(performance.now() - before).toBeLessThan(4000)
    await until(() => one.ledger.uncertainForMs() > 2000, 'it is uncertain, and ever longer')
    expect(slowest()).toBeLessThan(2000)
    expect(other.told).toEqual([])
    redis.thaw()
    await told('a', other)
    await certain(one, other)
  })

  it('does not keep a new replica from its work', async () => {
    const redis = await startRedis()
    redis.freeze()
    const before = performance.now()
    const state = await replica(redis)
    expect(performance.now() - before).toBeLessThan(5000)
    expect(await state.ledger.add(entry('a'))).toEqual({ shared: false })
    expect(state.ledger.uncertainForMs()).toBe(Number.POSITIVE_INFINITY)
    redis.thaw()
    await certain(state)
  })
})

/** The longest time in milliseconds for which the event loop did nothing else. */
function watchEventLoop(): () => number {
  let [last, slowest] = [performance.now(), 0]
  const timer = setInterval(() => {
    slowest = Math.max(slowest, performance.now() - last)
    last = performance.now()
  }, 5)
  return () => {
    clearInterval(timer)
    return slowest
  }
}
