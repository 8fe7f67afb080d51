import type { CodeOf } from '../policy/reasons.ts'

/** Who asks, as far as policy needs it: what a verified credential says, with the claim paths already followed. */
export interface Subject {
  readonly id: string
  /** Values at the `grants` path by server id; only strings. Built with own keys alone (`__proto__` is a name like any other). */
  readonly grants: Readonly<Record<string, readonly string[]>>
  readonly roles: readonly string[]
  /** The verified allowed-capabilities claim when that is the credential: type -> server -> names. */
  readonly capabilities?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** What the token's virtual server claim names: absent names none, null names one that cannot exist. */
  readonly virtualServer?: string | null
  /** Seconds since the epoch at which the credential ends; absent for raw claims. */
  readonly expiresAt?: number
}

/** What was presented, before anybody looked at it. */
export type Credential =
  /** Every value of the Authorization header. */
  | { readonly kind: 'authorization'; readonly values: readonly string[] }
  /** A bare token (command line, AuthZEN). */
  | { readonly kind: 'token'; readonly token: string }
  /** Claims from a caller that is trusted to have verified them. */
  | { readonly kind: 'claims'; readonly claims: Readonly<Record<string, unknown>> }
  /** Every value of x-mcp-authorized: a credential for the in-process guard alone. */
  | { readonly kind: 'capability'; readonly values: readonly string[] }
  /** Nothing at all, where that may list what virtual servers show: the guard of profile kuadrant alone. */
  | { readonly kind: 'anonymous' }

export type Authentication =
  | { readonly ok: true; readonly subject: Subject }
  | { readonly ok: false; readonly code: CodeOf<'credential'> | 'keys_unavailable'; readonly detail: string }

/** Turns a credential into a subject. Never rejects: whatever goes wrong is a code. */
export interface Authenticator {
  authenticate(credential: Credential): Promise<Authentication>
}
