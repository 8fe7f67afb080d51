import { expect, it, onTestFinished } from 'vitest'
import { connectRedis } from '../../src/state/redis-client.ts'
import { createRedisEntries, type RedisEntries } from '../../src/state/redis-entries.ts'
import { entry } from '../state/states.ts'
import { patient, prefix, withRedis } from './redis-replicas.ts'
import { startRedis } from './redis-server.ts'

async function entriesInRedis(): Promise<RedisEntries> {
  const connections = await connectRedis({ url: (await startRedis()).url, prefix })
  onTestFinished(connections.close)
  await connections.answered
  return createRedisEntries(connections, prefix)
}

const many = (count: number, name: string) => Array.from({ length: count }, (_, index) => entry(`${name}${index}`))

withRedis('the stream in Redis', patient, () => {
  it('tells what came after a position, and that nothing can have been cut before it', async () => {
    const entries = await entriesInRedis()
    const start = await entries.end()
    await entries.put(many(3, 'a'))
    const first = await entries.changesAfter(start)
    expect(first).toMatchObject({ entries: many(3, 'a'), faults: [], cut: false })
    await entries.put([...many(3, 'a'), entry('b')])
    expect((await entries.changesAfter(first.position)).entries).toEqual([entry('b')])
    expect(await entries.changesAfter(await entries.end())).toMatchObject({ entries: [], cut: false })
  })

  it('says that it may have been cut where more came than is read at once', async () => {
    const entries = await entriesInRedis()
    const start = await entries.end()
    await entries.put(many(5000, 'a'))
    expect((await entries.changesAfter(start)).cut).toBe(true)
    expect(await entries.count()).toBe(5000)
    const all = new Set<string>()
    for await (const found of entries.all()) for (const { id } of found.entries) all.add(id)
    expect(all.size).toBe(5000)
  })
})
