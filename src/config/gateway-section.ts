import { minSigningKeyBytes } from '../gateway/signing-key.ts'
import { addressFault } from '../identity/key-document.ts'
import type { Check } from './check.ts'
import type { CapabilitiesConfig, GatewayConfig, McpConfig, RevocationsConfig, StateConfig } from './config.ts'
import type { Environment } from './expand.ts'
import type { Draft } from './section.ts'

/** A signing key from outside the file, and where it came from, as a message may name it. */
export interface NamedKey {
  readonly text: string
  readonly from: string
}

/** `gateway`. The key is the command line's, else the environment's, else the file's. */
export function resolveGateway(
  draft: NonNullable<Draft['gateway']>,
  given: {
    readonly env: Environment
    readonly profile: McpConfig['profile']
    readonly signingKey?: NamedKey | undefined
  },
  check: Check,
): GatewayConfig {
  const { backendInit = false, sessions = false } = draft
  const path = ['gateway']
  const key = given.signingKey ?? environmentKey(given.env, check) ?? fileKey(draft)
  const signingKey = key === undefined ? undefined : new TextEncoder().encode(key.text)
  if (key !== undefined && signingKey !== undefined && signingKey.length < minSigningKeyBytes) {
    const message = `${key.from} is shorter than ${minSigningKeyBytes} bytes`
    check.report([...path, 'signingKey'], message, 'make one with `openssl rand -base64 48`')
  }
  for (const [name, on] of Object.entries({ backendInit, sessions })) {
    if (!on || key !== undefined || check.isBroken([...path, 'signingKey'])) continue
    check.report([...path, name], 'it needs a signing key, and there is none', 'set GATEWAY_SIGNING_KEY')
  }
  if (sessions && given.profile !== 'kuadrant' && !check.isBroken(['mcp', 'profile'])) {
    const mend = 'remove it, or set `mcp.profile: kuadrant`'
    check.report([...path, 'sessions'], 'expected false, true is for profile kuadrant only', mend)
  }
  return { signingKey, backendInit, sessions }
}

function environmentKey(env: Environment, check: Check): NamedKey | undefined {
  const named = textOf(env, 'GATEWAY_SIGNING_KEY')
  const old = textOf(env, 'JWT_SESSION_SIGNING_KEY')
  if (old !== undefined) {
    const unused = named === undefined ? '' : '; GATEWAY_SIGNING_KEY is there too and counts'
    check.warn(`JWT_SESSION_SIGNING_KEY is deprecated: name it GATEWAY_SIGNING_KEY${unused}`)
  }
  if (named !== undefined) return { text: named, from: 'GATEWAY_SIGNING_KEY' }
  return old === undefined ? undefined : { text: old, from: 'JWT_SESSION_SIGNING_KEY' }
}

function fileKey({ signingKey }: NonNullable<Draft['gateway']>): NamedKey | undefined {
  return signingKey === undefined ? undefined : { text: signingKey, from: 'the key' }
}

/** `state`. @param carriesKeys - whether API keys go through Redis */
export function resolveState(draft: NonNullable<Draft['state']>, carriesKeys: boolean, check: Check): StateConfig {
  const { file = '.mcp-authz/state.db', redis } = draft
  if (redis?.url !== undefined && !isRedisAddress(redis.url)) {
    const mend = 'write it like redis://127.0.0.1:6379, rediss://HOST or redis+unix:///run/redis.sock'
    check.report(['state', 'redis', 'url'], 'expected the address of a Redis or Valkey', mend)
  } else if (redis?.url !== undefined && hasPlainPercent(redis.url)) {
    const message = 'expected escapes like `%20` in user and password'
    check.report(['state', 'redis', 'url'], message, 'write a plain `%` as `%25`')
  }
  if (redis !== undefined && !carriesKeys) {
    check.warn(
      'state.redis has no signing key: whoever can write there can revoke, and API keys stay on the host where they are made; set GATEWAY_SIGNING_KEY for every replica',
    )
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

/** A client of Redis takes escapes for what they stand for, and fails at those that stand for nothing. */
function hasPlainPercent(text: string): boolean {
  const { username, password } = new URL(text)
  try {
    decodeURIComponent(username + password)
    return false
  } catch {
    return true
  }
}

/** `revocations`. */
export function resolveRevocations(
  { whenUnknown = 'deny', maxUnknownSeconds = 5, follow }: NonNullable<Draft['revocations']>,
  { capabilities, allowHttp }: { readonly capabilities: CapabilitiesConfig; readonly allowHttp: boolean },
  check: Check,
): RevocationsConfig {
  const path = ['revocations', 'follow']
  const fault = follow?.url === undefined ? undefined : addressFault(follow.url, allowHttp)
  if (fault !== undefined) check.report([...path, 'url'], fault, 'write an https address')
  const trusts = capabilities.trusted !== undefined || capabilities.keyFile !== undefined
  if (follow !== undefined && !trusts && !check.isBroken(['capabilities'])) {
    const mend = 'name the public key of that service in `capabilities.trusted`'
    check.report(path, 'nobody could have signed a list that is believed here', mend)
  }
  if (whenUnknown === 'allow') {
    check.warn(
      'revocations.whenUnknown is `allow`: while the revocations of others cannot be had, what they revoke stays allowed',
    )
  }
  return { whenUnknown, maxUnknownSeconds, followUrl: follow?.url }
}

/** A variable of the environment; an empty one counts as absent. */
export function textOf(env: Environment, name: string): string | undefined {
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  return value === '' ? undefined : value
}
