import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { addressesIn, config, folder, type Program, project, runIn, start } from '../cli/terminal.ts'
import { check, connect } from '../envoy/clients.ts'
import { decodeCheckResponse, headersOf, post, removals, statusCode } from '../envoy/messages.ts'
import { craft, jwkOf, signer } from '../identity/tokens.ts'
import { routerClaims, sessionClaims, signed, signingKey } from './tokens.ts'

/** Each mostly waits for a process, so they run side by side. */
const patient = { timeout: 30_000, concurrent: true }

const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const gateway = 'mcp: {profile: kuadrant}\ngateway: {backendInit: true, sessions: true}\n'
const published = 'protectedResource: {publicHost: mcp.example.com, scopesSupported: [basic, groups]}\n'

function bearer(): string {
  const exp = Math.floor(Date.now() / 1000) + 600
  const claims = { iss: 'https://sso.example.com', aud: 'mcp-gateway', sub: 'alice', exp }
  return craft({ alg: 'ES256', kid: 'k' }, claims, signer('ES256', keys.privateKey))
}

async function place(more: string): Promise<string> {
  const jwks = JSON.stringify({ keys: [jwkOf(keys, { kid: 'k' })] })
  return await project({ 'mcp-authz.yaml': config + more, 'jwks.json': jwks })
}

interface Running extends Program {
  readonly grpc: string
  readonly http: string
}

async function serveIn(directory: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const program = start(directory, ['serve', ...args], env)
  return { ...program, ...addressesIn(await program.ready()) }
}

/** `allow` or the first reason, and the challenge. */
async function ask({ grpc }: Running, method: string, headers: Readonly<Record<string, string>>) {
  const client = connect(grpc)
  const bytes = await check(client, post({ jsonrpc: '2.0', id: 1, method, params: {} }, { headers }))
  client.close()
  const reason = decodeCheckResponse(bytes).dynamic_metadata?.fields['reasons']?.listValue?.values?.[0]?.stringValue
  return [reason ?? 'allow', headersOf(bytes)['www-authenticate']]
}

describe('a service that stands for a gateway', patient, () => {
  it.each<readonly [string, readonly string[], NodeJS.ProcessEnv, readonly RegExp[]]>([
    ['the environment', [], { GATEWAY_SIGNING_KEY: signingKey }, []],
    [
      'the environment by its old name',
      [],
      { JWT_SESSION_SIGNING_KEY: signingKey },
      [/JWT_SESSION_SIGNING_KEY is deprecated: name it GATEWAY_SIGNING_KEY/],
    ],
    [
      'the command line, over the environment',
      ['--gateway-signing-key', signingKey],
      { GATEWAY_SIGNING_KEY: 'x'.repeat(40) },
      [/--gateway-signing-key: everybody on this host can read a command line; set GATEWAY_SIGNING_KEY instead/],
    ],
    [
      'the command line by its old name',
      ['--session-signing-key', signingKey],
      {},
      [/--session-signing-key: everybody on this host/, /--session-signing-key is deprecated: name it --gateway-/],
    ],
  ])('takes its key from %s, and says nothing of it', async (_, args, env, warnings) => {
    const service = await serveIn(await place(gateway), args, env)
    for (const warning of warnings) await service.says(warning)
    const authorization = `Bearer ${bearer()}`
    const session = { authorization, 'mcp-session-id': signed(sessionClaims()) }
    expect(await ask(service, 'tools/list', session)).toEqual(['allow', undefined])
    expect(await ask(service, 'tools/list', { authorization })).toEqual(['session_invalid', 'Bearer'])
    const wrong = { authorization, 'mcp-init-host': 'evil.test', 'router-key': signed(routerClaims()) }
    expect((await ask(service, 'initialize', wrong))[0]).toBe('router_key_invalid')
    expect(service.out() + service.err()).not.toContain(signingKey)
    if (warnings.length === 0) expect(service.err()).not.toContain('signing')
  })

  it('does not start without a key, or with one that is too short', async () => {
    const directory = await place(gateway)
    const without = await runIn(directory, ['serve'])
    expect([without.code, without.out]).toEqual([2, ''])
    expect(without.err).toContain('it needs a signing key, and there is none; mend: set GATEWAY_SIGNING_KEY')
    const short = await runIn(directory, ['serve', '--gateway-signing-key', 'too-short-a-key'])
    expect([short.code, short.out]).toEqual([2, ''])
    expect(short.err).toContain('--gateway-signing-key is shorter than 32 bytes')
    expect(short.err).not.toContain('too-short-a-key')
  })

  it('is not the embedded default: a key for that is refused', async () => {
    const { code, err } = await runIn(await folder(), ['serve', '--session-signing-key', signingKey])
    expect([code, err]).toEqual([
      2,
      'configuration: --session-signing-key: the embedded default has no gateway to sign for; mend: name a configuration with --config\n',
    ])
  })
})

describe('an initialize of the router with a backend', patient, () => {
  it('carries the capability token of no client there, and none that it was sent', async () => {
    const service = await serveIn(await place(gateway), [], { GATEWAY_SIGNING_KEY: signingKey })
    const client = connect(service.grpc)
    const opening = {
      authorization: `Bearer ${bearer()}`,
      'mcp-init-host': 'alpha.upstream.test',
      'router-key': signed(routerClaims()),
    }
    const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }
    const bytes = await check(client, post(message, { headers: { ...opening, 'x-mcp-authorized': 'forged' } }))
    client.close()
    expect(statusCode(bytes)).toBe(0)
    expect(headersOf(bytes)).not.toHaveProperty('x-mcp-authorized')
    expect(removals(bytes)).toEqual(expect.arrayContaining(['x-mcp-authorized', 'mcp-init-host', 'router-key']))
  })
})

describe('a service that says which resource it protects', patient, () => {
  it('publishes it, and names it in its challenges', async () => {
    const service = await serveIn(await place(published))
    const metadata = await fetch(`http://${service.http}/.well-known/oauth-protected-resource/mcp`)
    expect(await metadata.json()).toEqual({
      resource_name: 'MCP Server',
      resource: 'https://mcp.example.com/mcp',
      authorization_servers: ['https://sso.example.com'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['basic', 'groups'],
    })
    const named =
      'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp", scope="basic groups"'
    expect(await ask(service, 'tools/list', { authorization: '' })).toEqual(['token_missing', `Bearer ${named}`])
    expect(await ask(service, 'tools/list', { authorization: 'Bearer a.b.c' })).toEqual([
      'token_malformed',
      `Bearer error="invalid_token", error_description="the token is not a well-formed JWT", ${named}`,
    ])
  })

  it('takes it from the OAUTH_ variables of Kuadrant', async () => {
    const env = { OAUTH_RESOURCE: 'https://mcp.example.com/mcp', OAUTH_AUTHORIZATION_SERVERS: 'https://a.example.com' }
    const service = await serveIn(await place(''), [], env)
    const metadata = await fetch(`http://${service.http}/.well-known/oauth-protected-resource`)
    expect(await metadata.json()).toMatchObject({
      resource: 'https://mcp.example.com/mcp',
      authorization_servers: ['https://a.example.com'],
    })
  })

  it('publishes defaults where it says nothing, and its challenges stay as they were', async () => {
    const service = await serveIn(await place(''))
    const metadata = await fetch(`http://${service.http}/.well-known/oauth-protected-resource`)
    expect(await metadata.json()).toEqual({
      resource_name: 'MCP Server',
      resource: `http://${service.http}/mcp`,
      authorization_servers: ['https://sso.example.com'],
      bearer_methods_supported: ['header'],
      scopes_supported: ['basic'],
    })
    expect(await ask(service, 'tools/list', { authorization: '' })).toEqual(['token_missing', 'Bearer'])
  })
})
