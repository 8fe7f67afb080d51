import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Configuration, errors } from 'oidc-provider'
import { ecKeys, rsaKeys } from './tokens.ts'

/** The resource that tokens are asked for. */
export const resource = 'http://127.0.0.1:8001/mcp'
/** Another one that the provider knows. */
export const otherResource = 'https://elsewhere.example.com/mcp'

const redirect = 'https://desk.example.com/callback'
const signInPath = '/sign-in'
const agent = { client_id: 'agent', client_secret: 'agent-secret' }

/** What a person who signed in at the client `desk` was given. */
export interface UserTokens {
  readonly access: string
  readonly id: string
}

/** An OpenID Connect provider on loopback: discovery, keys, clients, and people who sign in without a password. */
export interface OidcProvider extends AsyncDisposable {
  readonly origin: string
  /** A JWT access token of the client `agent` (RFC 6749 section 4.4, RFC 8707). */
  agentToken(resource: string): Promise<string>
  /** The authorization code flow, with PKCE, of the public client `desk`. */
  signIn(login: string, parameters?: Readonly<Record<string, string>>): Promise<UserTokens>
}

/** What each subject is granted. */
const grants: Readonly<Record<string, Record<string, unknown>>> = {
  agent: { resource_access: { weather: { roles: ['tool:forecast'] } } },
  alice: { resource_access: { weather: { roles: ['tool:forecast', 'tool:alerts'] } }, groups: ['desk'] },
}

export async function startOidcProvider(): Promise<OidcProvider> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(origin, configuration())
  const answer = provider.callback()
  server.on('request', (request, response) => {
    if (request.url?.startsWith(signInPath)) void letIn(provider, request, response)
    else void answer(request, response)
  })
  return {
    origin,
    agentToken: async (asked) => {
      const form = { ...agent, grant_type: 'client_credentials', scope: 'mcp', resource: asked }
      return (await tokensFrom(origin, form)).access_token
    },
    signIn: async (login, parameters = {}) => await signIn(origin, { ...parameters, login_hint: login }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Whoever is named comes in. */
async function letIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(request, response)
  const login = { accountId: String(params['login_hint']) }
  await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false })
}

function configuration(): Configuration {
  const signing = rsaKeys().privateKey.export({ format: 'jwk' })
  const encrypting = ecKeys('P-256').privateKey.export({ format: 'jwk' })
  return {
    jwks: {
      keys: [
        { ...signing, kid: 'signing', use: 'sig', alg: 'RS256' },
        { ...encrypting, kid: 'encrypting', use: 'enc', alg: 'ECDH-ES' },
      ],
    },
    cookies: { keys: ['of no use to anybody'] },
    clients: [
      {
        ...agent,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
      {
        client_id: 'desk',
        grant_types: ['authorization_code'],
        redirect_uris: [redirect],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
      },
    ],
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.com` }) }),
    extraTokenClaims: (_, token) => grants['accountId' in token ? token.accountId : (token.clientId ?? '')],
    // Consent is given: whoever signs in at `desk` may use the resource.
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      })
      grant.addOIDCScope('openid')
      grant.addResourceScope(resource, 'mcp')
      await grant.save()
      return grant
    },
    interactions: { url: () => signInPath },
    ttl: { Interaction: 60, Session: 60, Grant: 60, AccessToken: 300, ClientCredentials: 300, IdToken: 300 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // For these there is an encryption key in its set, beside the one that signs.
      encryption: { enabled: true },
      requestObjects: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, asked) => {
          if (asked !== resource && asked !== otherResource) throw new errors.InvalidTarget()
          return {
            scope: 'mcp',
            audience: asked,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 300,
            jwt: { sign: { alg: 'RS256' } },
          }
        },
      },
    },
  }
}

interface TokenAnswer {
  readonly access_token: string
  readonly id_token?: string
}

async function tokensFrom(origin: string, form: Record<string, string>): Promise<TokenAnswer> {
  const response = await fetch(`${origin}/token`, { method: 'POST', body: new URLSearchParams(form) })
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`)
  return (await response.json()) as TokenAnswer
}

async function signIn(origin: string, parameters: Readonly<Record<string, string>>): Promise<UserTokens> {
  const verifier = randomBytes(32).toString('base64url')
  const asked = {
    client_id: 'desk',
    response_type: 'code',
    redirect_uri: redirect,
    scope: 'openid mcp',
    resource,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }
  const back = await follow(`${origin}/auth?${new URLSearchParams({ ...asked, ...parameters })}`)
  const code = new URL(back).searchParams.get('code') ?? ''
  const form = { client_id: 'desk', grant_type: 'authorization_code', redirect_uri: redirect, code, resource }
  const { access_token: access, id_token: id = '' } = await tokensFrom(origin, { ...form, code_verifier: verifier })
  return { access, id }
}

/** Follows redirects as a browser does, up to the address of the client. */
async function follow(address: string, cookies = new Map<string, string>()): Promise<string> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await fetch(address, { headers: { cookie }, redirect: 'manual' })
  for (const each of response.headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? []
    cookies.set(name, value)
  }
  const location = response.headers.get('location')
  if (location === null) throw new Error(`no redirect from ${address}: ${await response.text()}`)
  const next = new URL(location, address).href
  return next.startsWith(redirect) ? next : await follow(next, cookies)
}
