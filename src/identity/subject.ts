import type { CodeOf } from '../policy/reasons.ts'

/** Who asks, as far as policy needs it: what a verified credential says, with the claim paths already followed. */
export interface Subject {
  readonly id: string
  /** Values at the `grants` path by server id; only strings. Built with own keys alone (`__proto__` is a name like any other). */
  readonly grants: Readonly<Record<string, readonly string[]>>
  readonly roles: readonly string[]
  /** Names that `data.mcp.groups` maps to roles. */
  readonly groups?: readonly string[]
  /** OAuth scopes of the token; absent where the credential has none in principle (API key, capability token). */
  readonly scopes?: readonly string[]
  /** A verified e-mail address. */
  readonly email?: string
  /** Roles that were revoked since the credential was issued. */
  readonly withdrawnRoles?: readonly string[]
  /** Literal grants that were, by server id or `*`; `grants` is without them. */
  readonly withdrawnGrants?: Readonly<Record<string, readonly string[]>>
  /** What an API key is cut down to; an absent key is no limit, an empty list allows nothing. */
  readonly limits?: SubjectLimits
  /** The API key that was presented: its further limits are held by `Admission`. */
  readonly apiKey?: string
  /** What a capability token is bound to, and a revocation may name. Absent for raw claims without any of it. */
  readonly facts?: CredentialFacts
  /** The verified allowed-capabilities claim when that is the credential: type -> server -> names. */
  readonly capabilities?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** What the token's virtual server claim names: absent names none, null names one that cannot exist. */
  readonly virtualServer?: string | null
  /** Seconds since the epoch at which the credential ends; absent for raw claims. */
  readonly expiresAt?: number
}

/** See `limits` in schemas/input.json. */
export interface SubjectLimits {
  readonly virtualServers?: readonly string[]
  /** Patterns as in roles, by server id or `*`. */
  readonly capabilities?: Readonly<Record<string, readonly string[]>>
}

/** What is known of a credential beside whom it names: what a revocation can name. */
export interface CredentialFacts {
  readonly issuer?: string | undefined
  readonly subject: string
  /** RFC 7519 section 4.1.7. */
  readonly jti?: string | undefined
  /** `sid` of OpenID Connect Back-Channel Logout 1.0 section 2.1. */
  readonly session?: string | undefined
  /** See `digestOf` in jwt.ts; of a capability token, that of the token it was minted for. */
  readonly digest?: string | undefined
  /** `iat`, seconds since the epoch; absent counts as issued before everything. */
  readonly issuedAt?: number | undefined
  /** The id of an API key. */
  readonly apiKey?: string | undefined
}

/** What speaks against a credential that verifies. */
export type Judgement =
  | { readonly kind: 'good' }
  /** Good but for these, which were taken away after it was issued. */
  | {
      readonly kind: 'diminished'
      readonly roles: readonly string[]
      /** Literal grants like `tool:forecast`, by server id; `*` is every server. */
      readonly grants: Readonly<Record<string, readonly string[]>>
    }
  | { readonly kind: 'revoked' }
  /** Nobody can say, and the configured stance is to deny then. */
  | { readonly kind: 'unknown' }

/** Who was turned away since, as far as the authenticator asks. Implemented by src/revocation. */
export interface RevocationCheck {
  /**
   * Another number whenever `judge` may find more against a credential than before, also for a change of what can be
   * known: what was judged good under the same number need not be judged again.
   */
  epoch(): number
  /** Never throws. */
  judge(facts: CredentialFacts): Judgement
}

/** What was presented, before anybody looked at it. */
export type Credential =
  /** Every value of the Authorization header. */
  | { readonly kind: 'authorization'; readonly values: readonly string[] }
  /** A bare token (command line, AuthZEN). */
  | { readonly kind: 'token'; readonly token: string }
  /** Claims from a caller that is trusted to have verified them. */
  | { readonly kind: 'claims'; readonly claims: Readonly<Record<string, unknown>> }
  /** Every value of x-mcp-authorized: a credential for the in-process guard alone. `session`: see `Presented`. */
  | { readonly kind: 'capability'; readonly values: readonly string[]; readonly session?: string | null | undefined }
  /** Every value of x-authorized-tools, its name before Kuadrant's v0.7.0: the same guard, where it is told to read it. */
  | {
      readonly kind: 'authorized-tools'
      readonly values: readonly string[]
      readonly session?: string | null | undefined
    }
  /** Nothing at all, where that may list what virtual servers show: the guard of profile kuadrant alone. */
  | { readonly kind: 'anonymous' }

export type Authentication =
  | { readonly ok: true; readonly subject: Subject }
  | {
      readonly ok: false
      readonly code: CodeOf<'credential'> | 'keys_unavailable' | 'revocations_unknown'
      readonly detail: string
    }

/** Knows API keys. Implemented by src/api-keys. */
export interface ApiKeyAuthenticator {
  /** What a bearer token that starts as API keys do stands for. Never throws. */
  authenticate(secret: string): Authentication
}

/** Turns a credential into a subject. Never rejects: whatever goes wrong is a code. */
export interface Authenticator {
  authenticate(credential: Credential): Promise<Authentication>
}
