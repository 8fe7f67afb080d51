import type { KeyObject } from 'node:crypto'
import { compactVerify } from 'jose'
import { type Failure, failure } from '../identity/failure.ts'
import { readToken } from '../identity/jwt.ts'
import type { Authentication, Subject } from '../identity/subject.ts'
import type { AllowedCapabilities, CapabilityClaim } from './claim.gen.ts'

/** Whose x-mcp-authorized to believe, and how strictly. */
export interface TrustOptions {
  /** P-256. */
  readonly publicKey: KeyObject
  readonly issuer: string
  readonly audience: string
  /** strict: `exp`, `iss` and `aud` are required and checked; kuadrant: `exp` and `nbf` where present, as its broker. */
  readonly profile: 'strict' | 'kuadrant'
  readonly isAllowedCapabilities: (value: unknown) => value is AllowedCapabilities
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Verifies the values of an x-mcp-authorized header. Never rejects: what does not verify opens nothing. */
export type CapabilityVerifier = (values: readonly string[]) => Promise<Authentication>

/** Makes the verifier of capability tokens: ES256 under the one trusted key, and no leeway in time. */
export function createCapabilityVerifier(options: TrustOptions): CapabilityVerifier {
  return async function verifyCapability(values) {
    const [compact, ...more] = values
    if (compact === undefined || compact === '') return failure('token_missing', 'no x-mcp-authorized was presented')
    if (more.length > 0) return failure('token_malformed', 'more than one x-mcp-authorized was presented')
    const reading = readToken(compact)
    if (!reading.ok) return reading
    if (reading.token.header['alg'] !== 'ES256') return failure('token_algorithm', 'expected the algorithm ES256')
    const verified = await compactVerify(compact, options.publicKey, { algorithms: ['ES256'] }).catch(() => undefined)
    if (verified === undefined) return failure('token_signature', 'the signature does not verify under the trusted key')
    return (
      timeFault(reading.token.payload, options) ??
      partyFault(reading.token.payload, options) ??
      subjectOf(reading.token.payload, options)
    )
  }
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

function subjectOf(payload: Payload, { isAllowedCapabilities }: TrustOptions): Authentication {
  const text = payload['allowed-capabilities']
  if (typeof text !== 'string') return failure('token_claim_missing', 'expected `allowed-capabilities` to be a string')
  const capabilities = parsed(text)
  if (!isAllowedCapabilities(capabilities)) {
    return failure('token_malformed', 'expected `allowed-capabilities` to be JSON of type, server and names')
  }
  const { sub, exp } = payload as Partial<CapabilityClaim>
  const subject: Subject = {
    id: typeof sub === 'string' ? sub : '',
    grants: {},
    roles: [],
    capabilities,
    ...(exp === undefined ? {} : { expiresAt: exp }),
  }
  return { ok: true, subject }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
