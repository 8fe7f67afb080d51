import { expect, it } from 'vitest'
import { entriesOf, entry, inSeconds, open, stateFile, until } from '../state/states.ts'
import { certain, patient, replica, told, withRedis } from './redis-replicas.ts'
import { startRedis } from './redis-server.ts'

withRedis('what somebody else writes into Redis', patient, () => {
  it('is left out and named, in the hash and in the stream', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    await one.ledger.add(entry('a'))
    const valid = JSON.stringify(entry('b'))
    const garbage = [
      '{',
      '[]',
      JSON.stringify({ ...entry('c'), type: 'grant' }),
      JSON.stringify(entry('d', { body: { text: 'x'.repeat(17_000) } })),
      valid,
    ]
    for (const [index, text] of garbage.entries()) await redis.command('HSET', 'test:ledger', `garbage ${index}`, text)
    for (const text of garbage.slice(0, 4)) await redis.command('XADD', 'test:changes', '*', 'entry', text)
    await redis.command('XADD', 'test:changes', '*', 'nothing', 'of use')
    await redis.command('HSET', 'test:ledger', 'b', valid)
    await redis.command('XADD', 'test:changes', '*', 'entry', valid)
    await told('b', one)
    expect(one.faults).toHaveLength(5)
    expect(one.faults[0]).toMatch(/^Redis at redis:\S+: message [\d-]+ is left out: it is no JSON object$/)
    const other = await replica(redis)
    await told('b', one, other)
    expect(entriesOf(other).map(({ id }) => id)).toEqual(['a', 'b'])
    expect(other.faults).toHaveLength(5)
    expect(other.faults).toContainEqual(
      expect.stringMatching(/: field `garbage 4` is left out: the entry has another id$/),
    )
    await certain(one, other)
  })
})

withRedis('what is in the way in Redis', patient, () => {
  it('gives way to the entry that it stands in the place of', async () => {
    const redis = await startRedis()
    const file = await stateFile()
    const before = await open({ file })
    await before.ledger.add(entry('a'))
    await redis.command('HSET', 'test:ledger', 'a', 'nonsense')
    const one = await replica(redis, file)
    expect(one.faults).toHaveLength(1)
    await told('a', await replica(redis))
  })

  it('makes a replica uncertain where it is in the way of the stream', async () => {
    const redis = await startRedis()
    await redis.command('SET', 'test:changes', 'in the way')
    const one = await replica(redis)
    expect(one.ledger.uncertainForMs()).toBe(Number.POSITIVE_INFINITY)
    expect(one.faults).toEqual([expect.stringMatching(/cannot be followed: WRONGTYPE /)])
    await redis.command('DEL', 'test:changes')
    await certain(one)
  })

  it('does not bring back what is over', async () => {
    const redis = await startRedis()
    const over = entry('over', { until: inSeconds(-3600) })
    await redis.command('HSET', 'test:ledger', 'over', JSON.stringify(over))
    const one = await replica(redis)
    expect(one.told).toEqual([])
    await until(() => one.ledger.uncertainForMs() === 0, 'it is certain')
    expect(await redis.command('HLEN', 'test:ledger')).toBe(0)
  })
})

withRedis('a Redis that takes nothing', patient, () => {
  it('is read all the same, and given what it lacks once it takes it', async () => {
    const redis = await startRedis()
    const [one, other] = [await replica(redis), await replica(redis)]
    await redis.command('CONFIG', 'SET', 'maxmemory', '1')
    expect(await one.ledger.add(entry('a'))).toEqual({ shared: false })
    expect(one.faults).toContainEqual(expect.stringMatching(/^Redis at redis:\S+ takes no entries: .*(OOM|maxmemory)/))
    await expect(one.tally.count('k', 1, inSeconds(60))).rejects.toThrow(/OOM|maxmemory/)
    await certain(one, other)
    await redis.command('CONFIG', 'SET', 'maxmemory', '0')
    await told('a', other)
    await until(() => one.warnings.some((text) => text.endsWith(' takes entries again')), 'it says so')
  })
})

withRedis('the address of Redis', patient, () => {
  it('may be a socket file', async () => {
    const socket = (await stateFile()).replace('kept/state.db', 'redis.sock')
    await startRedis('--unixsocket', socket)
    const one = await replica({ url: `redis+unix://${socket}` })
    expect(await one.ledger.add(entry('a'))).toEqual({ shared: true })
  })

  it('may hold a password, which no message repeats', async () => {
    const redis = await startRedis('--requirepass', 's3cret word')
    const url = redis.url.replace('//', '//:s3cret%20word@')
    expect(await (await replica({ url })).ledger.add(entry('a'))).toEqual({ shared: true })
    const wrong = await replica({ url: redis.url.replace('//', '//:wr0ng%20word@') })
    expect(wrong.faults).toEqual([
      expect.stringMatching(/^Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be followed: WRONGPASS /),
    ])
    await expect(wrong.tally.once('u', inSeconds(60))).rejects.toThrow(/^Redis at redis:\/\/127\.0\.0\.1:\d+: /)
    expect(JSON.stringify([wrong.faults, wrong.warnings])).not.toMatch(/wr0ng/)
  })

  it('leaves a replica uncertain where the other side speaks no TLS', async () => {
    const one = await replica({ url: (await startRedis()).url.replace('redis:', 'rediss:') })
    expect(one.ledger.uncertainForMs()).toBe(Number.POSITIVE_INFINITY)
    expect(one.faults).toEqual([expect.stringMatching(/^Redis at rediss:\S+ cannot be followed: /)])
  })

  it.each(['redis://127.0.0.1/x', 'redis://:%zz@127.0.0.1', 'http://127.0.0.1'])(
    'is refused where it is none: %s',
    async (url) => {
      await expect(replica({ url })).rejects.toThrow(/^the address of Redis cannot be used: /)
    },
  )
})
