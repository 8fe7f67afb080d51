import { createHmac, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { forge, makePlace, type Place } from './place.ts'
import { bearer, handlerOf, result, rpcRequest } from './requests.ts'

let place: Place
let guard: Guard

beforeAll(async () => {
  place = await makePlace()
  guard = await createGuard({ config: place.config })
})
afterAll(async () => {
  guard.close()
  await place.remove()
})

const tools = ['weather_forecast', 'weather_alerts', 'files_read'].map((name) => ({ name, inputSchema: {} }))
const now = (): number => Math.floor(Date.now() / 1000)
const claimed = (changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  iss: 'mcp-authz',
  aud: 'mcp-broker',
  sub: 'alice',
  exp: now() + 60,
  'allowed-capabilities': JSON.stringify({ tools: { weather: ['forecast'] } }),
  ...changes,
})
const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** The tools that these headers show, or the reason why none are. */
async function shown(headers: Readonly<Record<string, string>>): Promise<unknown> {
  const handler = handlerOf(() => result({ tools }))
  const response = await guard.fetch(handler.fetch)(rpcRequest('tools/list', {}, headers))
  const body = (await response.json()) as {
    result?: { tools: { name: string }[] }
    error?: { data: { reason: string } }
  }
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  return body.result?.tools.map(({ name }) => name) ?? body.error?.data.reason
}

async function called(name: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const handler = handlerOf(() => result({ content: [] }))
  const response = await guard.fetch(handler.fetch)(rpcRequest('tools/call', { name }, headers))
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  return response.status
}

describe('an x-mcp-authorized that verifies', () => {
  it('shows and opens what it names, and nothing else', async () => {
    const header = { 'x-mcp-authorized': await place.authorized({ tools: { weather: ['forecast'] } }) }
    expect(await shown(header)).toEqual(['weather_forecast'])
    expect(await called('weather_forecast', header)).toBe(200)
    expect(await called('weather_alerts', header)).toBe(403)
    expect(await called('files_read', header)).toBe(403)
  })

  it('stays on the request', async () => {
    const token = await place.authorized({ tools: { weather: ['forecast'] } })
    const handler = handlerOf(() => result({ tools }))
    await guard.fetch(handler.fetch)(rpcRequest('tools/list', {}, { 'x-mcp-authorized': token }))
    expect(handler.reached[0]?.headers.get('x-mcp-authorized')).toBe(token)
  })

  it('shows nothing by names with a prefix, of other servers, or by wildcards', async () => {
    const maps = [{ weather: ['weather_forecast'] }, { ghost: ['forecast'] }, { weather: ['*'] }, { '*': ['forecast'] }]
    for (const map of maps) {
      expect(await shown({ 'x-mcp-authorized': await place.authorized({ tools: map }) })).toEqual([])
    }
  })

  it('is for one request, cut again by the virtual server of that request', async () => {
    const token = await place.authorized({ tools: { weather: ['forecast', 'alerts'] } })
    expect(await shown({ 'x-mcp-authorized': token, 'x-mcp-virtualserver': 'team/desk' })).toEqual(['weather_forecast'])
    expect(await shown({ 'x-mcp-authorized': token })).toEqual(['weather_forecast', 'weather_alerts'])
  })

  it('opens nothing beside a bearer, good or bad: that decides alone', async () => {
    const token = await place.authorized({ tools: { weather: ['forecast'] } })
    const bob = bearer(await place.token('bob', { roles: ['reader'] }))
    expect(await shown({ 'x-mcp-authorized': token, ...bob })).toEqual(['files_read'])
    expect(await called('weather_forecast', { 'x-mcp-authorized': token, ...bob })).toBe(403)
    for (const authorization of ['Bearer x.y.z', 'Bearer', 'Basic YTpi', '']) {
      expect(await called('weather_forecast', { 'x-mcp-authorized': token, authorization })).toBe(401)
    }
  })
})

const forgeries: readonly (readonly [string, string, () => string | Promise<string>])[] = [
  ['nothing in it', 'token_missing', () => ''],
  ['no token', 'token_malformed', () => 'team/desk'],
  ['two tokens', 'token_malformed', async () => `${await place.authorized({})}, ${await place.authorized({})}`],
  ['another key', 'token_signature', async () => await forge(otherPem, claimed())],
  ['an end that has come', 'token_expired', async () => await forge(place.capabilityPem, claimed({ exp: now() }))],
  ['no end', 'token_claim_missing', async () => await forge(place.capabilityPem, claimed({ exp: undefined }))],
  [
    'a beginning to come',
    'token_not_yet_valid',
    async () => await forge(place.capabilityPem, claimed({ nbf: now() + 9 })),
  ],
  ['another issuer', 'token_issuer_unknown', async () => await forge(place.capabilityPem, claimed({ iss: 'x' }))],
  ['another audience', 'token_audience', async () => await forge(place.capabilityPem, claimed({ aud: 'x' }))],
  [
    'no claim',
    'token_claim_missing',
    async () => await forge(place.capabilityPem, claimed({ 'allowed-capabilities': undefined })),
  ],
  [
    'a claim that is no string',
    'token_claim_missing',
    async () => await forge(place.capabilityPem, claimed({ 'allowed-capabilities': { tools: {} } })),
  ],
  [
    'a claim that is no JSON',
    'token_malformed',
    async () => await forge(place.capabilityPem, claimed({ 'allowed-capabilities': '{' })),
  ],
  [
    'a claim of another shape',
    'token_malformed',
    async () =>
      await forge(place.capabilityPem, claimed({ 'allowed-capabilities': '{"tools":{"weather":["forecast"]},"v":1}' })),
  ],
  ['the algorithm none', 'token_algorithm', () => `${encoded({ alg: 'none' })}.${encoded(claimed())}.`],
  ['HS256 under the public key', 'token_algorithm', () => hs256(place.publicPem)],
  ["the caller's own token", 'token_key_unknown', async () => await place.token('alice', { roles: ['meteorologist'] })],
]
const otherPem = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()

function hs256(secret: string): string {
  const input = `${encoded({ alg: 'HS256' })}.${encoded(claimed())}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

describe('an x-mcp-authorized that does not verify', () => {
  it.each(forgeries)('opens and shows nothing: %s', async (_, code, make) => {
    const header = { 'x-mcp-authorized': await make() }
    expect(await called('weather_forecast', header)).toBe(401)
    expect(await shown(header)).toBe(code)
  })

  it('is taken off a request that a bearer opens', async () => {
    const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
    const handler = handlerOf(() => result({ tools }))
    await guard.fetch(handler.fetch)(rpcRequest('tools/list', {}, { ...alice, 'x-mcp-authorized': 'a.b.c' }))
    expect(handler.reached[0]?.headers.has('x-mcp-authorized')).toBe(false)
  })

  it('is in profile strict no better than nothing at all', async () => {
    expect(await shown({})).toBe('token_missing')
    expect(await called('weather_forecast', {})).toBe(401)
  })
})
