import { createHash } from 'node:crypto'
import type { CredentialFacts } from '../identity/subject.ts'

/** What a revocation names, as people say it. */
export type Selector =
  /** One token, by its id (`jti`, of one issuer or of any) or by its SHA-256 in base64url. */
  | { readonly kind: 'token'; readonly jti: string; readonly issuer?: string | undefined }
  | { readonly kind: 'token'; readonly digest: string }
  | { readonly kind: 'session'; readonly session: string; readonly issuer?: string | undefined }
  | { readonly kind: 'subject'; readonly subject: string; readonly issuer?: string | undefined }
  | { readonly kind: 'issuer'; readonly issuer: string }
  | { readonly kind: 'api-key'; readonly id: string }

/** Whom a role or grant is taken from: a subject, everybody of an issuer, or everybody. */
export type Holder =
  | Extract<Selector, { kind: 'subject' }>
  | Extract<Selector, { kind: 'issuer' }>
  | { readonly kind: 'everybody' }

/** What is taken away: the credential as a whole, or something it grants. */
export type Target =
  | { readonly of: Selector }
  | { readonly role: string; readonly from: Holder }
  /** A literal grant like `tool:forecast`; `server` is an id, or `*` for each. */
  | { readonly grant: string; readonly server: string; readonly from: Holder }

/**
 * A revocation as it is kept and told to others: what it names is a digest, so that neither a store nor a published
 * list says who or what it is. Names of roles and grants are no secret and stay readable.
 */
export interface Revocation {
  readonly kind: Selector['kind'] | 'role' | 'grant'
  /** Digest of the selector or holder, {@link keyOf}. */
  readonly key: string
  /** Credentials issued at or before this time (seconds) are meant; absent: whenever they were issued. */
  readonly before?: number
  readonly role?: string
  readonly server?: string
  readonly grant?: string
}

/** The digest that stands for a selector or holder: base64url of SHA-256. */
export function keyOf(named: Selector | Holder): string {
  switch (named.kind) {
    case 'token':
      return 'digest' in named ? digest('token', named.digest) : digest('jti', named.issuer ?? null, named.jti)
    case 'session':
      return digest('session', named.issuer ?? null, named.session)
    case 'subject':
      return digest('subject', named.issuer ?? null, named.subject)
    case 'issuer':
      return digest('issuer', named.issuer)
    case 'api-key':
      return digest('api-key', named.id)
    case 'everybody':
      return digest('everybody')
    default:
      return named satisfies never
  }
}

/** Every key under which a revocation of the credential as a whole could be. */
export function keysOf({ issuer, subject, jti, session, digest: token, apiKey }: CredentialFacts): readonly string[] {
  const named: Selector[] = []
  for (const each of issuer === undefined ? [undefined] : [undefined, issuer]) {
    if (jti !== undefined) named.push({ kind: 'token', jti, issuer: each })
    if (session !== undefined) named.push({ kind: 'session', session, issuer: each })
    named.push({ kind: 'subject', subject, issuer: each })
  }
  if (token !== undefined) named.push({ kind: 'token', digest: token })
  if (issuer !== undefined) named.push({ kind: 'issuer', issuer })
  if (apiKey !== undefined) named.push({ kind: 'api-key', id: apiKey })
  return named.map(keyOf)
}

/** Every key under which a role or grant could have been taken from the credential. */
export function holderKeysOf({ issuer, subject }: CredentialFacts): readonly string[] {
  const holders: Holder[] = [{ kind: 'everybody' }, { kind: 'subject', subject }]
  if (issuer !== undefined) holders.push({ kind: 'subject', subject, issuer }, { kind: 'issuer', issuer })
  return holders.map(keyOf)
}

function digest(...parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
