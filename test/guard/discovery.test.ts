import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client, InsufficientScopeError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport as TransportOfV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Assembly, assemble } from '../../src/assembly.ts'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createMetrics } from '../../src/decision-log/metrics.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { createHttpDoor } from '../../src/http/app.ts'
import { messageOf } from '../../src/policy/reasons.ts'
import { makePlace, type Place } from './place.ts'
import { clientV2 } from './sdk-clients.ts'

/** What clients asked for below /.well-known, in order, at the gateway and at the authorization server. */
const asked: string[] = []
const redirect = 'http://localhost:3000/callback'

let place: Place
let assembly: Assembly
let guard: Guard
let gateway: Server
let sso: Server
let url: URL
let issuer: string

beforeAll(async () => {
  sso = createServer(authorizationServer)
  issuer = (await listen(sso)).origin
  let behind: RequestListener = () => undefined
  gateway = createServer((request, response) => behind(request, response))
  const { origin } = await listen(gateway)
  url = new URL(`${origin}/mcp`)
  const protectedResource = {
    resource: url.href,
    authorizationServers: [issuer],
    scopesSupported: ['basic', 'offline_access'],
  }
  place = await makePlace({ more: { protectedResource } })
  assembly = await assemble(await loadConfig(place.config, { env: {} }))
  guard = await createGuard({ ...assembly, authorizer: wantingScope(assembly.authorizer) })
  behind = gatewayOf(assembly, guard)
})
afterAll(async () => {
  for (const server of [gateway, sso]) {
    server.closeAllConnections()
    server.close()
  }
  guard.close()
  assembly.close()
  await place.remove()
})

async function listen(server: Server): Promise<URL> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

/** As a gateway routes: what is well-known to the HTTP door, all else through the guard. */
function gatewayOf({ authorizer, read, protectedResource }: Assembly, guarding: Guard): RequestListener {
  const metrics = createMetrics({ revision: () => 'r1', ready: () => true })
  const origin = () => 'http://127.0.0.1:8181'
  const jwks = () => ({ keys: [] })
  const app = createHttpDoor({
    authorizer,
    read,
    ready: () => true,
    status: () => ({}),
    jwks,
    metrics,
    origin,
    protectedResource,
  })
  const guarded = toNodeHandler({ fetch: guarding.fetch(answer) }) as RequestListener
  return (request, response) => {
    const path = request.url ?? ''
    if (!path.startsWith('/.well-known/')) return guarded(request, response)
    asked.push(path)
    return app(request, response)
  }
}

/** An MCP server of one tool, as far as a client of 2025-11-25 needs it. */
async function answer(request: Request): Promise<Response> {
  const { id, method } = (await request.json()) as { id?: number; method: string }
  if (id === undefined) return new Response(null, { status: 202 })
  const serverInfo = { name: 'test', version: '1' }
  const opened = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }
  const result = method === 'initialize' ? opened : { content: [] }
  return Response.json({ jsonrpc: '2.0', id, result })
}

/** Denies every call of a tool for want of scope, as a policy does that asks for scopes. */
function wantingScope(authorizer: Authorizer): Authorizer {
  return {
    ...authorizer,
    async authorize(attempt) {
      const outcome = await authorizer.authorize(attempt)
      const { decision } = outcome
      if (decision.action !== 'tools/call' || !decision.allow) return outcome
      const code = 'scope_missing'
      const reasons = [{ code, message: messageOf(code), scopes: ['weather:read', 'weather:alerts'] } as const]
      return {
        ...outcome,
        decision: {
          ...decision,
          allow: false,
          reasons: reasons.map((reason) => ({ ...reason, scopes: [...reason.scopes] })),
        },
      }
    },
  }
}

/** RFC 8414, and no more: clients go as far as sending their person there. */
function authorizationServer(request: IncomingMessage, response: ServerResponse): void {
  asked.push(`sso ${request.url}`)
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    }),
  )
}

/** A client's side of OAuth that stops where a person would have to act. */
function provider() {
  const sent: URL[] = []
  return {
    sent,
    redirectUrl: redirect,
    clientMetadata: { redirect_uris: [redirect], client_name: 'test' },
    clientInformation: () => ({ client_id: 'test-client', issuer }),
    saveClientInformation: () => undefined,
    tokens: () => undefined,
    saveTokens: () => undefined,
    redirectToAuthorization: (address: URL) => void sent.push(address),
    saveCodeVerifier: () => undefined,
    codeVerifier: () => 'verifier',
  }
}

type Connect = (authProvider: ReturnType<typeof provider>) => Promise<void>

const clients: readonly (readonly [string, Connect])[] = [
  [
    'SDK v2',
    async (authProvider) => {
      const client = new Client({ name: 'test', version: '1' })
      await client.connect(new StreamableHTTPClientTransport(url, { authProvider }))
    },
  ],
  [
    'SDK v1',
    async (authProvider) => {
      const client = new ClientV1({ name: 'test', version: '1' })
      await client.connect(new TransportV1(url, { authProvider }) as TransportOfV1)
    },
  ],
]

describe.each(clients)('a client of %s without a token', (_, connect) => {
  it('finds the authorization server by the challenge, and asks it for our resource and scope', async () => {
    asked.length = 0
    const authProvider = provider()
    await expect(connect(authProvider)).rejects.toThrow(/unauthorized/i)
    expect(asked[0]).toBe('/.well-known/oauth-protected-resource/mcp')
    expect(asked.filter((path) => !path.startsWith('sso '))).toHaveLength(1)
    const [address] = authProvider.sent
    expect(`${address?.origin}${address?.pathname}`).toBe(`${issuer}/authorize`)
    expect(address?.searchParams.get('resource')).toBe(url.href)
    expect(address?.searchParams.get('scope')?.split(' ')[0]).toBe('basic')
  })
})

describe('a client whose token lacks scope', () => {
  it('is told the smallest set that would cure it, and where to get it', async () => {
    const authorization = `Bearer ${await place.token('alice', { roles: ['meteorologist'] })}`
    const client = await clientV2(url, { authorization }, 'legacy')
    const thrown = await client.callTool({ name: 'weather_alerts', arguments: {} }).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(InsufficientScopeError)
    expect(thrown).toMatchObject({
      requiredScope: 'weather:read weather:alerts',
      resourceMetadataUrl: new URL('/.well-known/oauth-protected-resource/mcp', url),
      errorDescription: 'the token lacks an OAuth scope',
    })
  })

  it('is told nothing of scope where a role is what it lacks', async () => {
    const authorization = `Bearer ${await place.token('bob')}`
    const client = await clientV2(url, { authorization }, 'legacy')
    const thrown = await client.callTool({ name: 'weather_alerts', arguments: {} }).catch((error: unknown) => error)
    expect(thrown).not.toBeInstanceOf(InsufficientScopeError)
    expect(thrown).toMatchObject({ message: expect.stringContaining('403') })
  })
})
