import { addressFault } from '../identity/key-document.ts'
import type { Check } from './check.ts'
import type { GatewayConfig, McpConfig, ProtectedResourceConfig, RevocationsConfig, StateConfig } from './config.ts'
import type { Environment } from './expand.ts'
import type { IssuerDraft } from './issuer.ts'
import type { Draft } from './section.ts'

/** RFC 7518 section 3.2, and what Kuadrant's gateway asks of GATEWAY_SIGNING_KEY. Bytes. */
export const minSigningKeyBytes = 32

/** `gateway`, with the key from the environment where it is there. */
export function resolveGateway(
  draft: NonNullable<Draft['gateway']>,
  { env, profile }: { readonly env: Environment; readonly profile: McpConfig['profile'] },
  check: Check,
): GatewayConfig {
  const { backendInit = false, sessions = false } = draft
  const path = ['gateway']
  const key = signingKeyOf(draft, env, check)
  const signingKey = key === undefined ? undefined : new TextEncoder().encode(key.text)
  if (key !== undefined && signingKey !== undefined && signingKey.length < minSigningKeyBytes) {
    const message = `${key.from} is shorter than ${minSigningKeyBytes} bytes`
    check.report([...path, 'signingKey'], message, 'make one with `openssl rand -base64 48`')
  }
  for (const [name, on] of Object.entries({ backendInit, sessions })) {
    if (!on || key !== undefined || check.isBroken([...path, 'signingKey'])) continue
    check.report([...path, name], 'it needs a signing key, and there is none', 'set GATEWAY_SIGNING_KEY')
  }
  if (sessions && profile !== 'kuadrant' && !check.isBroken(['mcp', 'profile'])) {
    const mend = 'remove it, or set `mcp.profile: kuadrant`'
    check.report([...path, 'sessions'], 'expected false, true is for profile kuadrant only', mend)
  }
  return { signingKey, backendInit, sessions }
}

function signingKeyOf(
  { signingKey }: NonNullable<Draft['gateway']>,
  env: Environment,
  check: Check,
): { readonly text: string; readonly from: string } | undefined {
  const named = textOf(env, 'GATEWAY_SIGNING_KEY')
  if (named !== undefined) return { text: named, from: 'GATEWAY_SIGNING_KEY' }
  const old = textOf(env, 'JWT_SESSION_SIGNING_KEY')
  if (old !== undefined) {
    check.warn('JWT_SESSION_SIGNING_KEY is deprecated: name it GATEWAY_SIGNING_KEY')
    return { text: old, from: 'JWT_SESSION_SIGNING_KEY' }
  }
  return signingKey === undefined ? undefined : { text: signingKey, from: 'the key' }
}

/** `protectedResource`; undefined where neither the file nor the environment says anything of it. */
export function resolveProtectedResource(
  draft: Draft['protectedResource'],
  { env, issuers }: { readonly env: Environment; readonly issuers: readonly IssuerDraft[] },
  check: Check,
): ProtectedResourceConfig | undefined {
  const said = {
    name: textOf(env, 'OAUTH_RESOURCE_NAME'),
    resource: textOf(env, 'OAUTH_RESOURCE'),
    authorizationServers: listOf(env, 'OAUTH_AUTHORIZATION_SERVERS'),
    bearerMethodsSupported: listOf(env, 'OAUTH_BEARER_METHODS_SUPPORTED'),
    scopesSupported: listOf(env, 'OAUTH_SCOPES_SUPPORTED'),
  }
  if (draft === undefined && Object.values(said).every((value) => value === undefined)) return undefined
  const { publicHost } = draft ?? {}
  const known = issuers.flatMap(({ issuer = '' }) => (/^https?:/.test(issuer) ? [issuer] : []))
  const resource =
    said.resource ?? draft?.resource ?? (publicHost === undefined ? undefined : `https://${publicHost}/mcp`)
  const authorizationServers = said.authorizationServers ?? draft?.authorizationServers ?? known
  const bearerMethodsSupported = said.bearerMethodsSupported ?? draft?.bearerMethodsSupported ?? ['header']
  const path = ['protectedResource']
  checkAddress(resource, [...path, draft?.resource === undefined ? 'publicHost' : 'resource'], check)
  for (const server of authorizationServers) checkAddress(server, [...path, 'authorizationServers'], check)
  if (bearerMethodsSupported.some((method) => method !== 'header')) {
    const mend = 'remove the others, also from OAUTH_BEARER_METHODS_SUPPORTED'
    check.report([...path, 'bearerMethodsSupported'], 'expected `header` alone', mend)
  }
  return {
    name: said.name ?? draft?.name ?? 'MCP Server',
    resource,
    authorizationServers,
    bearerMethodsSupported,
    scopesSupported: said.scopesSupported ?? draft?.scopesSupported ?? ['basic'],
  }
}

// RFC 9728 section 1.2: an https URL without a fragment. Development has http.
function checkAddress(address: string | undefined, path: readonly string[], check: Check): void {
  if (address === undefined) return
  const url = URL.canParse(address) ? new URL(address) : undefined
  const fits = url !== undefined && ['https:', 'http:'].includes(url.protocol) && !address.includes('#')
  if (!fits)
    check.report(path, 'expected an https address without a fragment', 'write it like https://mcp.example.com/mcp')
}

/** `state`. */
export function resolveState(draft: NonNullable<Draft['state']>, check: Check): StateConfig {
  const { file = '.mcp-authz/state.db', redis } = draft
  if (redis?.url !== undefined && !isRedisAddress(redis.url)) {
    const mend = 'write it like redis://127.0.0.1:6379, rediss://HOST or redis+unix:///run/redis.sock'
    check.report(['state', 'redis', 'url'], 'expected the address of a Redis or Valkey', mend)
  }
  return {
    file: check.absolute(file),
    named: draft.file !== undefined,
    redis: redis?.url === undefined ? undefined : { url: redis.url, prefix: redis.prefix ?? 'mcp-authz:' },
  }
}

function isRedisAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, pathname } = new URL(text)
  return protocol === 'redis+unix:' ? pathname.length > 1 : ['redis:', 'rediss:'].includes(protocol) && hostname !== ''
}

/** `revocations`. */
export function resolveRevocations(
  { whenUnknown = 'deny', maxUnknownSeconds = 5, follow }: NonNullable<Draft['revocations']>,
  allowHttp: boolean,
  check: Check,
): RevocationsConfig {
  const fault = follow?.url === undefined ? undefined : addressFault(follow.url, allowHttp)
  if (fault !== undefined) check.report(['revocations', 'follow', 'url'], fault, 'write an https address')
  return { whenUnknown, maxUnknownSeconds, followUrl: follow?.url }
}

function textOf(env: Environment, name: string): string | undefined {
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  return value === '' ? undefined : value
}

/** Names parted by commas, as Kuadrant writes them. */
function listOf(env: Environment, name: string): readonly string[] | undefined {
  const names = textOf(env, name)
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  return names === undefined || names.length === 0 ? undefined : names
}
