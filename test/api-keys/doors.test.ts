import { afterAll, describe, expect, it } from 'vitest'
import type { ApiKeyScope } from '../../src/api-keys/api-key.gen.ts'
import { newSecret } from '../../src/api-keys/secret.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import { createEnvoyDoor } from '../../src/envoy/server.ts'
import { createGuard } from '../../src/guard/index.ts'
import { readCall } from '../../src/mcp/request.ts'
import { capabilityKey } from '../authorizer/scenes.ts'
import { strict } from '../envoy/authorizers.ts'
import { check, connect } from '../envoy/clients.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../envoy/messages.ts'
import { bearer, handlerOf, result, rpcRequest } from '../guard/requests.ts'
import { now } from '../identity/tokens.ts'
import { placeWith } from './place.ts'

const minting = {
  issuer: 'mcp-authz',
  audience: 'mcp-broker',
  lifetimeSeconds: 100,
  maxBytes: 32_768,
  profile: 'strict',
} as const
const place = placeWith({ minter: createMinter(minting, () => capabilityKey) })
const envoy = await createEnvoyDoor({ authorizer: place.authorizer, read: strict, address: '127.0.0.1:0' })
const client = connect(envoy.address)
afterAll(async () => {
  client.close()
  await envoy.drain({ deadlineMs: 0 })
})

/** Who calls what, from where. */
interface Call {
  readonly secret: string
  readonly tool?: string
  readonly address?: string
}

/** What a door answered: the first reason, or `allow`, and the HTTP status of a denial. */
interface Answer {
  readonly code: string
  readonly status?: number
}

async function overGrpc({ secret, tool = 'weather_forecast', address }: Call): Promise<Answer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` }
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }
  const request = encodeCheckRequest({
    attributes: {
      ...(address === undefined ? {} : { source: { address: { socket_address: { address } } } }),
      request: { http: { method: 'POST', headers, raw_body: Buffer.from(JSON.stringify(message)) } },
    },
  })
  const {
    status,
    dynamic_metadata: metadata,
    denied_response: denied,
  } = decodeCheckResponse(await check(client, request))
  if (status?.code === undefined || status.code === 0) return { code: 'allow' }
  const code = metadata?.fields['reasons']?.listValue?.values?.[0]?.stringValue
  return { code: String(code), ...(denied === undefined ? {} : { status: denied.status.code }) }
}

async function overFetch({ secret, tool = 'weather_forecast', address }: Call): Promise<Answer> {
  const guard = await createGuard({ authorizer: place.authorizer, address: () => address })
  const handler = handlerOf(() => result({}))
  const response = await guard.fetch(handler.fetch)(rpcRequest('tools/call', { name: tool }, bearer(secret)))
  if (response.ok) return { code: handler.reached.length === 1 ? 'allow' : 'nothing reached the handler' }
  const { error } = (await response.json()) as { error: { data: { reason: string } } }
  return { code: error.data.reason, status: response.status }
}

const statuses = {
  credential_excludes: 403,
  address_refused: 403,
  time_refused: 403,
  api_key_unknown: 401,
  token_malformed: 401,
  token_expired: 401,
  token_revoked: 401,
  state_unavailable: 503,
  revocations_unknown: 503,
  role_missing: 403,
} as const

const denied = (code: keyof typeof statuses): Answer => ({ code, status: statuses[code] })

const doors = [
  ['a check over gRPC', overGrpc],
  ['a request through the guard', overFetch],
] as const
const secretOf = async (scope: ApiKeyScope) => (await place.scoped(scope)).secret

describe.each(doors)('%s with an API key', (_, ask) => {
  it('may do what the key grants, and no more', async () => {
    const { secret } = await place.create({ roles: ['reader'], grants: { weather: ['tool:forecast'] } })
    expect(await ask({ secret })).toEqual({ code: 'allow' })
    expect(await ask({ secret, tool: 'files_read' })).toEqual({ code: 'allow' })
    expect(await ask({ secret, tool: 'weather_alerts' })).toEqual(denied('role_missing'))
    const staff = await place.create({ groups: ['staff'] })
    expect(await ask({ secret: staff.secret, tool: 'files_read' })).toEqual({ code: 'allow' })
  })

  it.each<[string, ApiKeyScope]>([
    ['virtual servers', { virtualServers: ['desk'] }],
    ['capabilities', { capabilities: { '*': ['tool:forecast', 'tool:r*'] } }],
  ])('is held to %s', async (_, scope) => {
    const secret = await secretOf(scope)
    expect(await ask({ secret })).toEqual({ code: 'allow' })
    expect(await ask({ secret, tool: 'files_read' })).toEqual({ code: 'allow' })
    expect(await ask({ secret, tool: 'files_wipe' })).toEqual(denied('credential_excludes'))
  })

  it('is held to addresses, of which none is known where the door knows none', async () => {
    const secret = await secretOf({ addresses: ['192.0.2.0/24', '2001:db8::/32'] })
    for (const address of ['192.0.2.7', '::ffff:192.0.2.7', '2001:db8::7']) {
      expect(await ask({ secret, address })).toEqual({ code: 'allow' })
    }
    for (const address of ['192.0.3.7', '/run/pipe', undefined]) {
      const from = address === undefined ? {} : { address }
      expect(await ask({ secret, ...from })).toEqual(denied('address_refused'))
    }
  })

  it('is held to times', async () => {
    const never = { zone: 'UTC', days: [], from: '00:00', to: '00:00' }
    expect(await ask({ secret: await secretOf({ times: [never] }) })).toEqual(denied('time_refused'))
  })
})

it('asks again of a key what it allowed without using it up', async () => {
  const token = await secretOf({ usage: { total: 1 } })
  const reading = readCall({ method: 'tools/call', params: '{"name":"weather_forecast"}' }, {}, strict)
  const attempt = { credential: { kind: 'token', token }, reading } as const
  expect((await place.authorizer.authorize(attempt)).decision.allow).toBe(true)
  for (const _ of [1, 2])
    expect((await place.authorizer.authorize({ ...attempt, again: true })).decision.allow).toBe(true)
  expect((await place.authorizer.authorize(attempt)).decision.reasons).toMatchObject([{ code: 'usage_exceeded' }])
})

describe.each(doors)('%s with a key that is over', (_, ask) => {
  it('is used up by requests, also by those that policy denies', async () => {
    const secret = await secretOf({ usage: { perHour: 2 }, capabilities: { weather: ['tool:*'] } })
    expect((await ask({ secret })).code).toBe('allow')
    expect((await ask({ secret, tool: 'files_wipe' })).code).toBe('credential_excludes')
    expect((await ask({ secret })).code).toBe('usage_exceeded')
  })

  it('is denied where its uses cannot be counted, or its revocation not be known', async () => {
    const secret = await secretOf({ usage: { total: 9 } })
    place.tally.fails = true
    expect(await ask({ secret })).toEqual(denied('state_unavailable'))
    place.tally.fails = false
    place.ledger.uncertainMs = Number.POSITIVE_INFINITY
    expect(await ask({ secret })).toEqual(denied('revocations_unknown'))
    place.ledger.uncertainMs = 0
    expect(await ask({ secret })).toEqual({ code: 'allow' })
  })

  it('is denied as a key that nobody knows, is none, has expired or was revoked', async () => {
    expect(await ask({ secret: newSecret() })).toEqual(denied('api_key_unknown'))
    expect(await ask({ secret: 'mcpak_short' })).toEqual(denied('token_malformed'))
    const ended = await place.create({ expiresAt: now - 1 })
    expect(await ask({ secret: ended.secret })).toEqual(denied('token_expired'))
    const { id, secret } = await place.create({ roles: ['everything'] })
    expect(await ask({ secret })).toEqual({ code: 'allow' })
    await place.revoker.revoke({ target: { of: { kind: 'api-key', id } } })
    expect(await ask({ secret })).toEqual(denied('token_revoked'))
  })
})

describe('the lists of the guard', () => {
  it('show what the key may call from there, and use it once', async () => {
    const scope = { addresses: ['192.0.2.7'], usage: { total: 1 }, virtualServers: ['desk'] }
    const { secret } = await place.scoped(scope)
    const names = ['weather_forecast', 'weather_alerts', 'files_read', 'files_wipe']
    const from = async (address: string) => {
      const guard = await createGuard({ authorizer: place.authorizer, address: () => address })
      const tools = names.map((name) => ({ name, inputSchema: {} }))
      return await guard.fetch(async () => result({ tools }))(rpcRequest('tools/list', {}, bearer(secret)))
    }
    expect((await from('192.0.2.8')).status).toBe(403)
    const shown = (await (await from('192.0.2.7')).json()) as { result: { tools: { name: string }[] } }
    expect(shown.result.tools.map(({ name }) => name)).toEqual(['weather_forecast', 'files_read'])
    expect((await from('192.0.2.7')).status).not.toBe(200)
  })

  it('and decisions of a program know the address it names', async () => {
    const { secret: token } = await place.scoped({ addresses: ['192.0.2.7'] })
    const guard = await createGuard({ authorizer: place.authorizer })
    const attempt = { credential: { token }, method: 'tools/call', params: { name: 'weather_forecast' } }
    expect(await guard.decide({ ...attempt, address: '192.0.2.7' })).toMatchObject({ allow: true })
    expect(await guard.decide(attempt)).toMatchObject({ allow: false, reasons: [{ code: 'address_refused' }] })
    expect((await guard.capabilities({ token }, undefined, '192.0.2.7')).tools).toHaveProperty('weather')
    expect((await guard.capabilities({ token })).tools).toEqual({})
  })

  it('deny where finding the address fails', async () => {
    const { secret } = await place.scoped({ capabilities: { weather: ['tool:*'] } })
    const guard = await createGuard({
      authorizer: place.authorizer,
      address: () => {
        throw new Error('no socket')
      },
    })
    const handler = handlerOf(() => result({}))
    const response = await guard.fetch(handler.fetch)(
      rpcRequest('tools/call', { name: 'weather_forecast' }, bearer(secret)),
    )
    expect([response.status, handler.reached.length]).toEqual([503, 0])
  })
})
