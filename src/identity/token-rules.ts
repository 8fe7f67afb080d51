import { type Claims, own } from './claims.ts'
import { type Failure, failure } from './failure.ts'
import type { IssuerOptions } from './options.ts'

/** The times of a token, in seconds since the epoch. */
export interface TokenTimes {
  readonly exp: number | undefined
  readonly nbf: number | undefined
  readonly iat: number | undefined
}

/** Reads the times (RFC 7519 section 4.1); the form of the token has been checked. */
export function timesOf(payload: Claims): TokenTimes {
  return { exp: numberOf(payload, 'exp'), nbf: numberOf(payload, 'nbf'), iat: numberOf(payload, 'iat') }
}

/**
 * What speaks against a token at a moment.
 * @param now - seconds since the epoch, with their fraction
 */
export function timeFault(times: TokenTimes, issuer: IssuerOptions, now: number): Failure | undefined {
  const { exp, nbf, iat } = times
  const latest = now + issuer.clockToleranceSeconds
  if (exp !== undefined && now >= exp + issuer.clockToleranceSeconds) {
    return failure('token_expired', 'expected `exp` to lie in the future')
  }
  if ((nbf !== undefined && nbf > latest) || (iat !== undefined && iat > latest)) {
    return failure('token_not_yet_valid', 'expected `nbf` and `iat` not to lie in the future')
  }
  // Measured from both ends: a revocation is forgotten when the longest life of what it names is over.
  const began = iat === undefined ? now : Math.min(now, iat + issuer.clockToleranceSeconds)
  if (exp !== undefined && exp > began + issuer.maxLifetimeSeconds) {
    return failure('token_malformed', 'expected `exp` within the maximum lifetime')
  }
  return undefined
}

/** Whether a token is meant for one of the audiences; without audiences any will do, but the token must name one. */
export function audienceFault(payload: Claims, audiences: readonly string[]): Failure | undefined {
  const aud = own(payload, 'aud')
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const accepted = (name: unknown): boolean =>
    typeof name === 'string' && name !== '' && (audiences.length === 0 || audiences.includes(name))
  const meant = named.every((name) => typeof name === 'string') && named.some(accepted)
  return meant ? undefined : failure('token_audience', 'expected `aud` to hold one of the audiences')
}

/** The claims that name the client a token was issued to: OpenID Connect's, RFC 9068's, Okta's, and Entra's of version 1. */
const partyClaims = ['azp', 'client_id', 'cid', 'appid'] as const

/** Whether a token was issued to one of the clients that are accepted; the first of the claims that is there counts. */
export function partyFault(payload: Claims, parties: IssuerOptions['authorizedParties']): Failure | undefined {
  if (parties === undefined) return undefined
  const claim = partyClaims.find((name) => Object.hasOwn(payload, name))
  if (claim === undefined) return failure('token_claim_missing', 'expected `azp` or `client_id`')
  const party = payload[claim]
  return typeof party === 'string' && parties.includes(party)
    ? undefined
    : failure('token_party', 'expected the token to be issued to one of the authorized parties')
}

/** Whether a token has every claim that its issuer's options ask for; null is no value. */
export function requiredClaimFault(payload: Claims, names: readonly string[] = []): Failure | undefined {
  const missing = names.find((name) => own(payload, name) === undefined || payload[name] === null)
  return missing === undefined ? undefined : failure('token_claim_missing', `expected the claim \`${missing}\``)
}

function numberOf(payload: Claims, name: string): number | undefined {
  const value = own(payload, name)
  return typeof value === 'number' ? value : undefined
}
