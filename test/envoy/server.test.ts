import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Client, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/authorizer/attempt.ts'
import { createEnvoyDoor, type EnvoyDoor, type EnvoyDoorOptions } from '../../src/envoy/server.ts'
import { bearerGood, recording, seesNothing, strict } from './authorizers.ts'
import { abortable, check, connect, unary, watchHealth } from './clients.ts'
import {
  decodeCheckResponse,
  decodeHealthResponse,
  encodeHealthRequest,
  headersOf,
  post,
  statusCode,
} from './messages.ts'

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }
const good = post(call)

const doors: EnvoyDoor[] = []
const clients: Client[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await Promise.all(doors.splice(0).map((door) => door.drain({ deadlineMs: 0 })))
})

async function open(options: Partial<EnvoyDoorOptions> = {}): Promise<{ door: EnvoyDoor; client: Client }> {
  const door = await createEnvoyDoor({ authorizer: recording(), read: strict, address: '127.0.0.1:0', ...options })
  doors.push(door)
  return { door, client: dial(door) }
}

function dial(door: EnvoyDoor, options = {}): Client {
  const client = connect(door.address, options)
  clients.push(client)
  return client
}

/** An authorizer whose answers wait until they are let go. */
function held() {
  const { promise, resolve: release } = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  return {
    release,
    asked: asked.promise,
    authorizer: {
      visible: seesNothing,
      async authorize(attempt: Parameters<typeof bearerGood>[0]): Promise<Outcome> {
        asked.resolve()
        await promise
        return bearerGood(attempt)
      },
    },
  }
}

describe('a check over gRPC', () => {
  it('is allowed with the capability token', async () => {
    const { client } = await open()
    const reply = await check(client, good)
    expect(statusCode(reply)).toBe(0)
    expect(headersOf(reply)).toEqual({ 'x-mcp-authorized': 'minted.token.here' })
  })

  it('is denied in a gRPC OK', async () => {
    const { client } = await open()
    const reply = await check(client, post(call, { headers: { authorization: 'Bearer bad' } }))
    expect(statusCode(reply)).toBe(16)
    expect(decodeCheckResponse(reply).denied_response?.status.code).toBe(401)
  })

  it.each([
    ['no bytes', Buffer.alloc(0)],
    ['random bytes', randomBytes(5000)],
    ['a message cut short', good.subarray(0, good.length - 3)],
    ['a string that is not UTF-8', Buffer.from(good.toString('latin1').replace('POST', 'P\xff\xfeT'), 'latin1')],
  ])('is denied in a gRPC OK for %s', async (_name, bytes) => {
    const { client } = await open()
    expect(statusCode(await check(client, bytes))).toBe(7)
  })

  it('is denied in a gRPC OK when the authorizer throws', async () => {
    const authorize = () => {
      throw new Error('boom')
    }
    const { client } = await open({ authorizer: { authorize, visible: seesNothing } })
    expect(statusCode(await check(client, good))).toBe(7)
  })
})

describe('a large check', () => {
  it('is decided with 60 KiB in one header', async () => {
    const { client } = await open()
    const reply = await check(client, post(call, { headers: { cookie: 'c'.repeat(61_440) } }))
    expect(statusCode(reply)).toBe(0)
  })

  it('is denied, not failed, for a body just over the limit', async () => {
    const { client } = await open({ read: { ...strict, maxBodyBytes: 10_000 } })
    const reply = await check(client, post({ ...call, params: { name: 'a', arguments: { a: 'b'.repeat(10_000) } } }))
    expect(decodeCheckResponse(reply).denied_response?.status.code).toBe(413)
  })

  it('is denied, not failed, for a body of many times the limit', async () => {
    const { client } = await open({ read: { ...strict, maxBodyBytes: 10_000 } })
    const reply = await check(client, post(call, { raw_body: Buffer.alloc(16 * 1024 * 1024, 'b') }))
    expect(decodeCheckResponse(reply).denied_response?.status.code).toBe(413)
  })

  it('takes a body of the default limit', async () => {
    const { client } = await open()
    const filler = 'b'.repeat(strict.maxBodyBytes - 200)
    const reply = await check(client, post({ ...call, params: { name: 'a', arguments: { a: filler } } }))
    expect(statusCode(reply)).toBe(0)
  })
})

it('checks go on for others while 2400 are aborted on their connection', { timeout: 60_000 }, async () => {
  const authorizer = {
    visible: seesNothing,
    async authorize(attempt: Parameters<typeof bearerGood>[0]): Promise<Outcome> {
      await nextTurn()
      return bearerGood(attempt)
    },
  }
  const { client } = await open({ authorizer })
  const codes = new Set<unknown>()
  let storming = true
  const honest = Array.from({ length: 4 }, async () => {
    while (storming) codes.add(await check(client, good).then(statusCode, (error: unknown) => error))
  })
  for (let round = 0; round < 60; round++) {
    const calls = Array.from({ length: 40 }, () => abortable(client, good))
    await nextTurn()
    for (const { call } of calls) call.cancel()
    await Promise.all(calls.map(({ ended }) => ended))
  }
  storming = false
  await Promise.all(honest)
  expect([...codes]).toEqual([0])
})

describe('health', () => {
  const authorization = 'envoy.service.auth.v3.Authorization'
  const ask = async (client: Client, service: string) =>
    decodeHealthResponse(await unary(client, '/grpc.health.v1.Health/Check', encodeHealthRequest(service)))

  it.each(['', authorization])('of %j follows setServing', async (service) => {
    const { door, client } = await open()
    expect(await ask(client, service)).toBe('SERVING')
    door.setServing(false)
    expect(await ask(client, service)).toBe('NOT_SERVING')
    door.setServing(true)
    expect(await ask(client, service)).toBe('SERVING')
  })

  it.each(['other', '__proto__'])('of %s is NOT_FOUND', async (service) => {
    const { client } = await open()
    await expect(ask(client, service)).rejects.toMatchObject({ code: status.NOT_FOUND })
  })

  it('of garbage is INVALID_ARGUMENT', async () => {
    const { client } = await open()
    const garbage = unary(client, '/grpc.health.v1.Health/Check', Buffer.from([10, 9]))
    await expect(garbage).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
  })

  it('can be watched, and says each change once', async () => {
    const { door, client } = await open()
    const watch = watchHealth(client, encodeHealthRequest(''))
    const seen: (string | undefined)[] = []
    const next = async () => seen.push(decodeHealthResponse((await once(watch, 'data'))[0]))
    await next()
    door.setServing(true)
    door.setServing(false)
    await next()
    door.setServing(true)
    await next()
    expect(seen).toEqual(['SERVING', 'NOT_SERVING', 'SERVING'])
    watch.on('error', () => {}).cancel()
  })

  it('watched of an unknown service is SERVICE_UNKNOWN', async () => {
    const { client } = await open()
    const watch = watchHealth(client, encodeHealthRequest('other')).on('error', () => {})
    expect(decodeHealthResponse((await once(watch, 'data'))[0])).toBe('SERVICE_UNKNOWN')
    watch.cancel()
  })
})

describe('drain', () => {
  it('says NOT_SERVING and still answers new checks while Envoy takes notice', async () => {
    const { door, client } = await open()
    const watch = watchHealth(client, encodeHealthRequest(''))
    await once(watch, 'data')
    const drained = door.drain({ deadlineMs: 5000, noticeMs: 300 })
    expect(decodeHealthResponse((await once(watch, 'data'))[0])).toBe('NOT_SERVING')
    door.setServing(true)
    expect(statusCode(await check(client, good))).toBe(0)
    const health = unary(client, '/grpc.health.v1.Health/Check', encodeHealthRequest(''))
    expect(decodeHealthResponse(await health)).toBe('NOT_SERVING')
    await Promise.all([drained, once(watch, 'end')])
    await expect(check(client, good)).rejects.toMatchObject({ code: status.UNAVAILABLE })
  })

  it('answers the check in flight', async () => {
    const { authorizer, asked, release } = held()
    const { door, client } = await open({ authorizer })
    const reply = check(client, good)
    await asked
    const drained = door.drain({ deadlineMs: 5000, noticeMs: 0 })
    await nextTurn()
    release()
    expect(statusCode(await reply)).toBe(0)
    await drained
  })

  it('cuts off what still runs at the deadline', async () => {
    const { authorizer, asked } = held()
    const { door, client } = await open({ authorizer })
    const reply = expect(check(client, good)).rejects.toHaveProperty('code')
    await asked
    await door.drain({ deadlineMs: 50, noticeMs: 0 })
    await reply
  })

  it('is done once, however often it is asked for', async () => {
    const { door } = await open()
    await Promise.all([door.drain({ deadlineMs: 100 }), door.drain({ deadlineMs: 100 })])
    await door.drain({ deadlineMs: 100 })
  })
})

describe('the address', () => {
  it('names the port that was bound', async () => {
    expect((await open()).door.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
  })

  it('may be IPv6', async () => {
    const { door, client } = await open({ address: '[::1]:0' })
    expect(door.address).toMatch(/^\[::1\]:[1-9]\d*$/)
    expect(statusCode(await check(client, good))).toBe(0)
  })

  it('that is in use is named in the error', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(open({ address: `127.0.0.1:${port}` })).rejects.toThrow(`\`127.0.0.1:${port}\``)
    other.close()
  })

  it.each(['', '9191', ':9191', 'localhost', '127.0.0.1:', '127.0.0.1:65536', '::1:9191', 'unix:', 'http://a:1'])(
    'that is %j is refused',
    async (address) => {
      await expect(open({ address })).rejects.toThrow(TypeError)
    },
  )
})
