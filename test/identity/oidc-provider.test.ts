import { join } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { type Service, startService } from '../../src/service.ts'
import { folder } from '../cli/terminal.ts'
import { pems } from '../config/workspace.ts'
import { check, connect } from '../envoy/clients.ts'
import { decodeCheckResponse, post } from '../envoy/messages.ts'
import { type OidcProvider, otherResource, resource, startOidcProvider, type UserTokens } from './oidc-provider.ts'

let provider: OidcProvider
let service: Service
let alice: UserTokens
// Draining takes its time, so all of them are waited for together.
const started: Service[] = []

const data = { servers: { weather: { prefix: 'weather_', tools: ['forecast', 'alerts'] } } }

beforeAll(async () => {
  provider = await startOidcProvider()
  service = await serve({ audiences: [resource] })
  alice = await provider.signIn('alice')
})
afterAll(async () => {
  await Promise.all(started.map((each) => each.stop()))
  await provider[Symbol.asyncDispose]()
})

/** A running service that trusts the provider under these rules. */
async function serve(rules: object): Promise<Service> {
  const config = {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    data: ['data.json'],
    issuers: [{ issuer: provider.origin, ...rules }],
  }
  const files = { 'mcp-authz.json': JSON.stringify(config), 'data.json': JSON.stringify(data), 'key.pem': pems.pkcs8 }
  const directory = await folder(files)
  const running = await startService({
    config: await loadConfig(join(directory, 'mcp-authz.json'), { env: {} }),
    capabilityKeyFile: join(directory, 'key.pem'),
    log: createDecisionLog({ level: 'silent' }),
  })
  started.push(running)
  return running
}

/** `allow`, or the reason why not. */
async function call(tool: string, token: string, at = service): Promise<string> {
  const client = connect(at.grpc)
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }
  const reply = decodeCheckResponse(
    await check(client, post(message, { headers: { authorization: `Bearer ${token}` } })),
  )
  client.close()
  if ((reply.status?.code ?? 0) === 0) return 'allow'
  return JSON.parse(reply.denied_response?.body ?? '').error.data.reason
}

describe('a token of a provider that is found by discovery', () => {
  test('opens to a client what it was granted, and nothing else', async () => {
    const token = await provider.agentToken(resource)
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', alg: 'RS256', kid: 'signing' })
    expect(await call('weather_forecast', token)).toBe('allow')
    expect(await call('weather_alerts', token)).toBe('role_missing')
  })

  test('opens to a person who signed in what was granted to the person', async () => {
    expect(await call('weather_alerts', alice.access)).toBe('allow')
  })

  test('for another resource is refused', async () => {
    expect(await call('weather_forecast', await provider.agentToken(otherResource))).toBe('token_audience')
  })

  test('that is an ID token is refused for its audience', async () => {
    expect(await call('weather_alerts', alice.id)).toBe('token_audience')
  })

  test('that is an ID token is refused for its nonce, where its audience would do', async () => {
    const trusting = await serve({ audiences: [resource, 'desk'] })
    const { access, id } = await provider.signIn('alice', { nonce: 'n-0S6_WzA2Mj' })
    expect(await call('weather_alerts', id, trusting)).toBe('token_type')
    expect(await call('weather_alerts', access, trusting)).toBe('allow')
  })

  test('that is an ID token without a nonce is refused for the client it does not name', async () => {
    const trusting = await serve({ audiences: [resource, 'desk'], authorizedParties: ['desk'] })
    expect(await call('weather_alerts', alice.id, trusting)).toBe('token_claim_missing')
    expect(await call('weather_alerts', alice.access, trusting)).toBe('allow')
  })

  test('is refused by whom it was issued to, and for what it lacks', async () => {
    const token = await provider.agentToken(resource)
    const narrow = await serve({ audiences: [resource], authorizedParties: ['desk'] })
    expect(await call('weather_alerts', alice.access, narrow)).toBe('allow')
    expect(await call('weather_forecast', token, narrow)).toBe('token_party')
    const demanding = await serve({ audiences: [resource], requiredClaims: ['jti', 'groups'] })
    expect(await call('weather_alerts', alice.access, demanding)).toBe('allow')
    expect(await call('weather_forecast', token, demanding)).toBe('token_claim_missing')
  })
})
