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
