import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import {
  delaysMs,
  entriesOf,
  entry,
  hasAdded,
  inSeconds,
  medianOf,
  open,
  startPeer,
  stateFile,
  until,
} from '../state/states.ts'
import { certain, patient, prefix, replica, told, uncertain, withRedis } from './redis-replicas.ts'
import { startRedis } from './redis-server.ts'

withRedis('replicas that share a Redis', patient, () => {
  it('tell each other what they are told, and a new one everything', async () => {
    const redis = await startRedis()
    const [one, other] = [await replica(redis), await replica(redis)]
    await certain(one, other)
    expect(await one.ledger.add(entry('a', { until: inSeconds(60) }))).toEqual({ shared: true })
    expect(await other.ledger.add(entry('b', { type: 'api-key', body: { nested: [{ '1': null }] } }))).toEqual({
      shared: true,
    })
    await told('b', one)
    await told('a', other)
    const third = await replica(redis)
    expect(third.told.toSorted()).toEqual(['a', 'b'])
    expect(entriesOf(third)).toEqual(entriesOf(one))
    expect(entriesOf(other)).toEqual(entriesOf(one))
    expect([one, other, third].flatMap(({ faults, warnings }) => [...faults, ...warnings])).toEqual([])
  })

  it('keep to their own prefix', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    const stranger = await open({ file: await stateFile(), redis: { url: redis.url, prefix: 'other:' } })
    await one.ledger.add(entry('a'))
    expect(await one.tally.once('u', inSeconds(60))).toBe(true)
    expect(await one.tally.count('c', 9, inSeconds(60))).toBe(1)
    expect(await stranger.tally.once('u', inSeconds(60))).toBe(true)
    expect(await stranger.tally.counts(['c'])).toEqual([0])
    expect(stranger.told).toEqual([])
    const keys = (await redis.command('KEYS', '*')) as readonly string[]
    expect(keys.toSorted()).toEqual(['other:once:u', 'test:changes', 'test:count:c', 'test:ledger', 'test:once:u'])
  })
})

withRedis('replicas of a host', patient, () => {
  it('need a Redis for nothing that they have been told', async () => {
    const redis = await startRedis()
    const file = await stateFile()
    const one = await replica(redis, file)
    await (await replica(redis)).ledger.add(entry('a'))
    await told('a', one)
    await one.close()
    await redis.kill()
    const again = await replica(redis, file)
    expect(again.told).toEqual(['a'])
    expect(again.ledger.uncertainForMs()).toBe(Number.POSITIVE_INFINITY)
    expect(again.faults).toEqual([
      expect.stringMatching(/^Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be followed: .*ECONNREFUSED/),
    ])
    await redis.start()
    await certain(again)
    expect(await redis.command('HKEYS', 'test:ledger')).toEqual(['a'])
  })

  it('share what another process of the host added that knows of no Redis', async () => {
    const redis = await startRedis()
    const file = await stateFile()
    const [one, far] = [await replica(redis, file), await replica(redis)]
    const local = await open({ file })
    await local.ledger.add(entry('from the command line'))
    await told('from the command line', one, far)
  })
})

withRedis('replicas in processes of their own', patient, () => {
  it('are told within a tenth of a second', async () => {
    const redis = { url: (await startRedis()).url, prefix }
    const [one, other] = await Promise.all(
      [1, 2].map(async () => await startPeer({ file: await stateFile(), named: true, redis })),
    )
    expect(medianOf(await delaysMs(one, other))).toBeLessThan(100)
  })

  it('are told everything once they go on, however long they were held', async () => {
    const redis = await startRedis()
    const file = await stateFile()
    const held = await startPeer({ file: await stateFile(), named: true, redis: { url: redis.url, prefix } })
    const one = await replica(redis)
    held.freeze()
    await (await open({ file })).close()
    const ids = Array.from({ length: 5000 }, (_, index) => `n${index}`)
    write(file, ids)
    await replica(redis, file)
    await until(() => one.told.length === ids.length, 'every one is told', 30_000)
    held.thaw()
    await until(
      () => held.said.flatMap((said) => ('told' in said ? said.told : [])).length >= ids.length,
      'it is told',
      30_000,
    )
    expect(new Set(held.said.flatMap((said) => ('told' in said ? said.told : [])))).toEqual(new Set(ids))
  })
})

/** Writes entries into a state file, all at once. */
function write(file: string, ids: readonly string[]): void {
  const database = new DatabaseSync(file)
  const insert = database.prepare("INSERT INTO ledger (id, type, body) VALUES (?, 'revocation', '{}')")
  database.exec('BEGIN')
  for (const id of ids) insert.run(id)
  database.exec('COMMIT')
  database.close()
}

withRedis('replicas whose Redis dies and comes back empty', patient, () => {
  it('end with everything, also what each was told meanwhile', async () => {
    const redis = await startRedis()
    const [one, other] = [await replica(redis), await replica(redis)]
    await one.ledger.add(entry('before'))
    await told('before', other)
    await redis.kill()
    expect(await one.ledger.add(entry('one'))).toEqual({ shared: false })
    expect(await other.ledger.add(entry('other'))).toEqual({ shared: false })
    expect(one.told).toEqual(['before', 'one'])
    await uncertain(one, other)
    await expect(one.tally.count('k', 1, inSeconds(60))).rejects.toThrow(/^Redis at redis:\/\/127\.0\.0\.1:\d+: /)
    await redis.start()
    await told('other', one)
    await told('one', other)
    await certain(one, other)
    const third = await replica(redis)
    await until(() => third.told.length === 3, 'a new replica is told everything')
    expect(entriesOf(third).map(({ id }) => id)).toEqual(['before', 'one', 'other'])
    expect(await one.tally.count('k', 1, inSeconds(60))).toBe(1)
    await until(() => one.warnings.some((text) => text.endsWith(' is followed again')), 'it says so')
  })

  it('do not allow a single use a second time where the first one was', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    expect(await one.tally.once('u', inSeconds(60))).toBe(true)
    await redis.command('FLUSHALL')
    expect(await one.tally.once('u', inSeconds(60))).toBe(false)
  })
})

withRedis('replicas whose Redis forgets', patient, () => {
  it('catch up where one process was killed meanwhile', async () => {
    const redis = await startRedis()
    const file = await stateFile()
    const peer = await startPeer({ file, named: true, redis: { url: redis.url, prefix } })
    peer.ask({ addForEver: 'n' })
    await peer.says(hasAdded('n30'))
    await redis.kill()
    const sofar = peer.said.length
    await until(() => peer.said.length > sofar + 20, 'it goes on alone')
    await peer.kill()
    await redis.start()
    const acknowledged = peer.said.flatMap((said) => ('added' in said ? [said.added] : []))
    const [again, other] = [await replica(redis, file), await replica(redis)]
    await until(() => acknowledged.every((id) => other.told.includes(id)), 'the other one is told all of it')
    expect(again.told).toEqual(expect.arrayContaining(acknowledged))
  })

  it('give it again what it has lost, also where the connection never broke', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    await one.ledger.add(entry('a'))
    await redis.command('FLUSHALL')
    await one.ledger.add(entry('b'))
    await until(() => one.ledger.uncertainForMs() === 0, 'it is certain')
    const late = await open({ file: await stateFile(), redis: { url: redis.url, prefix } })
    await told('a', late)
  })
})
