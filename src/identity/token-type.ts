import { own } from './claims.ts'
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
  const [type, claimed, use] = [own(header, 'typ'), own(payload, 'typ'), own(payload, 'token_use')]
  if (type !== undefined && !isTokenType(type)) {
    return failure('token_type', 'expected the header `typ` to be `JWT` or `at+jwt`')
  }
  if (claimed !== undefined && claimed !== 'Bearer') {
    return failure('token_type', 'expected the claim `typ` to be `Bearer`')
  }
  if (use !== undefined && !isForAccess(use)) {
    return failure('token_type', 'expected the claim `token_use` to be `access`')
  }
  // Some issuers leave the client's `nonce` in their access tokens; others have it in ID tokens alone.
  const named = isAccessTokenType(type) || claimed === 'Bearer' || use === 'access'
  const foreign = [...foreignClaims, ...(named ? [] : ['nonce'])].find((name) => Object.hasOwn(payload, name))
  return foreign === undefined ? undefined : failure('token_type', `expected no claim \`${foreign}\``)
}

function isTokenType(type: unknown): boolean {
  return typeof type === 'string' && /^(?:application\/)?(?:jwt|at\+jwt)$/i.test(type)
}

function isAccessTokenType(type: unknown): boolean {
  return typeof type === 'string' && /^(?:application\/)?at\+jwt$/i.test(type)
}

function isForAccess(use: unknown): boolean {
  return typeof use === 'string' && !['id', 'refresh'].includes(use.toLowerCase())
}
