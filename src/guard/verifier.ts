import { type CapabilityHeader, createCapabilityVerifier as createVerifier } from '../capabilities/verify.ts'
import { claimChecks } from '../config/claim-checks.ts'
import type { RevocationCheck } from '../identity/subject.ts'
import type { ReasonCode } from '../policy/decision.gen.ts'
import { keysOf, type Trusted } from './trusted.ts'

/** Whose x-mcp-authorized a broker believes, and how strictly. */
export interface CapabilityVerifierOptions {
  /** Whose tokens are believed. */
  readonly trusted: Trusted
  /** `capabilities.issuer` of the service. */
  readonly issuer: string
  /** `capabilities.audience` of the service. */
  readonly audience: string
  /** Default: strict. kuadrant: neither issuer nor audience count, and `exp` where it is there, as in Kuadrant's broker. */
  readonly profile?: 'strict' | 'kuadrant'
  /** Refuse a token that names no session beside a request that has one: for `capabilities.bound`. Default: false. */
  readonly bound?: boolean
  /** Verify x-authorized-tools as well, where `verify` is told that it is one. Default: false. */
  readonly authorizedTools?: boolean
  /** Which revisions of policy and data to believe; default: any. */
  readonly revision?: (revision: string | undefined) => boolean
  /**
   * Who was turned away since: {@link followRevocations}. Default: nobody is asked, and a token opens what it says until
   * it ends.
   */
  readonly revocations?: RevocationCheck
  /** Fetch keys over plain http from other hosts than this one, too. Default: false. */
  readonly allowHttp?: boolean
  /** Told why keys cannot be fetched, once for each cause; for a log. */
  readonly onKeysFault?: (detail: string) => void
  /** Milliseconds since the epoch; default: the clock of the machine. */
  readonly now?: () => number
}

/** A header as fetch (`headers.get`) or Node (`headersDistinct`) gives it. */
export type HeaderValues = string | readonly string[] | null | undefined

/** The request that a token came with. */
export interface CapabilityRequest {
  /** Mcp-Session-Id; it has to be said, also that there is none. */
  readonly session: HeaderValues
  /** Whom the token must speak of, where the broker knows that from elsewhere. */
  readonly subject?: string
  /**
   * Which header it is. Default: x-mcp-authorized. x-authorized-tools is what Kuadrant's gateway named it before v0.7.0,
   * deprecated: read it only where there is no x-mcp-authorized.
   */
  readonly header?: CapabilityHeader
}

export type CapabilityVerification =
  | {
      readonly ok: true
      readonly subject: string
      /** Type, server, upstream names; a type that is not there is not spoken of. */
      readonly capabilities: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
      readonly revision: string | undefined
      /** Seconds since the epoch; undefined in profile kuadrant alone. */
      readonly expiresAt: number | undefined
    }
  | { readonly ok: false; readonly code: ReasonCode }

export interface CapabilityVerifier {
  /** Verifies x-mcp-authorized, or x-authorized-tools, of one request. Never rejects: what does not verify opens nothing. */
  verify(header: HeaderValues, request: CapabilityRequest): Promise<CapabilityVerification>
  /** Ends the fetching of keys. */
  close(): void
}

/**
 * Makes a verifier of x-mcp-authorized for a broker.
 * @throws {TypeError} for options that nothing could be verified with
 */
export function createCapabilityVerifier(options: CapabilityVerifierOptions): CapabilityVerifier {
  const { trusted, issuer, audience, profile = 'strict', bound = false, revision = () => true, ...rest } = options
  if (!['strict', 'kuadrant'].includes(profile)) throw new TypeError('expected `profile` to be strict or kuadrant')
  if (![issuer, audience].every((name) => typeof name === 'string' && name !== '')) {
    throw new TypeError('expected `issuer` and `audience` to be strings that are not empty')
  }
  const keys = keysOf(trusted, { allowHttp: rest.allowHttp, onFault: rest.onKeysFault, now: rest.now })
  const verify = createVerifier({
    keys,
    issuer,
    audience,
    profile,
    bound,
    authorizedTools: rest.authorizedTools === true,
    ...claimChecks(),
    revocations: rest.revocations,
    now: rest.now ?? Date.now,
  })
  return {
    async verify(values, { session, subject, header }) {
      try {
        const outcome = await verify({ values: valuesOf(values), session: onlyValue(session), header })
        if (!outcome.ok) return { ok: false, code: outcome.code }
        const { id, capabilities = {}, expiresAt } = outcome.subject
        const isMeant = (subject === undefined || subject === id) && revision(outcome.revision) === true
        if (!isMeant) return { ok: false, code: 'token_claim_missing' }
        return { ok: true, subject: id, capabilities, revision: outcome.revision, expiresAt }
      } catch {
        return { ok: false, code: 'policy_error' }
      }
    },
    close: () => keys.close(),
  }
}

function valuesOf(header: HeaderValues): readonly string[] {
  if (header === undefined || header === null) return []
  return typeof header === 'string' ? [header] : header
}

function onlyValue(header: HeaderValues): string | null | undefined {
  const [value, ...more] = valuesOf(header)
  return more.length > 0 ? null : value
}
