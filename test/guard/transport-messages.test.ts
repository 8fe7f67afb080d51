import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard, type Guard, type TransportGuardOptions } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'

let place: Place
let guard: Guard
let alice: string
const faults: string[] = []

beforeAll(async () => {
  place = await makePlace()
  guard = await createGuard({ config: place.config, onFault: (_, cause) => void faults.push(cause) })
  alice = await place.token('alice', { roles: ['meteorologist'] })
})
afterAll(async () => {
  await guard.close()
  await place.remove()
})

/** A transport of no SDK: what is received is called by hand, what is sent is kept. */
class Wire {
  readonly sent: unknown[] = []
  onmessage?: ((message: unknown, extra?: unknown) => void) | undefined
  onclose?: (() => void) | undefined
  async start(): Promise<void> {}
  async send(message: unknown, _options?: unknown): Promise<void> {
    this.sent.push(message)
  }
  async close(): Promise<void> {
    this.onclose?.()
  }
}

interface Line {
  readonly wire: Wire
  readonly guarded: Wire
  /** Messages that the server got, with what came beside them. */
  readonly got: (readonly [message: unknown, extra: unknown])[]
  /** Hands messages in, and waits until each is delivered or answered. */
  receive(...messages: readonly unknown[]): Promise<void>
}

function connect(options: TransportGuardOptions = { credential: alice }, extra?: unknown): Line {
  const wire = new Wire()
  const guarded = guard.transport(wire, options)
  const got: (readonly [unknown, unknown])[] = []
  guarded.onmessage = (message, beside) => void got.push([message, beside])
  return {
    wire,
    guarded,
    got,
    async receive(...messages) {
      for (const message of messages) wire.onmessage?.(message, extra)
      const before = got.length
      wire.onmessage?.({ jsonrpc: '2.0', id: 'last', method: 'ping' })
      const isOver = () => got.length > before && isPing(got.at(-1)?.[0])
      await expect.poll(() => isOver() || wire.sent.some(isLast), { timeout: 5000 }).toBe(true)
      if (isOver()) got.pop()
    },
  }
}

const isPing = (message: unknown) => (message as { method?: unknown }).method === 'ping'
const isLast = (message: unknown) => (message as { id?: unknown }).id === 'last'

function call(name: string, id: number | string = 1): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } }
}

describe('a message that comes', () => {
  it('reaches the server where it is allowed, in the order in which it came', async () => {
    const { got, receive } = connect()
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }
    await receive(call('weather_alerts'), cancel, call('weather_forecast', 2))
    expect(got.map(([message]) => message)).toEqual([call('weather_alerts'), cancel, call('weather_forecast', 2)])
  })

  it('is answered with the reason where it is denied, and a notification with nothing', async () => {
    const { got, wire, receive } = connect()
    await receive(call('files_wipe'), { jsonrpc: '2.0', method: 'tools/call', params: { name: 'files_wipe' } })
    expect(got).toEqual([])
    expect(wire.sent).toMatchObject([{ id: 1, error: { code: 403, data: { reason: 'role_missing' } } }])
  })

  it('is denied where the credential cannot be had', async () => {
    const broken = () => Promise.reject(new Error('the vault is shut'))
    const { got, wire, receive } = connect({ credential: broken })
    await receive(call('weather_alerts'))
    expect([got, wire.sent[0]]).toMatchObject([[], { error: { code: 503, data: { reason: 'policy_error' } } }])
    expect(faults.join()).toContain('the vault is shut')
  })

  it('is denied without any credential, also where none is asked for', async () => {
    const { got, wire, receive } = connect({})
    await receive(call('weather_alerts'))
    expect([got, wire.sent[0]]).toMatchObject([[], { error: { code: 401, data: { reason: 'token_missing' } } }])
  })
})

describe('a message that comes by HTTP', () => {
  it('is refused with all that came in one request, where batches are', async () => {
    const { got, wire, receive } = connect({}, { requestInfo: { headers: { authorization: `Bearer ${alice}` } } })
    await receive(call('weather_alerts'), call('weather_forecast', 2))
    const error = { data: { reason: 'batch_refused' } }
    expect([got, wire.sent.slice(0, 2)]).toMatchObject([
      [],
      [
        { id: 1, error },
        { id: 2, error },
      ],
    ])
  })

  it('brings no header to the server that only insiders may say', async () => {
    const headers = { authorization: `Bearer ${alice}`, 'x-mcp-verified-sub': 'root', accept: 'a' }
    const v1 = connect({}, { requestInfo: { headers, url: 'http://mcp.test/' } })
    await v1.receive(call('weather_alerts'))
    const { authorization, accept } = headers
    expect(v1.got[0]?.[1]).toEqual({ requestInfo: { headers: { authorization, accept }, url: 'http://mcp.test/' } })
    const v2 = connect({}, { request: new Request('http://mcp.test/', { method: 'POST', headers }) })
    await v2.receive(call('weather_alerts'))
    const { request } = Object(v2.got[0]?.[1]) as { request: Request }
    expect([request.headers.get('x-mcp-verified-sub'), request.headers.get('accept')]).toEqual([null, 'a'])
  })

  it('is held against its headers', async () => {
    const headers = { authorization: `Bearer ${alice}`, 'mcp-method': 'tools/list' }
    const { got, wire, receive } = connect({}, { requestInfo: { headers } })
    await receive(call('weather_alerts'))
    expect([got, wire.sent[0]]).toMatchObject([[], { error: { code: -32020 } }])
  })
})

describe('any message', () => {
  it('never reaches the server where it is denied, whatever it is', async () => {
    const { got, wire, receive } = connect()
    const params = fc.record(
      { name: fc.constantFrom('files_wipe', 'weather_alertsx', 7), Name: fc.string() },
      { requiredKeys: [] },
    )
    const method = fc.constantFrom('tools/call', 'Tools/Call', 'tasks/list', 'no/such')
    const id = fc.oneof(fc.integer(), fc.string(), fc.constant(null))
    const message = fc.record(
      { jsonrpc: fc.constantFrom('2.0', '1.0'), id, method, params },
      { requiredKeys: ['method'] },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(message, fc.jsonValue()), { maxLength: 5 }), async (messages) => {
        wire.sent.length = 0
        await receive(...messages)
        expect(got.splice(0)).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
})

describe('a message that goes', () => {
  const tools = ['weather_alerts', 'files_wipe'].map((name) => ({ name }))
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

  it('has its lists cut, once it is the answer to a request', async () => {
    const { guarded, wire, receive } = connect()
    await receive(list)
    await guarded.send({ jsonrpc: '2.0', id: 1, result: { tools, nextCursor: 'c' } })
    expect(wire.sent).toEqual([{ jsonrpc: '2.0', id: 1, result: { tools: tools.slice(0, 1), nextCursor: 'c' } }])
  })

  it('is no list where nobody asked for it, or a second time', async () => {
    const { guarded, wire, receive } = connect()
    await receive(list)
    const answer = { jsonrpc: '2.0', id: 1, result: { tools } }
    for (const id of [2, '1', 1, 1]) await guarded.send({ ...answer, id })
    expect(wire.sent.map((message) => 'result' in Object(message))).toEqual([false, false, true, false])
    expect(JSON.stringify(wire.sent)).not.toContain('files_wipe')
  })

  it('is no list after an error, which has answered the request', async () => {
    const { guarded, wire, receive } = connect()
    await receive(list)
    const error = { code: -32603, message: 'no' }
    await guarded.send({ jsonrpc: '2.0', id: 1, error })
    await guarded.send({ jsonrpc: '2.0', id: 1, result: { tools } })
    expect(wire.sent).toMatchObject([{ error }, { error: { message: 'the answer could not be filtered' } }])
  })

  it('is passed on where it asks the client or tells it something', async () => {
    const { guarded, wire } = connect()
    const asks = { jsonrpc: '2.0', id: 9, method: 'sampling/createMessage', params: {} }
    const tells = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } }
    await guarded.send(asks)
    await guarded.send(tells)
    expect(wire.sent).toEqual([asks, tells])
  })
})

describe('a transport', () => {
  it('tells its peer once, of what the server has, that nothing is left when the credential ends', async () => {
    const ending = await place.token('alice', { roles: ['meteorologist'], expiresIn: -3 })
    const { guarded, wire, receive } = connect({ credential: ending, changesEveryMs: 20 })
    await receive({ jsonrpc: '2.0', id: 1, method: 'initialize', params: {} })
    await guarded.send({
      jsonrpc: '2.0',
      id: 1,
      result: { protocolVersion: '2025-11-25', capabilities: { tools: {} } },
    })
    expect(wire.sent).toMatchObject([{ result: { capabilities: { tools: { listChanged: true } } } }])
    await expect.poll(() => wire.sent.length, { timeout: 15_000 }).toBe(2)
    expect(wire.sent[1]).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(wire.sent).toHaveLength(2)
    // What the server says by itself is not for it any more; what belongs to a call that was allowed is.
    await guarded.send({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'secret' } })
    await guarded.send({ jsonrpc: '2.0', id: 8, method: 'sampling/createMessage', params: {} })
    expect(wire.sent).toHaveLength(2)
    const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }
    await guarded.send(progress, { relatedRequestId: 7 })
    expect(wire.sent[2]).toEqual(progress)
    await guarded.close()
  }, 20_000)

  it('is looked after no more once it is closed', async () => {
    let looks = 0
    const counting = await createGuard({
      authorizer: {
        authorize: async () => ({ decision: { allow: true, reasons: [] } as never }),
        async capabilities() {
          looks += 1
          return { ok: false, decision: {} as never }
        },
        visible: async () => [],
      },
    })
    const wire = new Wire()
    const guarded = counting.transport(wire, { credential: 'x', changesEveryMs: 10 })
    let isClosed = false
    guarded.onmessage = () => undefined
    guarded.onclose = () => {
      isClosed = true
    }
    wire.onmessage?.({ jsonrpc: '2.0', id: 1, method: 'ping' })
    await expect.poll(() => looks).toBeGreaterThan(2)
    await guarded.close()
    expect(isClosed).toBe(true)
    const before = looks
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(looks - before).toBeLessThanOrEqual(1)
  })

  it.each([0, 9, Number.NaN, -1, 2 ** 31, Infinity])('is not looked after every %s ms', async (changesEveryMs) => {
    expect(() => guard.transport(new Wire(), { changesEveryMs })).toThrow(TypeError)
    await expect(createGuard({ config: place.config, changesEveryMs })).rejects.toThrow(TypeError)
  })
})
