/**
 * What the identity stage is given: one resolved entry per issuer, made by `src/config` from the file's `issuers`.
 */

/** Where an issuer's verification keys come from. */
export type KeysOption =
  /** A parsed JWK Set (RFC 7517 section 5), read from a file at start. */
  | { readonly kind: 'jwks'; readonly jwks: unknown }
  /** The address of a JWK Set. */
  | { readonly kind: 'url'; readonly url: string }
  /** OpenID Connect Discovery 1.0 section 4 at the issuer. */
  | { readonly kind: 'discovery' }
  /** The bytes of a shared HMAC secret (RFC 7518 section 3.2). */
  | { readonly kind: 'secret'; readonly secret: Uint8Array }

/** One trusted issuer. */
export interface IssuerOptions {
  /** The exact `iss`. */
  readonly issuer: string
  readonly keys: KeysOption
  /** The accepted `alg` names (RFC 7518 section 3.1). */
  readonly algorithms: readonly string[]
  /** The accepted audiences; empty only under `insecure.anyAudience`. */
  readonly audiences: readonly string[]
  /** Clock skew granted to `exp`, `nbf` and `iat`, in seconds. */
  readonly clockToleranceSeconds: number
  /** How far in the future, and beyond `iat`, `exp` may lie, in seconds. */
  readonly maxLifetimeSeconds: number
  /** Clients of which `azp` (or `client_id`, `cid`, `appid`) must be one; undefined: any, and the claim may be absent. */
  readonly authorizedParties?: readonly string[] | undefined
  /** Further claims a token must have. */
  readonly requiredClaims?: readonly string[]
  /** How old fetched keys become, in milliseconds: while the issuer answers (10 min), and while it does not (1 h). */
  readonly keyAges?: { readonly maxAgeMs: number; readonly maxOutageMs: number } | undefined
  /** Client ids of which one must be in `aud` of a logout token; undefined: none is taken. */
  readonly backChannelLogout?: { readonly audiences: readonly string[] } | undefined
  readonly keycloakEvents?: KeycloakEventsOptions | undefined
  /** Claim paths, already merged with the preset. */
  readonly claims: ClaimPaths
}

/** Where an issuer's tokens carry what authorization needs; see `parsePath` in `claims.ts` for the syntax. */
export interface ClaimPaths {
  readonly subject: string
  readonly grants: readonly string[]
  readonly roles: readonly string[]
  readonly groups?: readonly string[]
  readonly scopes?: readonly string[]
  readonly email?: string
  readonly virtualServer?: string
}

/** Where a realm's events are read, and as whom. */
export interface KeycloakEventsOptions {
  /** Address of the realm in the admin API. */
  readonly url: string
  readonly clientId: string
  /** A secret. */
  readonly clientSecret: string
  readonly intervalMs: number
}
