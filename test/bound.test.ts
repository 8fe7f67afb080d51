import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/load.ts'
import { createDecisionLog } from '../src/decision-log/log.ts'
import { type CapabilityVerifier, createCapabilityVerifier, createGuard, type Guard } from '../src/guard/index.ts'
import { type Service, startService } from '../src/service.ts'
import { config, project, runIn } from './cli/terminal.ts'
import { check, connect } from './envoy/clients.ts'
import { decodeCheckResponse, encodeCheckRequest, headersOf, post, statusCode } from './envoy/messages.ts'
import { handlerOf, result, rpcRequest } from './guard/requests.ts'
import { craft, ecKeys, jwkOf, signer } from './identity/tokens.ts'

// One service that mints for sessions, and two that believe it: the guard, by its address, and a broker's own verifier.
const issuerKey = ecKeys('P-256')
let service: Service
let guard: Guard
let verifier: CapabilityVerifier
let directory: string

beforeAll(async () => {
  const bound = (rest: string) => config.replace(/^capabilities.*$/m, `capabilities: {bound: true, ${rest}}`)
  directory = await project({
    'mcp-authz.yaml': bound('key: {file: key.pem}, publishAheadSeconds: 0'),
    'jwks.json': JSON.stringify({ keys: [jwkOf(issuerKey, { kid: 'k' })] }),
  })
  service = await startService({
    config: await loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }),
    capabilityKeyFile: join(directory, 'key.pem'),
    log: createDecisionLog({ level: 'silent' }),
  })
  const url = `http://${service.http}/.well-known/jwks.json`
  const elsewhere = await project({ 'mcp-authz.yaml': bound(`trusted: {url: "${url}"}`) })
  guard = await createGuard({ config: join(elsewhere, 'mcp-authz.yaml') })
  verifier = createCapabilityVerifier({ trusted: { url }, issuer: 'mcp-authz', audience: 'mcp-broker', bound: true })
})
afterAll(async () => {
  guard.close()
  verifier.close()
  await service.stop()
})

function bearer(): string {
  const exp = Math.floor(Date.now() / 1000) + 600
  const who = { iss: 'https://sso.example.com', aud: 'mcp-gateway', sub: 'alice', exp }
  const roles = { realm_access: { roles: ['forecaster'] } }
  return craft({ alg: 'ES256', kid: 'k' }, { ...who, ...roles }, signer('ES256', issuerKey.privateKey))
}

type Headers = Readonly<Record<string, string>>
const inSession = (session: string | undefined): Headers => (session === undefined ? {} : { 'mcp-session-id': session })

async function checked(headers: Headers, token = bearer()): Promise<Buffer> {
  const client = connect(service.grpc)
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }
  try {
    return await check(client, post(message, { headers: { authorization: `Bearer ${token}`, ...headers } }))
  } finally {
    client.close()
  }
}

/** The token that Envoy is given to carry on for a request of this session. */
async function carried(session: string | undefined): Promise<string> {
  const reply = await checked(inSession(session))
  expect(statusCode(reply)).toBe(0)
  return headersOf(reply)['x-mcp-authorized'] ?? ''
}

/** `ok`, or why the guard denies a call that carries this. */
async function guarded(headers: Headers): Promise<string> {
  const handler = handlerOf(() => result({}))
  const response = await guard.fetch(handler.fetch)(rpcRequest('tools/call', { name: 'weather_forecast' }, headers))
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  if (response.ok) return 'ok'
  return ((await response.json()) as { error: { data: { reason: string } } }).error.data.reason
}

async function verified(token: string, session: string | undefined): Promise<string> {
  const outcome = await verifier.verify(token, { session })
  return outcome.ok ? 'ok' : outcome.code
}

describe('a token that is bound to a session', () => {
  it('opens in that session alone what it opens, for guard and verifier alike', async () => {
    const token = await carried('s-1')
    expect(decodeJwt(token)['session']).toBe(createHash('sha256').update('s-1').digest('base64url'))
    for (const [session, expected] of [
      ['s-1', 'ok'],
      ['s-2', 'session_invalid'],
      [undefined, 'session_invalid'],
    ] as const) {
      expect(await guarded({ 'x-mcp-authorized': token, ...inSession(session) })).toBe(expected)
      expect(await verified(token, session)).toBe(expected)
    }
  })

  it('is none where the request has no session, and opens nothing beside one', async () => {
    for (const token of [await carried(undefined), await carried('')]) {
      expect(await guarded({ 'x-mcp-authorized': token })).toBe('ok')
      expect(await guarded({ 'x-mcp-authorized': token, ...inSession('s-1') })).toBe('token_claim_missing')
      expect(await verified(token, 's-1')).toBe('token_claim_missing')
    }
  })

  it('is presented to the guard by a program with the session it came with', async () => {
    const authorized = await carried('s-1')
    const method = 'tools/call'
    const decide = async (session?: string) =>
      await guard.decide({ credential: { authorized, session }, method, params: { name: 'weather_forecast' } })
    expect((await decide('s-1')).allow).toBe(true)
    expect((await decide('s-2')).reasons[0]?.code).toBe('session_invalid')
    expect((await decide()).reasons[0]?.code).toBe('session_invalid')
  })

  it('is not minted for two sessions at once', async () => {
    const rawBody = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
    const entry = (key: string, value: string) => ({ key, raw_value: Buffer.from(value) })
    const named = { authorization: `Bearer ${bearer()}`, 'content-type': 'application/json' }
    const headers = Object.entries(named).map(([name, value]) => entry(name, value))
    const twice = [entry('mcp-session-id', 's-1'), entry('mcp-session-id', 's-2')]
    const client = connect(service.grpc)
    const http = { method: 'POST', header_map: { headers: [...headers, ...twice] }, raw_body: rawBody }
    const reply = decodeCheckResponse(await check(client, encodeCheckRequest({ attributes: { request: { http } } })))
    client.close()
    expect(reply.denied_response?.body).toContain('header_mismatch')
  })
})

describe('two kinds of token', () => {
  it('are not taken for one another', async () => {
    const token = await carried('s-1')
    const asBearer = decodeCheckResponse(await checked(inSession('s-1'), token))
    expect(asBearer.denied_response?.body).toContain('token_issuer_unknown')
    expect(await guarded({ authorization: `Bearer ${token}`, ...inSession('s-1') })).toBe('token_issuer_unknown')
    expect(await guarded({ 'x-mcp-authorized': bearer(), ...inSession('s-1') })).toBe('token_key_unknown')
  })
})

describe('a guard that knows the address of the keys', () => {
  it('follows a rotation without a restart', async () => {
    const before = await carried('s-1')
    expect((await runIn(directory, ['keys', 'rotate'])).code).toBe(0)
    let after = before
    while (after === before) after = await carried('s-1')
    expect(await guarded({ 'x-mcp-authorized': after, ...inSession('s-1') })).toBe('ok')
    expect(await guarded({ 'x-mcp-authorized': before, ...inSession('s-1') })).toBe('ok')
  })
})
