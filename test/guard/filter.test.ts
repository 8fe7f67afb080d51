import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'
import { bearer, events, handlerOf, messagesOf, post, result, rpcRequest } from './requests.ts'

let place: Place
let guard: Guard
let alice: Record<string, string>

beforeAll(async () => {
  place = await makePlace({ mcp: { batches: true } })
  guard = await createGuard({ config: place.config })
  alice = bearer(await place.token('alice', { roles: ['meteorologist'], expiresIn: 100 }))
})
afterAll(async () => {
  guard.close()
  await place.remove()
})

const everything = {
  tools: ['weather_forecast', 'files_read', 'weather_alerts', 'unheard_of'].map((name) => ({ name, inputSchema: {} })),
  prompts: [{ name: 'files_summary' }, { name: 'weather_brief', title: 'Brief' }],
  resources: [
    { uri: 'weather://stations', name: 's' },
    { uri: 'files://index', name: 'i' },
  ],
  resourceTemplates: [
    { uriTemplate: 'files://by-name/{name}', name: 'n' },
    { uriTemplate: 'weather://stations/{id}', name: 'i' },
  ],
}
const cut = {
  tools: [everything.tools[0], everything.tools[2]],
  prompts: [everything.prompts[1]],
  resources: [everything.resources[0]],
  resourceTemplates: [everything.resourceTemplates[1]],
}
const shapes: readonly (readonly [string, keyof typeof everything])[] = [
  ['tools/list', 'tools'],
  ['prompts/list', 'prompts'],
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resourceTemplates'],
]

/** What alice is answered when the handler answers so. */
async function answered(request: Request, answer: Response): Promise<Response> {
  return await guard.fetch(async () => answer)(request)
}

const toolsList = (id: unknown = 1): Request => rpcRequest('tools/list', {}, alice, id)
const get = (): Request => new Request('http://mcp.test/mcp', { headers: { ...alice, accept: 'text/event-stream' } })

describe('an answer in JSON', () => {
  it.each(shapes)('to %s holds what may be called, in order, and everything beside it', async (method, key) => {
    const whole = { [key]: everything[key], nextCursor: 'n', _meta: { a: 1 } }
    const response = await answered(rpcRequest(method, {}, alice), result(whole))
    expect(await response.json()).toEqual({ jsonrpc: '2.0', id: 1, result: { ...whole, [key]: cut[key] } })
  })

  it('carries no list of another kind past the filter', async () => {
    const response = await answered(toolsList(), result(everything))
    expect(await response.json()).toMatchObject({ result: cut })
  })

  it('loses what was true of the body before', async () => {
    const response = result({ tools: everything.tools })
    const stale = { 'content-length': '999', etag: '"x"', 'content-encoding': 'identity', 'last-modified': 'now' }
    for (const [name, value] of Object.entries({ ...stale, 'mcp-session-id': 's' })) response.headers.set(name, value)
    const { headers, status } = await answered(toolsList(), response)
    for (const name of Object.keys(stale)) expect(headers.has(name)).toBe(false)
    expect([status, headers.get('mcp-session-id'), headers.get('content-type')]).toEqual([200, 's', 'application/json'])
  })

  it('may be kept by its caller alone, and no longer than the token lives', async () => {
    const response = await answered(toolsList(), result({ tools: [], ttlMs: 3_600_000, cacheScope: 'public' }))
    const { ttlMs, cacheScope } = ((await response.json()) as { result: { ttlMs: number; cacheScope: string } }).result
    expect(cacheScope).toBe('private')
    expect(ttlMs).toBeGreaterThan(0)
    expect(ttlMs).toBeLessThanOrEqual(100_000)
  })

  it('is not asked for in a form that could not be filtered', async () => {
    const handler = handlerOf(() => result({ tools: [] }))
    const conditions = { 'accept-encoding': 'gzip', 'if-none-match': '"x"', range: 'bytes=0-1' }
    await guard.fetch(handler.fetch)(rpcRequest('tools/list', {}, { ...alice, ...conditions }))
    for (const name of Object.keys(conditions)) expect(handler.reached[0]?.headers.has(name)).toBe(false)
    await guard.fetch(handler.fetch)(rpcRequest('ping', {}, { ...alice, ...conditions }))
    expect(handler.reached[1]?.headers.get('accept-encoding')).toBe('gzip')
  })
})

const unreadable: readonly (readonly [string, () => Response])[] = [
  ['text', () => new Response('weather_wipe')],
  ['HTML', () => new Response('<a>', { headers: { 'content-type': 'text/html' } })],
  ['JSON by another name', () => new Response('{"result":{"tools":[]}}', { headers: { 'content-type': 'text/json' } })],
  ['no type', () => new Response(new Uint8Array([123, 125]))],
  ['broken JSON', () => new Response('{"result":', { headers: { 'content-type': 'application/json' } })],
  ['two values', () => new Response('{"id":1,"result":{}}{}', { headers: { 'content-type': 'application/json' } })],
  [
    'what is not UTF-8',
    () => new Response(new Uint8Array([34, 255, 34]), { headers: { 'content-type': 'application/json' } }),
  ],
  ['a string', () => Response.json('weather_wipe')],
  ['a list alone', () => Response.json({ tools: everything.tools })],
  ['a list of lists', () => Response.json([[{ jsonrpc: '2.0', id: 1, result: everything }]])],
  ['a result in other letters', () => Response.json({ jsonrpc: '2.0', id: 1, Result: everything })],
  [
    'JSON under gzip',
    () =>
      new Response(gzipSync(JSON.stringify({ result: everything })), {
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      }),
  ],
  [
    'events under gzip',
    () =>
      new Response(gzipSync('data: {}\n\n'), {
        headers: { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' },
      }),
  ],
]

describe('an answer that cannot be read', () => {
  it.each(unreadable)('is an error instead: %s', async (_, answer) => {
    const response = await answered(toolsList('list-1'), answer())
    expect([response.status, response.headers.get('cache-control')]).toEqual([500, 'no-store'])
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 'list-1',
      error: { code: -32603, message: 'the answer could not be filtered' },
    })
  })

  it('is not waited for', async () => {
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array([46])),
      cancel() {
        cancelled = true
      },
    })
    expect((await answered(toolsList(), new Response(endless))).status).toBe(500)
    expect(cancelled).toBe(true)
  })

  it('is a denial where it breaks off, or is no answer at all', async () => {
    const headers = { 'content-type': 'application/json' }
    const broken = new ReadableStream({ start: (controller) => controller.error(new Error('gone')) })
    expect((await answered(toolsList(), new Response(broken, { headers }))).status).toBe(503)
    expect((await answered(toolsList(), undefined as never)).status).toBe(503)
    const used = result({ tools: everything.tools })
    await used.text()
    expect((await answered(toolsList(), used)).status).toBe(503)
  })

  it.each([
    ['an error status', () => new Response('no such session', { status: 404 })],
    ['a status that has no body', () => new Response(null, { status: 202 })],
  ])('is passed on where it is %s', async (_, answer) => {
    const response = answer()
    expect(await answered(toolsList(), response)).toBe(response)
  })

  it('is passed on where it is empty', async () => {
    const response = await answered(toolsList(), new Response('', { status: 202 }))
    expect([response.status, await response.text()]).toEqual([202, ''])
  })

  it('is passed on where it is an error in JSON-RPC', async () => {
    const error = { jsonrpc: '2.0', id: 1, error: { code: -32601, message: 'Method not found' } }
    expect(await (await answered(toolsList(), Response.json(error))).json()).toEqual(error)
  })
})

const list = { jsonrpc: '2.0', id: 1, result: { tools: everything.tools } }
const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }

describe('an answer in events', () => {
  it('holds what may be called, and every other event as it was', async () => {
    const response = await answered(toolsList(), events(progress, list))
    expect(messagesOf(await response.text())).toEqual([progress, { ...list, result: { tools: cut.tools } }])
    expect(response.headers.get('content-type')).toBe('text/event-stream')
  })

  it('streams: the first event is there before the last is made', async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const send = (message: unknown) => writer.write(new TextEncoder().encode(`data: ${JSON.stringify(message)}\n\n`))
    const headers = { 'content-type': 'text/event-stream' }
    const { body } = await answered(toolsList(), new Response(readable, { headers }))
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    const next = async () => messagesOf(Buffer.from((await reader.read()).value ?? []).toString())
    const first = next()
    await send(progress)
    expect(await first).toEqual([progress])
    const second = next()
    await send(list)
    expect(await second).toEqual([{ ...list, result: { tools: cut.tools } }])
  })

  it('has an error where an event could not be read', async () => {
    const headers = { 'content-type': 'text/event-stream; charset=utf-8' }
    const text = ': hello\n\ndata: {"result":\n\nid: 7\n\ndata: {"tools":[{"name":"x"}]}\n\n'
    const answer = await (await answered(toolsList(), new Response(text, { headers }))).text()
    const error = '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the answer could not be filtered"}}'
    expect(answer).toBe(`: hello\n\ndata: ${error}\n\nid: 7\n\ndata: ${error}\n\n`)
  })

  it('under GET is cut by the shape of each', async () => {
    const batch = [list, { jsonrpc: '2.0', id: 2, result: { prompts: everything.prompts } }]
    const other = { jsonrpc: '2.0', id: 3, result: { content: [] } }
    const response = await answered(get(), events(progress, batch, other))
    const prompts = { jsonrpc: '2.0', id: 2, result: { prompts: cut.prompts } }
    expect(messagesOf(await response.text())).toEqual([
      progress,
      [{ ...list, result: { tools: cut.tools } }, prompts],
      other,
    ])
  })

  it('under GET keeps the address that the transport of 2024-11-05 begins with', async () => {
    const text = 'event: endpoint\ndata: /messages?sessionId=1\n\n'
    const headers = { 'content-type': 'text/event-stream' }
    expect(await (await answered(get(), new Response(text, { headers }))).text()).toBe(text)
  })

  it('to a call is passed on untouched', async () => {
    const answer = events(list)
    const request = rpcRequest('tools/call', { name: 'weather_alerts' }, alice)
    expect(await answered(request, answer)).toBe(answer)
    expect(answer.body?.locked).toBe(false)
  })
})

describe('a batch', () => {
  const batch = (...messages: readonly (readonly [string, unknown])[]): Request => {
    const elements = messages.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }))
    return post(JSON.stringify(elements), { ...alice, 'mcp-protocol-version': '2025-03-26' })
  }

  it('is refused whole where one of it is, and does not reach the handler', async () => {
    const handler = handlerOf(() => Response.json([]))
    const request = batch(['tools/list', {}], ['tools/call', { name: 'files_wipe' }])
    expect((await guard.fetch(handler.fetch)(request)).status).toBe(403)
    expect(handler.reached).toHaveLength(0)
  })

  it('has every list of its answer cut, by the shape of each', async () => {
    const answer = [
      { jsonrpc: '2.0', id: 0, result: { tools: everything.tools } },
      { jsonrpc: '2.0', id: 1, result: { content: [] } },
      { jsonrpc: '2.0', id: 2, result: { resourceTemplates: everything.resourceTemplates } },
    ]
    const request = () =>
      batch(['tools/list', {}], ['tools/call', { name: 'weather_alerts' }], ['resources/templates/list', {}])
    const expected = [
      { ...answer[0], result: { tools: cut.tools } },
      answer[1],
      { ...answer[2], result: { resourceTemplates: cut.resourceTemplates } },
    ]
    expect(await (await answered(request(), Response.json(answer))).json()).toEqual(expected)
    expect(messagesOf(await (await answered(request(), events(...answer))).text())).toEqual(expected)
  })
})
