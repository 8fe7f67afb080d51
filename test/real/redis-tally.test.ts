import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { hasCounted, hasUsed, inSeconds, type Peer, startPeer, stateFile } from '../state/states.ts'
import { patient, prefix, replica, withRedis } from './redis-replicas.ts'
import { startRedis } from './redis-server.ts'

/** A replica in a process of its own. */
async function far(url: string): Promise<Peer> {
  return await startPeer({ file: await stateFile(), named: true, redis: { url, prefix } })
}

withRedis('the tally in Redis', patient, () => {
  it('counts exactly for processes of two hosts, never beyond the limit', async () => {
    const redis = await startRedis()
    const peers = [await far(redis.url), await far(redis.url)]
    for (const peer of peers) peer.ask({ count: { key: 'k', limit: 130, until: inSeconds(60), times: 100 } })
    const counted = (await Promise.all(peers.map(async (peer) => await peer.says(hasCounted)))).flatMap(
      (said) => said.counted,
    )
    expect(counted.filter((uses) => uses === false)).toHaveLength(70)
    const uses = counted.filter((count) => count !== false).toSorted((one, other) => one - other)
    expect(uses).toEqual(Array.from({ length: 130 }, (_, index) => index + 1))
  })

  it('gives a single use to one of them alone', async () => {
    const redis = await startRedis()
    const peers = [await far(redis.url), await far(redis.url)]
    const keys = Array.from({ length: 50 }, (_, index) => `jti-${index}`)
    for (const peer of peers) peer.ask({ once: { keys, until: inSeconds(60) } })
    const [one, other] = await Promise.all(peers.map(async (peer) => (await peer.says(hasUsed)).first))
    for (const index of keys.keys()) expect([one?.[index], other?.[index]].filter(Boolean)).toHaveLength(1)
  })
})

withRedis('counts that Redis may lose', patient, () => {
  it('go on where they were after a Redis that came back empty', async () => {
    const redis = await startRedis()
    const { tally } = await replica(redis)
    const end = inSeconds(60)
    expect([await tally.count('k', 3, end), await tally.count('k', 3, end)]).toEqual([1, 2])
    await redis.command('FLUSHALL')
    expect([await tally.count('k', 3, end), await tally.count('k', 3, end)]).toEqual([3, false])
    await redis.command('FLUSHALL')
    expect(await tally.count('k', 3, end)).toBe(false)
  })
})

withRedis('the memory of Redis', patient, () => {
  it('records what happened already, and never beyond its end', async () => {
    const redis = await startRedis()
    const { tally } = await replica(redis)
    const end = inSeconds(60)
    await tally.record([
      { key: 'a', until: end, add: 2 },
      { key: 'b', until: end, atLeast: 1_800_000_000 },
      { key: 'over', until: inSeconds(-1), add: 1 },
    ])
    await tally.record([
      { key: 'a', until: end, add: 3 },
      { key: 'b', until: end, atLeast: 1_700_000_000 },
    ])
    expect(await tally.counts(['a', 'b', 'over'])).toEqual([5, 1_800_000_000, 0])
    expect(await tally.count('a', 6, end)).toBe(6)
  })

  it('forgets what is over', async () => {
    const redis = await startRedis()
    const { tally } = await replica(redis)
    const end = inSeconds(0.4)
    expect(await tally.count('k', 1, end)).toBe(1)
    expect(await tally.count('k', 1, inSeconds(60))).toBe(false)
    expect(await tally.once('u', end)).toBe(true)
    expect(await tally.counts(['k', 'none'])).toEqual([1, 0])
    expect(await tally.counts([])).toEqual([])
    await sleep(450)
    expect(await tally.count('k', 1, end)).toBe(false)
    expect(await tally.once('u', end)).toBe(false)
    expect(await tally.counts(['k'])).toEqual([0])
    expect(await redis.command('KEYS', '*')).toEqual([])
    expect(await tally.count('k', 1, inSeconds(60))).toBe(1)
    expect(await tally.once('u', inSeconds(60))).toBe(true)
  })
})
