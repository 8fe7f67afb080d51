import { compactVerify } from 'jose'
import { type Failure, failure } from '../identity/failure.ts'
import { digestOf, readToken } from '../identity/jwt.ts'
import type { RevocationCheck, Subject } from '../identity/subject.ts'
import type { AllowedCapabilities, CapabilityClaim, CapabilityOrigin } from './claim.gen.ts'
import { factsOf, sessionDigest, withdrawalDigest } from './origin.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** Each header that carries capability tokens, with the claim that is read of those: never that of the other. */
const claims = { 'x-mcp-authorized': 'allowed-capabilities', 'x-authorized-tools': 'allowed-tools' } as const

/** `x-authorized-tools` is what Kuadrant's gateway named it before v0.7.0, when it spoke of tools alone. */
export type CapabilityHeader = keyof typeof claims

/** Whose x-mcp-authorized to believe, and how strictly. */
export interface TrustOptions {
  readonly keys: TrustedKeys
  readonly issuer: string
  readonly audience: string
  /** strict: `exp`, `iss` and `aud` are required and checked; kuadrant: `exp` and `nbf` where present, as its broker. */
  readonly profile: 'strict' | 'kuadrant'
  /** Refuse a token that is bound to no session beside a request that has one. Default: false. */
  readonly bound?: boolean
  /** Believe x-authorized-tools as well. Default: false, and whatever comes under that name is nothing. */
  readonly authorizedTools?: boolean
  readonly isAllowedCapabilities: (value: unknown) => value is AllowedCapabilities
  readonly isOrigin: (value: unknown) => value is CapabilityOrigin
  /** Who was turned away since; absent: nobody is asked. */
  readonly revocations?: RevocationCheck | undefined
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** What came with a request. */
export interface Presented {
  /** Every value of the header. */
  readonly values: readonly string[]
  /** The value of Mcp-Session-Id; absent or empty: the request has none; null: it has several. */
  readonly session?: string | null | undefined
  /** The header that the values are of. Default: x-mcp-authorized. */
  readonly header?: CapabilityHeader | undefined
}

export type CapabilityAuthentication =
  | { readonly ok: true; readonly subject: Subject; readonly revision: string | undefined }
  | Failure

/** Verifies a capability token. Never rejects: what does not verify opens nothing. */
export type CapabilityVerifier = (presented: Presented) => Promise<CapabilityAuthentication>

/** Makes the verifier of capability tokens: ES256 under a trusted key, and no leeway in time. */
export function createCapabilityVerifier(options: TrustOptions): CapabilityVerifier {
  return async function verifyCapability({ values, session, header: name = 'x-mcp-authorized' }) {
    const presented = onlyValue(isBelieved(name, options) ? values : [], name)
    if (!presented.ok) return presented
    const { compact } = presented
    const reading = readToken(compact)
    if (!reading.ok) return reading
    const { header, payload } = reading.token
    if (header['alg'] !== 'ES256') return failure('token_algorithm', 'expected the algorithm ES256')
    const choice = await options.keys.keyFor(header)
    if (!choice.ok) return choice
    const verified = await compactVerify(compact, choice.key, { algorithms: ['ES256'] }).catch(() => undefined)
    if (verified === undefined) return failure('token_signature', 'the signature does not verify under the trusted key')
    const fault = timeFault(payload, options) ?? partyFault(payload, options) ?? sessionFault(payload, session, options)
    return fault ?? authenticationOf(payload, { name, digest: digestOf(compact) }, options)
  }
}

function isBelieved(name: CapabilityHeader, { authorizedTools = false }: TrustOptions): boolean {
  return name === 'x-mcp-authorized' || (name === 'x-authorized-tools' && authorizedTools)
}

function onlyValue(
  [compact, ...more]: readonly string[],
  name: CapabilityHeader,
): { readonly ok: true; readonly compact: string } | Failure {
  if (compact === undefined || compact === '') return failure('token_missing', `no ${name} was presented`)
  if (more.length > 0) return failure('token_malformed', `more than one ${name} was presented`)
  return { ok: true, compact }
}

type Payload = Readonly<Record<string, unknown>>

function timeFault(payload: Payload, { now = Date.now, profile }: TrustOptions): Failure | undefined {
  const { exp, nbf } = payload as Partial<CapabilityClaim>
  const seconds = now() / 1000
  if (exp === undefined && profile === 'strict') return failure('token_claim_missing', 'expected a claim `exp`')
  if (exp !== undefined && seconds >= exp) return failure('token_expired', 'the capability token has expired')
  if (nbf !== undefined && seconds < nbf) return failure('token_not_yet_valid', 'the capability token is not valid yet')
  return undefined
}

function partyFault(payload: Payload, { profile, issuer, audience }: TrustOptions): Failure | undefined {
  if (profile === 'kuadrant') return undefined
  const { iss, aud } = payload
  if (iss !== issuer) return failure('token_issuer_unknown', 'the issuer is not `capabilities.issuer`')
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(audience)) return failure('token_audience', 'the audience is not `capabilities.audience`')
  return undefined
}

// Kuadrant's broker ignores every claim that it does not know, whatever it is: so does its profile, unless told to bind.
function sessionFault(
  payload: Payload,
  session: Presented['session'],
  { profile, bound = false }: TrustOptions,
): Failure | undefined {
  if (profile === 'kuadrant' && !bound) return undefined
  if (session === null) return failure('session_invalid', 'more than one Mcp-Session-Id was presented')
  const isOfNone = session === undefined || session === ''
  if (!Object.hasOwn(payload, 'session')) {
    return isOfNone || !bound ? undefined : failure('token_claim_missing', 'expected a claim `session`')
  }
  // What is not well-formed has the digest of other such texts.
  if (!isOfNone && session.isWellFormed() && payload['session'] === sessionDigest(session)) return undefined
  return failure('session_invalid', 'the capability token is bound to another session')
}

function authenticationOf(
  payload: Payload,
  { name, digest }: { readonly name: CapabilityHeader; readonly digest: string },
  options: TrustOptions,
): CapabilityAuthentication {
  const claim = capabilitiesOf(payload, name, options)
  if (!claim.ok) return claim
  const origin = options.isOrigin(payload['origin']) ? payload['origin'] : undefined
  if (Object.hasOwn(payload, 'origin') && origin === undefined && options.profile === 'strict') {
    return failure('token_malformed', 'expected `origin` to say what the token was minted for')
  }
  const { sub, exp, jti, revision } = payload as Partial<CapabilityClaim>
  const id = typeof sub === 'string' ? sub : ''
  const facts = factsOf(origin, id)
  // Whoever finds one in the wrong hands names it by itself.
  const itself = { ...facts, digest, jti: typeof jti === 'string' ? jti : undefined }
  const fault =
    revocationFault(origin, options.revocations?.judge(facts)) ??
    revocationFault(origin, options.revocations?.judge(itself))
  if (fault !== undefined) return fault
  const subject: Subject = {
    id,
    grants: {},
    roles: [],
    capabilities: claim.capabilities,
    ...(origin === undefined ? {} : { facts }),
    ...(exp === undefined ? {} : { expiresAt: exp }),
  }
  return { ok: true, subject, revision: typeof revision === 'string' ? revision : undefined }
}

function capabilitiesOf(
  payload: Payload,
  name: CapabilityHeader,
  { profile, isAllowedCapabilities }: TrustOptions,
): { readonly ok: true; readonly capabilities: AllowedCapabilities } | Failure {
  const claim = claims[name]
  const text = payload[claim]
  if (typeof text !== 'string') return failure('token_claim_missing', `expected \`${claim}\` to be a string`)
  const said = claim === 'allowed-tools' ? asTools(parsed(text)) : parsed(text)
  const capabilities = profile === 'kuadrant' ? withoutNulls(said) : said
  if (isAllowedCapabilities(capabilities)) return { ok: true, capabilities }
  const shape = claim === 'allowed-tools' ? 'server and names' : 'type, server and names'
  return failure('token_malformed', `expected \`${claim}\` to be JSON of ${shape}`)
}

/** What `allowed-tools` says, as `allowed-capabilities` would; of what is no JSON nothing is made. */
function asTools(servers: unknown): unknown {
  return servers === undefined ? undefined : { tools: servers }
}

/** Kuadrant's broker takes null for an empty map of servers and for an empty list of names, as Go's encoding/json does. */
function withoutNulls(capabilities: unknown): unknown {
  if (!isRecord(capabilities)) return capabilities
  const filled = (servers: unknown): unknown =>
    isRecord(servers) ? mapped(servers, (names) => names ?? []) : (servers ?? {})
  return mapped(capabilities, filled)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mapped(record: Readonly<Record<string, unknown>>, change: (value: unknown) => unknown): unknown {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}

function revocationFault(
  origin: CapabilityOrigin | undefined,
  judgement: ReturnType<RevocationCheck['judge']> | undefined,
): Failure | undefined {
  const revoked = failure('token_revoked', 'what the capability token was minted for has been revoked')
  switch (judgement?.kind) {
    case undefined:
    case 'good':
      return undefined
    case 'revoked':
      return revoked
    case 'unknown':
      return failure('revocations_unknown', 'whether it was revoked cannot be known')
    case 'diminished':
      // Names do not say which role they came from: a token minted before then is as a whole what it should not be.
      return withdrawalDigest(judgement) === origin?.withdrawn ? undefined : revoked
    default:
      return judgement satisfies never
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
