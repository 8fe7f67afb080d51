import { type Attack, header, payload, rsaHeader, withRsa } from './attack-issuers.ts'
import { claims, craft, issuerName } from './tokens.ts'

/** Header types that RFCs and OpenID specifications give to tokens which an issuer, or a client, signs for other ends. */
const otherTypes = [
  'logout+jwt',
  'secevent+jwt',
  'dpop+jwt',
  'token-introspection+jwt',
  'oauth-id-jag+jwt',
  'oauth-authz-req+jwt',
  'client-authentication+jwt',
  'txntoken+jwt',
  'entity-statement+jwt',
  'trust-mark+jwt',
  'jwk-set+jwt',
  'dc+sd-jwt',
  'vc+sd-jwt',
  'kb+jwt',
  'statuslist+jwt',
  'wit+jwt',
  'rt+jwt',
  // Okta's access tokens for its own API.
  'application/okta-internal-at+jwt',
  'application/logout+jwt',
]

const logoutEvent = { 'http://schemas.openid.net/event/backchannel-logout': {} }

/** Tokens of the same issuer, signed with the same key and for the same audience, that are no access tokens. */
export const typeAttacks: readonly Attack[] = [
  ['an ID token', () => payload({ typ: 'ID' }), 'token_type'],
  ['a refresh token', () => payload({ typ: 'Refresh' }), 'token_type'],
  ['claim typ in another case', () => payload({ typ: 'bearer' }), 'token_type'],
  ['claim typ null', () => payload({ typ: null }), 'token_type'],
  ['header typ refresh', () => header({ typ: 'refresh' }), 'token_type'],
  ['header typ of a logout token', () => header({ typ: 'logout+jwt' }), 'token_type'],
  ['header typ of DPoP', () => header({ typ: 'dpop+jwt' }), 'token_type'],
  ['header typ empty', () => header({ typ: '' }), 'token_type'],
  ['header typ null', () => header({ typ: null }), 'token_type'],
  ['header typ in an array', () => header({ typ: ['JWT'] }), 'token_type'],
  ['header typ with a line break', () => header({ typ: 'JWT\n' }), 'token_type'],
  ['header typ with text before it', () => header({ typ: 'x-application/jwt' }), 'token_type'],
  ...otherTypes.map((typ): Attack => [`header typ ${typ}`, () => header({ typ }), 'token_type']),
  ...['Offline', 'Logout', 'UserInfo', 'DPoP', 'RegistrationAccessToken', 'InitialAccessToken', 'verify-email'].map(
    (typ): Attack => [`claim typ ${typ}`, () => payload({ typ }), 'token_type'],
  ),
  ['an ID token with at_hash', () => untyped({ at_hash: 'fPlsvVszI29LU2UhDyJ9vg', nonce: 'n' }), 'token_type'],
  ['an ID token with c_hash', () => untyped({ c_hash: 'fPlsvVszI29LU2UhDyJ9vg' }), 'token_type'],
  ['an ID token with s_hash', () => untyped({ s_hash: 'fPlsvVszI29LU2UhDyJ9vg' }), 'token_type'],
  ['an ID token with at_hash null', () => untyped({ at_hash: null }), 'token_type'],
  ['an ID token with a nonce', () => untyped({ nonce: 'n' }), 'token_type'],
  ['an ID token with a nonce and another token_use', () => untyped({ nonce: 'n', token_use: 'x' }), 'token_type'],
  ['an ID token that says at+jwt', () => withClaims({ typ: 'at+jwt' }, { at_hash: 'x' }), 'token_type'],
  ['token_use id', () => untyped({ token_use: 'id' }), 'token_type'],
  ['token_use ID', () => untyped({ token_use: 'ID' }), 'token_type'],
  ['token_use refresh', () => untyped({ token_use: 'refresh' }), 'token_type'],
  ['token_use null', () => untyped({ token_use: null }), 'token_type'],
  ['token_use in an array', () => untyped({ token_use: ['access', 'id'] }), 'token_type'],
  ['a logout token', () => withClaims({ typ: 'logout+jwt' }, { events: logoutEvent, sid: 's' }), 'token_type'],
  ['a logout token without header typ', () => withClaims({ typ: undefined }, { events: logoutEvent }), 'token_type'],
  ['a security event', () => untyped({ events: { 'https://schemas.openid.net/secevent/caep': {} } }), 'token_type'],
  ['events null', () => untyped({ events: null }), 'token_type'],
  [
    'an introspection response without header typ',
    () => untyped({ token_introspection: { active: true, sub: 'alice' } }),
    'token_type',
  ],
  // The rest is told apart by what an access token must have.
  ['a userinfo response', () => untyped({ exp: undefined, iat: undefined, email: 'a@b.c' }), 'token_claim_missing'],
  ['an authorization response', () => untyped({ sub: undefined, code: 'c', state: 's' }), 'token_claim_missing'],
  ['an ID token for a client', () => untyped({ aud: 'desk' }), 'token_audience'],
  ['a client assertion', () => untyped({ iss: 'desk', sub: 'desk', aud: issuerName }), 'token_issuer_unknown'],
]

/** A token without Keycloak's claim `typ`. */
function untyped(changes: Record<string, unknown>): string {
  return payload({ typ: undefined, ...changes })
}

function withClaims(headerChanges: Record<string, unknown>, changes: Record<string, unknown>): string {
  return craft({ ...rsaHeader, ...headerChanges }, claims({ typ: undefined, ...changes }), withRsa)
}
