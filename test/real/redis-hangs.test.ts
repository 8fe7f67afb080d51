import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
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

withRedis('a connection to Redis that is dead and does not say so', patient, () => {
  it('is given up for a new one', async () => {
    const redis = await startRedis()
    const line = await startLine(Number(new URL(redis.url).port))
    const [one, other] = [await replica({ url: `redis://127.0.0.1:${line.port}` }), await replica(redis)]
    await certain(one, other)
    line.cut()
    await other.ledger.add(entry('a'))
    await told('a', one)
    await certain(one)
    await one.ledger.add(entry('b'))
    await told('b', other)
    expect(await one.tally.once('u', inSeconds(60))).toBe(true)
  })
})

withRedis('connections to Redis', patient, () => {
  it('are kept while nothing happens', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    await sleep(4000)
    const [, connections] =
      /^total_connections_received:(\d+)/m.exec(String(await redis.command('INFO', 'stats'))) ?? []
    // Two, the one that asks, and one that a busy machine may have lost. A new one each second would make six.
    expect(Number(connections)).toBeLessThan(5)
    await certain(one)
  })
})

/** A line to a port. Cut, connections that there are carry nothing any more, and stay open; new ones do. */
async function startLine(target: number): Promise<{ readonly port: number; cut(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const cut = (): void => {
    for (const socket of sockets) socket.unpipe().pause()
  }
  return { port: (server.address() as AddressInfo).port, cut }
}

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
