import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'
import { bearer, type Handler, handlerOf, post, result, rpcRequest } from './requests.ts'

let place: Place
let guard: Guard
let alice: string
let handler: Handler
let fetch: (request: Request) => Promise<Response>

beforeAll(async () => {
  place = await makePlace({ mcp: { maxBodyBytes: 4096 } })
  guard = await createGuard({ config: place.config })
  alice = await place.token('alice', { roles: ['meteorologist'] })
})
afterAll(async () => {
  guard.close()
  await place.remove()
})
beforeEach(() => {
  handler = handlerOf(() => result({ content: [] }))
  fetch = guard.fetch(handler.fetch)
})

async function refused(request: Request): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(request)
  expect(handler.reached).toHaveLength(0)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(response.headers.get('cache-control')).toBe('no-store')
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const call = (name: string, headers: Record<string, string> = bearer(alice)): Request =>
  rpcRequest('tools/call', { name, arguments: {} }, headers, 'call-1')

const forged = {
  'x-mcp-authorized': 'a.b.c',
  'X-Mcp-Authz-Filter': 'list',
  'x-mcp-verified-sub': 'root',
  'x-mcp-annotation-hints': 'readOnly=true',
  'router-key': 'k',
}

describe('an allowed call', () => {
  it('reaches the handler with the very bytes that were judged', async () => {
    const text = '{ "jsonrpc":"2.0", "id":9007199254740993,"method":"tools/call","params":{"name":"weather_alerts"}}\n'
    const response = await fetch(post(text, { ...bearer(alice), 'content-length': String(text.length) }))
    expect(response.status).toBe(200)
    expect(await handler.reached[0]?.text()).toBe(text)
    expect(handler.reached[0]?.url).toBe('http://mcp.test/mcp')
    expect(handler.reached[0]?.headers.get('authorization')).toBe(`Bearer ${alice}`)
  })

  it('is answered by the very response of the handler', async () => {
    const answer = new Response('anything at all', { status: 299, headers: { 'content-length': '15' } })
    expect(await guard.fetch(async () => answer)(call('weather_alerts'))).toBe(answer)
    expect(answer.bodyUsed).toBe(false)
  })

  it('reaches the handler without internal headers that the client made up', async () => {
    await fetch(
      call('weather_alerts', { ...bearer(alice), ...forged, 'x-mcp-virtualserver': 'team/desk', 'x-own': '1' }),
    )
    expect(handler.reached).toHaveLength(0)
    await fetch(
      call('weather_forecast', { ...bearer(alice), ...forged, 'x-mcp-virtualserver': 'team/desk', 'x-own': '1' }),
    )
    const headers = new Map(handler.reached[0]?.headers)
    for (const name of Object.keys(forged)) expect(headers.has(name.toLowerCase())).toBe(false)
    expect(headers.get('x-mcp-virtualserver')).toBe('team/desk')
    expect(headers.get('x-own')).toBe('1')
  })

  it('keeps the signal, so that the handler learns of a client that went away', async () => {
    const gone = new AbortController()
    await fetch(new Request(call('weather_alerts'), { signal: gone.signal }))
    gone.abort()
    expect(handler.reached[0]?.signal.aborted).toBe(true)
  })

  it('hands further arguments through, except a body that somebody parsed before', async () => {
    const seen: unknown[] = []
    const guarded = guard.fetch(async (_: Request, options?: { authInfo?: object; parsedBody?: unknown }) => {
      seen.push(options)
      return new Response()
    })
    const authInfo = { token: 't' }
    await guarded(call('weather_alerts'), {
      authInfo,
      parsedBody: { method: 'tools/call', params: { name: 'files_wipe' } },
    })
    await guarded(call('weather_alerts'))
    expect(seen).toEqual([{ authInfo }, undefined])
  })

  it('lets what the handler throws be thrown', async () => {
    const failure = new Error('the handler failed')
    await expect(guard.fetch(() => Promise.reject(failure))(call('weather_alerts'))).rejects.toBe(failure)
  })
})

it('tells a client that asked for an unknown version which ones there are', async () => {
  const headers = { ...bearer(alice), 'mcp-protocol-version': '2027-01-01' }
  const response = await guard.fetch(async () => result({}))(call('weather_alerts', headers))
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: -32022, data: { supported: expect.arrayContaining(['2026-07-28']), requested: '2027-01-01' } } },
  ])
})

const denials: readonly (readonly [string, number, string, () => Request])[] = [
  ['no credential', 401, 'token_missing', () => call('weather_alerts', {})],
  ['another scheme', 401, 'token_missing', () => call('weather_alerts', { authorization: 'Basic YTpi' })],
  ['two tokens, joined', 401, 'token_malformed', () => call('weather_alerts', bearer(`${alice}, ${alice}`))],
  ['a bad credential beside a bad body', 401, 'token_malformed', () => post('{', bearer('x'))],
  ['an unknown method', 400, 'method_unknown', () => rpcRequest('skills/list', {}, bearer(alice))],
  ['an array', 400, 'batch_refused', () => post('[]', bearer(alice))],
  ['no body', 400, 'body_missing', () => post('', bearer(alice))],
  ['a key twice', 400, 'body_ambiguous', () => post('{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}', bearer(alice))],
  ['half a body', 400, 'body_partial', () => rpcRequest('ping', {}, { ...bearer(alice), 'content-length': '3' })],
  [
    'a content type',
    400,
    'content_type',
    () => rpcRequest('ping', {}, { ...bearer(alice), 'content-type': 'text/plain' }),
  ],
  ['a header that lies', 400, 'header_mismatch', () => call('weather_alerts', { ...bearer(alice), 'mcp-name': 'x' })],
  [
    "a router's header",
    400,
    'header_forbidden',
    () => call('weather_alerts', { ...bearer(alice), 'x-mcp-toolname': 'weather_alerts' }),
  ],
  [
    'a version',
    400,
    'version_unsupported',
    () => call('weather_alerts', { ...bearer(alice), 'mcp-protocol-version': '2027-01-01' }),
  ],
  [
    'two versions, joined',
    400,
    'header_mismatch',
    () => call('weather_alerts', { ...bearer(alice), 'mcp-protocol-version': '2025-06-18, 2025-06-18' }),
  ],
  [
    'two sessions, joined',
    400,
    'header_mismatch',
    () => call('weather_alerts', { ...bearer(alice), 'mcp-session-id': 's-1, s-1' }),
  ],
  ['an unknown item', 403, 'item_unknown', () => call('alerts')],
  [
    'an unknown virtual server',
    403,
    'virtual_server_unknown',
    () => call('weather_alerts', { ...bearer(alice), 'x-mcp-virtualserver': 'x' }),
  ],
  [
    'two virtual servers, joined',
    403,
    'virtual_server_unknown',
    () => call('weather_alerts', { ...bearer(alice), 'x-mcp-virtualserver': 'team/desk, team/desk' }),
  ],
  [
    'an item outside the virtual server',
    403,
    'virtual_server_excludes',
    () => call('weather_alerts', { ...bearer(alice), 'x-mcp-virtualserver': 'team/desk' }),
  ],
]

describe('a denial', () => {
  it('has the status of its code and a JSON-RPC body with the id of the request', async () => {
    const { status, body } = await refused(call('files_wipe'))
    expect(status).toBe(403)
    expect(body).toEqual({
      jsonrpc: '2.0',
      id: 'call-1',
      error: {
        code: 403,
        message: 'no role or grant of the subject allows it',
        data: { reason: 'role_missing', decision_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    })
  })

  it('repeats an id as it stood in the body', async () => {
    const text = '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"files_wipe"}}'
    expect(await (await fetch(post(text, bearer(alice)))).text()).toContain('"id":9007199254740993,')
  })

  it('for the credential carries a challenge', async () => {
    const response = await fetch(call('weather_alerts', {}))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    const bad = await fetch(call('weather_alerts', bearer('a.b.c')))
    expect(bad.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/)
  })

  it.each(denials)('for %s: %i %s', async (_, status, code, request) => {
    const answer = await refused(request())
    const error = answer.body['error']
    const reason = typeof error === 'object' ? (error as { data: { reason: string } }).data.reason : error
    expect([answer.status, reason]).toEqual([status, code])
  })

  it.each(['PUT', 'PATCH', 'OPTIONS', 'HEAD'])('for the method %s', async (method) => {
    const { status, headers } = await fetch(new Request('http://mcp.test/mcp', { method, headers: bearer(alice) }))
    expect([status, headers.get('content-type')]).toEqual([400, 'application/json'])
    expect(handler.reached).toHaveLength(0)
  })

  it('for a subscription to what may not be read', async () => {
    const listen = (...uris: string[]) =>
      rpcRequest('subscriptions/listen', { notifications: { resourceSubscriptions: uris } }, bearer(alice))
    expect((await refused(listen('weather://stations', 'files://index'))).status).toBe(403)
    expect((await fetch(listen('weather://stations', 'weather://stations/7'))).status).toBe(200)
    expect((await fetch(listen())).status).toBe(200)
  })
})

const endless = (chunk: string, counter = { pulled: 0 }): Request =>
  new Request('http://mcp.test/mcp', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(alice) },
    duplex: 'half',
    body: new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          counter.pulled += 1
          controller.enqueue(new TextEncoder().encode(chunk))
        },
      },
      { highWaterMark: 0 },
    ),
  })

describe('a header', () => {
  const named = (name: Buffer): Request =>
    call('weather_\u00e9', { ...bearer(alice), 'mcp-name': name.toString('latin1') })

  it('is compared with the body as the bytes that it is', async () => {
    expect((await refused(named(Buffer.from('weather_\u00e9')))).status).toBe(403)
    expect((await refused(named(Buffer.from('weather_\u00e9', 'latin1')))).status).toBe(400)
  })
})

describe('a body', () => {
  it('over the limit is refused, and not read to its end', async () => {
    const counter = { pulled: 0 }
    const { status, body } = await refused(endless(' '.repeat(1000), counter))
    expect([status, body['error'], counter.pulled]).toEqual([413, 'body_too_large', 5])
  })

  it('over the limit is refused for what comes first: credential, content type', async () => {
    const long = ' '.repeat(5000)
    expect((await refused(post(long))).status).toBe(401)
    const plain = { ...bearer(alice), 'content-type': 'text/plain' }
    expect((await refused(post(long, plain))).body['error']).toBe('content_type')
    expect((await refused(post(long, { ...bearer(alice), 'content-length': '5000' }))).status).toBe(413)
  })

  it('of exactly the limit is read', async () => {
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }).padEnd(4096)
    expect((await fetch(post(text, bearer(alice)))).status).toBe(200)
    expect((await fetch(post(`${text} `, bearer(alice)))).status).toBe(413)
  })

  it('beside DELETE is refused, nothing is not', async () => {
    const remove = (init: RequestInit) =>
      fetch(new Request('http://mcp.test/mcp', { method: 'DELETE', headers: bearer(alice), ...init }))
    expect((await remove({ body: 'x' })).status).toBe(400)
    expect((await remove({})).status).toBe(200)
  })

  it('that was read before, or breaks off, is a denial', async () => {
    const used = call('weather_alerts')
    await used.text()
    expect((await refused(used)).body['error']).toBe('policy_error')
    const broken = new Request('http://mcp.test/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(alice) },
      duplex: 'half',
      body: new ReadableStream({ start: (controller) => controller.error(new Error('gone')) }),
    })
    expect((await refused(broken)).status).toBe(503)
  })
})

describe('an authorizer', () => {
  const base = { revision: 'r', action: '', resource: { type: 'server' } } as const
  it.each([
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['gives nothing', async () => undefined],
    [
      'allows with reasons',
      async () => ({ decision: { ...base, id: 'd', allow: true, reasons: [{ code: 'not_ready', message: 'm' }] } }),
    ],
    ['denies without reasons', async () => ({ decision: { ...base, id: 'd', allow: false, reasons: [] } })],
    ['says yes by a string', async () => ({ decision: { ...base, id: 'd', allow: 'yes', reasons: [] } })],
  ])('that %s opens nothing', async (_, authorize) => {
    const faults: string[] = []
    const authorizer = { authorize, visible: async () => [], capabilities: async () => ({}) } as never
    const other = await createGuard({ authorizer, onFault: (code) => faults.push(code) })
    const response = await other.fetch(handler.fetch)(call('weather_alerts'))
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('secret')
    expect(handler.reached).toHaveLength(0)
  })

  it('that allows what could not be read opens nothing', async () => {
    const allowed = { decision: { ...base, id: 'd', allow: true, reasons: [] } }
    const authorizer = {
      authorize: async () => allowed,
      visible: async () => [],
      capabilities: async () => ({}),
    } as never
    const other = await createGuard({ authorizer })
    expect((await other.fetch(handler.fetch)(post('{'))).status).toBe(503)
    expect(handler.reached).toHaveLength(0)
  })
})
