import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKeyPem } from '../../src/capabilities/key.ts'
import { createGuard, type Guard, type GuardCredential } from '../../src/guard/index.ts'
import { forge, makePlace, type Place } from './place.ts'
import { bearer, handlerOf, result, rpcRequest } from './requests.ts'

type Headers = Readonly<Record<string, string>>
type Kind = 'on' | 'off' | 'kuadrant' | 'unenforced'

interface Set {
  readonly place: Place
  readonly guard: Guard
}

const header = 'x-authorized-tools'
let sets: Record<Kind, Set>

async function made(options: Parameters<typeof makePlace>[0]): Promise<Set> {
  const place = await makePlace(options)
  return { place, guard: await createGuard({ config: place.config }) }
}

beforeAll(async () => {
  const capabilities = { authorizedTools: true }
  sets = {
    on: await made({ capabilities }),
    off: await made({}),
    kuadrant: await made({ capabilities, profile: 'kuadrant' }),
    unenforced: await made({ capabilities, profile: 'kuadrant', enforce: false }),
  }
})
afterAll(async () => {
  for (const { place, guard } of Object.values(sets)) {
    await guard.close()
    await place.remove()
  }
})

const listed = {
  'tools/list': { tools: ['weather_forecast', 'weather_alerts', 'files_read'].map((name) => ({ name })) },
  'prompts/list': { prompts: [{ name: 'weather_brief' }] },
} as const
const now = (): number => Math.floor(Date.now() / 1000)
const forecast = JSON.stringify({ weather: ['forecast'] })

/** A token of these claims under the trusted key; one that is undefined is left out. */
async function signed(kind: Kind, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const whole = { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp: now() + 60, ...claims }
  return await forge(sets[kind].place.capabilityPem, whole)
}

const old = async (kind: Kind, tools: unknown = { weather: ['forecast'] }): Promise<string> =>
  await signed(kind, { 'allowed-tools': JSON.stringify(tools) })

async function sent(kind: Kind, [method, params]: readonly [string, unknown?], headers: Headers) {
  const answer = method in listed ? listed[method as keyof typeof listed] : {}
  const handler = handlerOf(() => result(answer))
  const response = await sets[kind].guard.fetch(handler.fetch)(rpcRequest(method, params, headers))
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  return { response, reached: handler.reached[0]?.headers }
}

/** What a list shows, or the reason why it shows nothing. */
async function shown(kind: Kind, headers: Headers, method: keyof typeof listed = 'tools/list'): Promise<unknown> {
  const { response } = await sent(kind, [method], headers)
  const body = (await response.json()) as {
    result?: Record<string, { name: string }[]>
    error?: { data: { reason: string } }
  }
  if (body.result === undefined) return body.error?.data.reason
  return Object.values(body.result)[0]?.map(({ name }) => name)
}

async function called(kind: Kind, name: string, headers: Headers): Promise<number> {
  return (await sent(kind, ['tools/call', { name }], headers)).response.status
}

describe('an x-authorized-tools that verifies', () => {
  it.each(['on', 'kuadrant', 'unenforced'] as const)('shows and opens the tools it names: %s', async (kind) => {
    const headers = { [header]: await old(kind) }
    expect(await shown(kind, headers)).toEqual(['weather_forecast'])
    expect(await called(kind, 'weather_forecast', headers)).toBe(200)
    expect(await called(kind, 'weather_alerts', headers)).toBe(403)
    expect(await called(kind, 'files_read', headers)).toBe(403)
  })

  it('speaks of nothing else: the rest is shown in kuadrant without enforcement alone, and opened nowhere', async () => {
    const everything = { on: [], kuadrant: [], unenforced: ['weather_brief'] }
    for (const kind of ['on', 'kuadrant', 'unenforced'] as const) {
      const headers = { [header]: await old(kind) }
      expect(await shown(kind, headers, 'prompts/list')).toEqual(everything[kind])
      expect((await sent(kind, ['prompts/get', { name: 'weather_brief' }], headers)).response.status).toBe(403)
    }
  })

  it('is cut again by the virtual server of the request', async () => {
    const token = await old('on', { weather: ['forecast', 'alerts'] })
    expect(await shown('on', { [header]: token, 'x-mcp-virtualserver': 'team/desk' })).toEqual(['weather_forecast'])
  })

  it('needs no issuer, audience or end in profile kuadrant, and may say null for nothing', async () => {
    const { capabilityPem } = sets.kuadrant.place
    const of = async (text: string) =>
      await shown('kuadrant', { [header]: await forge(capabilityPem, { 'allowed-tools': text }) })
    expect(await of(forecast)).toEqual(['weather_forecast'])
    expect(await of('{"weather":null,"files":["read"]}')).toEqual(['files_read'])
    expect(await of('null')).toEqual([])
    expect(await shown('on', { [header]: await old('on', { weather: null }) })).toBe('token_malformed')
  })

  it('goes on with the request, and nothing else that is internal does', async () => {
    const token = await old('on')
    const { reached } = await sent('on', ['tools/list'], { [header]: token, 'x-mcp-verified-sub': 'root' })
    expect([reached?.get(header), reached?.has('x-mcp-verified-sub')]).toEqual([token, false])
  })
})

describe('an x-authorized-tools that does not verify', () => {
  const claims: readonly (readonly [string, string, (kind: Kind) => string | Promise<string>])[] = [
    ['nothing in it', 'token_missing', () => ''],
    ['no token', 'token_malformed', () => 'weather'],
    ['two tokens', 'token_malformed', async (kind) => `${await old(kind)}, ${await old(kind)}`],
    [
      'another key',
      'token_signature',
      async () => await forge(generateKeyPem(), { 'allowed-tools': forecast, exp: now() + 9 }),
    ],
    ['an end that has come', 'token_expired', (kind) => signed(kind, { 'allowed-tools': forecast, exp: now() })],
    [
      'a beginning to come',
      'token_not_yet_valid',
      (kind) => signed(kind, { 'allowed-tools': forecast, nbf: now() + 9 }),
    ],
    ['no claim', 'token_claim_missing', (kind) => signed(kind, {})],
    ['a claim that is no string', 'token_claim_missing', (kind) => signed(kind, { 'allowed-tools': { weather: [] } })],
    ['a claim that is no JSON', 'token_malformed', (kind) => signed(kind, { 'allowed-tools': '{' })],
    ['an array', 'token_malformed', (kind) => signed(kind, { 'allowed-tools': '["weather"]' })],
    ['names that are no texts', 'token_malformed', (kind) => signed(kind, { 'allowed-tools': '{"weather":[1]}' })],
    ['the map of the other claim', 'token_malformed', (kind) => old(kind, { tools: { weather: ['forecast'] } })],
    [
      'the other claim',
      'token_claim_missing',
      (kind) => signed(kind, { 'allowed-capabilities': JSON.stringify({ tools: { weather: ['forecast'] } }) }),
    ],
  ]

  it.each(claims)('opens and shows nothing in either profile: %s', async (_, code, make) => {
    for (const kind of ['on', 'kuadrant', 'unenforced'] as const) {
      const headers = { [header]: await make(kind) }
      expect(await shown(kind, headers)).toBe(code)
      expect(await called(kind, 'weather_forecast', headers)).toBe(401)
    }
  })

  it.each([
    ['issuer', 'token_issuer_unknown', { iss: 'x' }],
    ['audience', 'token_audience', { aud: 'x' }],
    ['end', 'token_claim_missing', { exp: undefined }],
    ['session', 'session_invalid', { session: 'of another' }],
  ])('is refused in profile strict for its %s', async (_, code, changes) => {
    const headers = { [header]: await signed('on', { 'allowed-tools': forecast, ...changes }), 'mcp-session-id': 's-1' }
    expect(await shown('on', headers)).toBe(code)
  })
})

describe('what decides', () => {
  it('is the bearer where there is one, good or bad', async () => {
    const token = await old('on')
    const bob = bearer(await sets.on.place.token('bob', { roles: ['reader'] }))
    expect(await shown('on', { [header]: token, ...bob })).toEqual(['files_read'])
    for (const authorization of ['Bearer x.y.z', 'Bearer', 'Basic YTpi', '']) {
      expect(await called('on', 'weather_forecast', { [header]: token, authorization })).toBe(401)
    }
  })

  it('is x-mcp-authorized where there is one, good or bad', async () => {
    const token = await old('on')
    const present = await sets.on.place.authorized({ tools: { files: ['read'] } })
    expect(await shown('on', { [header]: token, 'x-mcp-authorized': present })).toEqual(['files_read'])
    for (const bad of ['', 'a.b.c', token]) {
      expect(await called('on', 'weather_forecast', { [header]: token, 'x-mcp-authorized': bad })).toBe(401)
    }
  })

  it.each(['on', 'kuadrant', 'unenforced'] as const)('is never a token of the other claim: %s', async (kind) => {
    expect(await shown(kind, { 'x-mcp-authorized': await old(kind) })).toBe('token_claim_missing')
    const present = await sets[kind].place.authorized({ tools: { weather: ['forecast'] } })
    expect(await shown(kind, { [header]: present })).toBe('token_claim_missing')
  })

  it('takes x-authorized-tools off a request that another credential opens', async () => {
    const alice = bearer(await sets.on.place.token('alice', { roles: ['meteorologist'] }))
    const present = { 'x-mcp-authorized': await sets.on.place.authorized({ tools: { weather: ['forecast'] } }) }
    for (const credential of [alice, present]) {
      const { response, reached } = await sent('on', ['tools/list'], { ...credential, [header]: await old('on') })
      expect([response.status, reached?.has(header)]).toEqual([200, false])
    }
    const { reached } = await sent('unenforced', ['tools/list'], {})
    expect(reached?.has(header)).toBe(false)
  })
})

describe('while the switch is off', () => {
  it('is no credential, and stays where it is', async () => {
    const { place, guard } = sets.off
    const token = await old('off')
    expect(await shown('off', { [header]: token })).toBe('token_missing')
    expect(await called('off', 'weather_forecast', { [header]: token })).toBe(401)
    const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
    const { reached } = await sent('off', ['tools/list'], { ...alice, [header]: 'anything' })
    expect(reached?.get(header)).toBe('anything')
    const { reasons } = await guard.decide({ credential: { authorizedTools: token }, ...alerts })
    expect(reasons[0]?.code).toBe('token_missing')
    expect(await guard.capabilities({ authorizedTools: token })).toMatchObject({ tools: {} })
  })

  it('leaves a list without a credential to profile kuadrant as it was', async () => {
    const { place, guard } = await made({ profile: 'kuadrant', enforce: false })
    const handler = handlerOf(() => result(listed['tools/list']))
    const response = await guard.fetch(handler.fetch)(rpcRequest('tools/list', {}, { [header]: 'a.b.c' }))
    expect([response.status, handler.reached[0]?.headers.get(header)]).toEqual([200, 'a.b.c'])
    await guard.close()
    await place.remove()
  })
})

const alerts = { method: 'tools/call', params: { name: 'weather_alerts' } }

describe('a program that hands it over', () => {
  it('gets decisions and capabilities by it', async () => {
    const { guard } = sets.on
    const token = await old('on', { weather: ['alerts'] })
    const code = async (credential: GuardCredential) => (await guard.decide({ credential, ...alerts })).reasons[0]?.code
    for (const authorizedTools of [token, [token]]) expect(await code({ authorizedTools })).toBeUndefined()
    expect(await code({ authorizedTools: [token, token] })).toBe('token_malformed')
    for (const authorizedTools of ['', []]) expect(await code({ authorizedTools })).toBe('token_missing')
    expect(await code({ authorizedTools: [7] } as unknown as GuardCredential)).toBe('token_missing')
    expect(await code({ authorized: token })).toBe('token_claim_missing')
    expect(await code({ authorized: '', authorizedTools: token })).toBe('token_missing')
    expect(await guard.capabilities({ authorizedTools: token })).toEqual({
      tools: { weather: ['alerts'] },
      prompts: {},
      resources: {},
      templates: {},
    })
  })

  it('says which session it came with', async () => {
    const { place, guard } = await made({ capabilities: { authorizedTools: true, bound: true } })
    const whole = { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp: now() + 60 }
    const token = await forge(place.capabilityPem, { ...whole, 'allowed-tools': '{"weather":["alerts"]}' })
    const { reasons } = await guard.decide({ credential: { authorizedTools: token, session: 's-1' }, ...alerts })
    expect(reasons[0]?.code).toBe('token_claim_missing')
    expect((await guard.decide({ credential: { authorizedTools: token }, ...alerts })).allow).toBe(true)
    await guard.close()
    await place.remove()
  })
})
