import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKeyPem } from '../../src/capabilities/key.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { forge, makePlace, type Place } from './place.ts'
import { bearer, handlerOf, result, rpcRequest } from './requests.ts'

// Kuadrant's own test servers; what its broker makes of each header is what is asserted here.
const data = {
  servers: {
    'ns/alpha': { prefix: 'a_', tools: ['greet', 'add', 'wipe'], prompts: ['hello'], resources: ['ui://board.html'] },
    'ns/alphab': { prefix: 'a_b_', tools: ['greet'], resources: ['ui://chart.html/x'] },
  },
  virtual_servers: {
    'ns/desk': { tools: ['a_greet', 'a_b_greet'] },
    'ns/talk': { tools: ['a_add'], prompts: ['a_other'] },
  },
}
const listed = {
  'tools/list': { tools: ['a_greet', 'a_add', 'a_wipe', 'a_b_greet'].map((name) => ({ name })) },
  'prompts/list': { prompts: [{ name: 'a_hello' }] },
  'resources/list': { resources: [{ uri: 'ui://a_board.html' }, { uri: 'ui://a_b_chart.html/x' }] },
} as const
type ListMethod = keyof typeof listed
const all = {
  'tools/list': ['a_greet', 'a_add', 'a_wipe', 'a_b_greet'],
  'prompts/list': ['a_hello'],
  'resources/list': ['ui://a_board.html', 'ui://a_b_chart.html/x'],
} as const

let places: Record<'on' | 'off', { place: Place; guard: Guard }>

beforeAll(async () => {
  const made = async (enforce: boolean) => {
    const place = await makePlace({ data, profile: 'kuadrant', enforce })
    return { place, guard: await createGuard({ config: place.config }) }
  }
  places = { on: await made(true), off: await made(false) }
})
afterAll(async () => {
  for (const { place, guard } of Object.values(places)) {
    guard.close()
    await place.remove()
  }
})

type Enforcing = 'on' | 'off'
type Headers = Readonly<Record<string, string>>

/** What a list shows, or the status of its denial. */
async function shown(enforcing: Enforcing, method: ListMethod, headers: Headers): Promise<readonly string[] | number> {
  const handler = handlerOf(() => result(listed[method]))
  const response = await places[enforcing].guard.fetch(handler.fetch)(rpcRequest(method, {}, headers))
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  if (!response.ok) return response.status
  const { result: answered } = (await response.json()) as { result: Record<string, { name?: string; uri?: string }[]> }
  return Object.values(answered)[0]?.map(({ name, uri }) => name ?? uri ?? '') ?? []
}

const holds = (capabilities: unknown) => ({ 'allowed-capabilities': capabilities })
const seconds = (): number => Math.floor(Date.now() / 1000)
const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** An x-mcp-authorized that says exactly this, without an end. */
async function says(enforcing: Enforcing, capabilities: unknown): Promise<Headers> {
  const claims = { 'allowed-capabilities': JSON.stringify(capabilities) }
  return { 'x-mcp-authorized': await forge(places[enforcing].place.capabilityPem, claims) }
}

async function called(enforcing: Enforcing, headers: Headers, method: string, params: unknown): Promise<number> {
  const handler = handlerOf(() => result({}))
  const response = await places[enforcing].guard.fetch(handler.fetch)(rpcRequest(method, params, headers))
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  return response.status
}

const methods: readonly ListMethod[] = ['tools/list', 'prompts/list', 'resources/list']
const both: readonly Enforcing[] = ['on', 'off']

describe('a list without a credential', () => {
  it.each(methods)('%s shows nothing with enforcement, everything without', async (method) => {
    expect(await shown('on', method, {})).toEqual([])
    expect(await shown('off', method, {})).toEqual(all[method])
  })

  it('is cut by a virtual server alone without enforcement: tools, and prompts where it lists any', async () => {
    const desk = { 'x-mcp-virtualserver': 'ns/desk' }
    expect(await shown('off', 'tools/list', desk)).toEqual(['a_greet', 'a_b_greet'])
    expect(await shown('off', 'prompts/list', desk)).toEqual(['a_hello'])
    expect(await shown('off', 'resources/list', desk)).toEqual(all['resources/list'])
    expect(await shown('off', 'prompts/list', { 'x-mcp-virtualserver': 'ns/talk' })).toEqual([])
    expect(await shown('on', 'tools/list', desk)).toEqual([])
  })

  it.each(both)(
    'is denied under an unknown, an empty or a doubled virtual server, enforcement %s',
    async (enforcing) => {
      for (const id of ['ns/none', '', 'ns/desk, ns/desk']) {
        expect(await shown(enforcing, 'tools/list', { 'x-mcp-virtualserver': id })).toBe(403)
      }
    },
  )

  it('is no way to anything else', async () => {
    const asked: readonly (readonly [string, unknown])[] = [
      ['tools/call', { name: 'a_greet' }],
      ['prompts/get', { name: 'a_hello' }],
      ['resources/read', { uri: 'ui://a_board.html' }],
      ['ping', {}],
      ['initialize', {}],
      ['tasks/list', {}],
    ]
    for (const [method, params] of asked) expect(await called('off', {}, method, params)).toBe(401)
  })

  it.each(both)('is denied beside a credential that does not verify, enforcement %s', async (enforcing) => {
    expect(await shown(enforcing, 'tools/list', { 'x-mcp-authorized': 'a.b.c' })).toBe(401)
    expect(await shown(enforcing, 'tools/list', { 'x-mcp-authorized': '' })).toBe(401)
    expect(await shown(enforcing, 'tools/list', bearer('a.b.c'))).toBe(401)
    const { place } = places[enforcing]
    const late = { 'allowed-capabilities': '{}', exp: Math.floor(Date.now() / 1000) - 1 }
    expect(await shown(enforcing, 'tools/list', { 'x-mcp-authorized': await forge(place.capabilityPem, late) })).toBe(
      401,
    )
  })
})

const nothing = { tools: {}, prompts: {}, resources: {} }
const claims: readonly (readonly [string, unknown, readonly string[], readonly string[]])[] = [
  ['some of them', { ...nothing, tools: { 'ns/alpha': ['greet'] } }, ['a_greet'], ['a_greet']],
  [
    'the same name of two servers',
    { tools: { 'ns/alpha': ['greet'], 'ns/alphab': ['greet'] } },
    ['a_greet', 'a_b_greet'],
    ['a_greet', 'a_b_greet'],
  ],
  ['nothing at all', {}, all['tools/list'], []],
  ['no types', nothing, [], []],
  ['other types', { prompts: { 'ns/alpha': ['hello'] } }, all['tools/list'], []],
  ['no list of tools', { ...nothing, tools: null }, [], []],
  ['a server without a list', { tools: { 'ns/alpha': null } }, [], []],
  ['a tool of the broker on a server', { tools: { 'ns/alpha': ['discover_tools'] } }, [], []],
  ['an empty server', { tools: { 'ns/alpha': [] } }, [], []],
  ['unknown servers', { tools: { 'ns/x': ['greet'], alpha: ['greet'] } }, [], []],
  ['names with a prefix', { tools: { 'ns/alpha': ['a_greet'] } }, [], []],
  ["a name that another server's prefix completes", { tools: { 'ns/alpha': ['b_greet'] } }, [], []],
  ['wildcards', { tools: { 'ns/alpha': ['*'], '*': ['greet'] } }, [], []],
]

describe('an x-mcp-authorized that speaks of some types alone', () => {
  const said = {
    tools: { 'ns/alpha': ['greet'] },
    prompts: { 'ns/alpha': ['hello'] },
    resources: { 'ns/alpha': ['board.html'] },
  }
  const named = { 'tools/list': ['a_greet'], 'prompts/list': ['a_hello'], 'resources/list': ['ui://a_board.html'] }
  const typeOf = { 'tools/list': 'tools', 'prompts/list': 'prompts', 'resources/list': 'resources' } as const

  it.each(methods)('shows all of the others without enforcement and none with it, but for %s', async (spoken) => {
    const capabilities = { [typeOf[spoken]]: said[typeOf[spoken]] }
    for (const method of methods) {
      const off = method === spoken ? named[method] : all[method]
      const on = method === spoken ? named[method] : []
      expect(await shown('off', method, await says('off', capabilities))).toEqual(off)
      expect(await shown('on', method, await says('on', capabilities))).toEqual(on)
    }
  })
})

describe('null in an x-mcp-authorized', () => {
  const said = {
    tools: null,
    prompts: { 'ns/alpha': ['hello'], 'ns/alphab': null },
    resources: { 'ns/alpha': ['board.html'] },
  }

  it.each(both)('is nothing of a type or a server, and changes no other, enforcement %s', async (enforcing) => {
    const header = await says(enforcing, said)
    expect(await shown(enforcing, 'tools/list', header)).toEqual([])
    expect(await shown(enforcing, 'prompts/list', header)).toEqual(['a_hello'])
    expect(await shown(enforcing, 'resources/list', header)).toEqual(['ui://a_board.html'])
    expect(await called(enforcing, header, 'tools/call', { name: 'a_greet' })).toBe(403)
  })

  it('does not verify in profile strict', async () => {
    const place = await makePlace({ data })
    const guard = await createGuard({ config: place.config })
    const claims = { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp: seconds() + 60 }
    const list = async (capabilities: unknown): Promise<number> => {
      const token = await forge(place.capabilityPem, { ...claims, ...holds(JSON.stringify(capabilities)) })
      const handler = handlerOf(() => result({ tools: [] }))
      return (await guard.fetch(handler.fetch)(rpcRequest('tools/list', {}, { 'x-mcp-authorized': token }))).status
    }
    expect([await list({ tools: {} }), await list({ tools: null })]).toEqual([200, 401])
    await guard.close()
    await place.remove()
  })
})

describe('an x-mcp-authorized that the broker of Kuadrant makes nothing of', () => {
  const map = { tools: { 'ns/alpha': ['greet'] }, prompts: {}, resources: {} }
  const text = JSON.stringify(map)
  type Made = (place: Place) => Promise<string>
  const refused: readonly (readonly [string, Made])[] = [
    [
      'a further key inside the map',
      ({ capabilityPem }) => forge(capabilityPem, holds(JSON.stringify({ ...map, v: 1 }))),
    ],
    ['a map that is no text', ({ capabilityPem }) => forge(capabilityPem, holds(map))],
    ['a map that is no JSON', ({ capabilityPem }) => forge(capabilityPem, holds('{'))],
    ['names that are no texts', ({ capabilityPem }) => forge(capabilityPem, holds('{"tools":{"ns/alpha":[1]}}'))],
    ['an array for a type', ({ capabilityPem }) => forge(capabilityPem, holds('{"tools":[]}'))],
    ['a text for a type', ({ capabilityPem }) => forge(capabilityPem, holds('{"tools":"ns/alpha"}'))],
    ['no map at all', ({ capabilityPem }) => forge(capabilityPem, { sub: 'alice' })],
    ['another key', async () => await forge(generateKeyPem(), holds(text))],
    ['an end that has passed', ({ capabilityPem }) => forge(capabilityPem, { ...holds(text), exp: seconds() - 1 })],
    ['a beginning to come', ({ capabilityPem }) => forge(capabilityPem, { ...holds(text), nbf: seconds() + 60 })],
    [
      'the same value twice',
      async ({ capabilityPem }) => {
        const once = await forge(capabilityPem, holds(text))
        return `${once}, ${once}`
      },
    ],
    ['no signature', async () => `${encoded({ alg: 'none' })}.${encoded(holds(text))}.`],
    [
      'HS256 under the public key',
      async ({ publicPem }) => {
        const signed = `${encoded({ alg: 'HS256' })}.${encoded(holds(text))}`
        return `${signed}.${createHmac('sha256', publicPem).update(signed).digest('base64url')}`
      },
    ],
  ]

  it.each(refused)('opens nothing, for it has %s', async (_, made) => {
    for (const enforcing of both) {
      const header = { 'x-mcp-authorized': await made(places[enforcing].place) }
      for (const method of methods) expect(await shown(enforcing, method, header)).toBe(401)
      expect(await called(enforcing, header, 'tools/call', { name: 'a_greet' })).toBe(401)
    }
  })
})

describe('a list under an x-mcp-authorized', () => {
  it.each(claims)('that names %s', async (_, capabilities, off, on) => {
    expect(await shown('off', 'tools/list', await says('off', capabilities))).toEqual(off)
    expect(await shown('on', 'tools/list', await says('on', capabilities))).toEqual(on)
  })

  it.each(both)('names resources by the authority of the URI at their server, enforcement %s', async (enforcing) => {
    const board = await says(enforcing, { ...nothing, resources: { 'ns/alpha': ['board.html'] } })
    expect(await shown(enforcing, 'resources/list', board)).toEqual(['ui://a_board.html'])
    expect(await called(enforcing, board, 'resources/read', { uri: 'ui://a_board.html' })).toBe(200)
    expect(await called(enforcing, board, 'resources/read', { uri: 'ui://a_b_chart.html/x' })).toBe(403)
    for (const named of ['ui://board.html', 'ui://a_board.html', 'a_board.html', 'chart.html']) {
      const header = await says(enforcing, { ...nothing, resources: { 'ns/alpha': [named] } })
      expect(await shown(enforcing, 'resources/list', header)).toEqual([])
    }
  })

  it.each(both)('is cut by a virtual server as well, enforcement %s', async (enforcing) => {
    const header = await says(enforcing, { tools: { 'ns/alpha': ['greet', 'add'] } })
    expect(await shown(enforcing, 'tools/list', { ...header, 'x-mcp-virtualserver': 'ns/desk' })).toEqual(['a_greet'])
  })

  it.each(both)('may say anything else beside the map, enforcement %s', async (enforcing) => {
    const map = JSON.stringify({ tools: { 'ns/alpha': ['greet'] } })
    const others: Record<string, unknown>[] = [
      { iss: 'x', aud: ['y'], sub: 'alice', jti: 'z', iat: 1, revision: 7 },
      { session: 'of another kind' },
      { session: { nested: [1] }, origin: { iss: 'x', jti: 'y', deep: { er: true } } },
      { origin: 'a text' },
      { origin: { iss: 7, iat: 'then' } },
    ]
    for (const claims of others) {
      const token = await forge(places[enforcing].place.capabilityPem, { 'allowed-capabilities': map, ...claims })
      const headers = { 'x-mcp-authorized': token, 'mcp-session-id': 's-1' }
      expect(await shown(enforcing, 'tools/list', headers), JSON.stringify(claims)).toEqual(['a_greet'])
    }
  })

  it('opens calls to what it names, never to what it only does not speak of', async () => {
    const header = await says('off', { prompts: { 'ns/alpha': ['hello'] } })
    expect(await called('off', header, 'prompts/get', { name: 'a_hello' })).toBe(200)
    expect(await called('off', header, 'tools/call', { name: 'a_greet' })).toBe(403)
  })
})

describe('a token', () => {
  it.each(both)('shows what it grants, enforcement %s', async (enforcing) => {
    const { place } = places[enforcing]
    const grants = { 'ns/alpha': ['tool:greet', 'resource:ui://board.html'] }
    const alice = bearer(await place.token('alice', { grants }))
    expect(await shown(enforcing, 'tools/list', alice)).toEqual(['a_greet'])
    expect(await shown(enforcing, 'prompts/list', alice)).toEqual([])
    expect(await shown(enforcing, 'resources/list', alice)).toEqual(['ui://a_board.html'])
    expect(await called(enforcing, alice, 'resources/read', { uri: 'ui://a_board.html' })).toBe(200)
    expect(await called(enforcing, alice, 'resources/read', { uri: 'ui://board.html' })).toBe(403)
  })
})

describe("a router's headers", () => {
  it('name the server, agree with the body, and go on with it', async () => {
    const { place, guard } = places.on
    const alice = bearer(await place.token('alice', { grants: { 'ns/alpha': ['tool:greet'] } }))
    const routed = { ...alice, 'x-mcp-servername': 'ns/alpha', 'x-mcp-toolname': 'greet', 'x-mcp-method': 'tools/call' }
    const handler = handlerOf(() => result({}))
    const send = (name: string) => guard.fetch(handler.fetch)(rpcRequest('tools/call', { name }, routed))
    expect((await send('greet')).status).toBe(200)
    expect(handler.reached[0]?.headers.get('x-mcp-servername')).toBe('ns/alpha')
    expect((await send('add')).status).toBe(400)
    expect(handler.reached).toHaveLength(1)
  })

  it('name one server only, also for a list', async () => {
    const { place, guard } = places.on
    const headers = { ...bearer(await place.token('alice')), 'x-mcp-servername': 'mcpBroker, ns/alpha' }
    const handler = handlerOf(() => result({ tools: [] }))
    const response = await guard.fetch(handler.fetch)(rpcRequest('tools/list', {}, headers))
    expect(await response.json()).toMatchObject({ error: { data: { reason: 'header_mismatch' } } })
    expect(handler.reached).toHaveLength(0)
  })

  it('are taken off a stream', async () => {
    const { place, guard } = places.on
    const headers = { ...bearer(await place.token('alice')), 'x-mcp-servername': 'ns/alpha', 'x-mcp-method': 'x' }
    const handler = handlerOf(() => new Response(null, { status: 405 }))
    await guard.fetch(handler.fetch)(new Request('http://mcp.test/mcp', { headers }))
    expect(handler.reached[0]?.headers.has('x-mcp-servername')).toBe(false)
    expect(handler.reached[0]?.headers.has('x-mcp-method')).toBe(false)
  })

  it('never stand for a body', async () => {
    const place = await makePlace({ data, profile: 'kuadrant', mcp: { kuadrant: { headersOnly: true } } })
    const guard = await createGuard({ config: place.config })
    const alice = bearer(await place.token('alice', { grants: { 'ns/alpha': ['tool:greet'] } }))
    const routed = { ...alice, 'x-mcp-servername': 'ns/alpha', 'x-mcp-toolname': 'greet', 'x-mcp-method': 'tools/call' }
    const request = new Request('http://mcp.test/mcp', {
      method: 'POST',
      headers: { ...routed, 'content-type': 'application/json' },
    })
    expect((await guard.fetch(async () => result({}))(request)).status).toBe(400)
    guard.close()
    await place.remove()
  })
})
