import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inSeconds } from '../state/states.ts'
import { patient, replica, withRedis } from './redis-replicas.ts'
import { startRedis } from './redis-server.ts'

withRedis('bindings in Redis', patient, () => {
  it('belong to the first until they end, on every replica', async () => {
    const redis = await startRedis()
    const [one, other] = [(await replica(redis)).bindings, (await replica(redis)).bindings]
    expect(await one.bind('k', 'alice', inSeconds(1))).toBe('alice')
    expect(await other.bind('k', 'bob', inSeconds(60))).toBe('alice')
    expect(await other.bound(['none', 'k'])).toEqual([undefined, 'alice'])
    expect(await other.bound([])).toEqual([])
    await sleep(1100)
    expect(await one.bound(['k'])).toEqual([undefined])
    expect(await other.bind('k', 'bob', inSeconds(60))).toBe('bob')
    await expect(one.bind('over', 'alice', inSeconds(-1))).rejects.toThrow('later than now')
  })

  it('are neither made nor known while it is away', async () => {
    const redis = await startRedis()
    const { bindings } = await replica(redis)
    await bindings.bind('k', 'alice', inSeconds(60))
    await redis.kill()
    await expect(bindings.bind('k', 'alice', inSeconds(60))).rejects.toThrow('Redis at ')
    await expect(bindings.bound(['k'])).rejects.toThrow('Redis at ')
  })
})
