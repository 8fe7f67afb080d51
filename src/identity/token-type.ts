import { type Claims, own } from './claims.ts'
import { type Failure, failure } from './failure.ts'
import type { UnverifiedToken } from './jwt.ts'

/**
 * Claims that only other tokens of an issuer have: an ID token's hashes (OpenID Connect Core 1.0 section 3.3.2.11, FAPI
 * 1.0 part 2 section 5.2.2.1), the events of a security event or logout token (RFC 8417 section 2.2), what an
 * introspection response tells of a token (RFC 9701 section 5).
 */
const foreignClaims = ['at_hash', 'c_hash', 's_hash', 'events', 'token_introspection'] as const

/**
 * Whether a token is an access token, by header `typ` (RFC 9068 section 2.1), claim `typ` (Keycloak's), `token_use`
 * (Cognito's) and the claims that an access token never has. An issuer signs all of its tokens with the same keys, so
 * that nothing else keeps them apart but the audience. The fault is `token_type`.
 */
export function typeFault({ header, payload }: UnverifiedToken): Failure | undefined {
  if (Object.hasOwn(header, 'typ') && !isTokenType(header['typ'])) {
    return failure('token_type', 'expected the header `typ` to be `JWT` or `at+jwt`')
  }
  if (Object.hasOwn(payload, 'typ') && payload['typ'] !== 'Bearer') {
    return failure('token_type', 'expected the claim `typ` to be `Bearer`')
  }
  if (isForOtherUse(payload)) return failure('token_type', 'expected the claim `token_use` to be `access`')
  const foreign = foreignClaims.find((name) => Object.hasOwn(payload, name))
  return foreign === undefined ? undefined : failure('token_type', `expected no claim \`${foreign}\``)
}

function isTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && /^(?:application\/)?(?:jwt|at\+jwt)$/i.test(typ)
}

function isForOtherUse(payload: Claims): boolean {
  const use = own(payload, 'token_use')
  if (use === undefined) return false
  return typeof use !== 'string' || ['id', 'refresh'].includes(use.toLowerCase())
}
