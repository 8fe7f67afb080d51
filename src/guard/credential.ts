import type { Credential } from '../identity/subject.ts'
import { type Headers, headerOf } from '../mcp/headers.ts'
import { deprecatedHeader } from '../mcp/internal-headers.ts'
import { isListMethod } from '../mcp/list.ts'
import type { Reading, ReadOptions } from '../mcp/reading.ts'

/** What a caller of `decide` and `capabilities` presents; a string is a bearer token. */
export type GuardCredential =
  | string
  /** A bearer token. */
  | { readonly token: string }
  /** Claims that the caller has verified. */
  | { readonly claims: Readonly<Record<string, unknown>> }
  /** The value of the Authorization header, or every value of it. */
  | { readonly authorization: string | readonly string[] }
  /** The value of x-mcp-authorized, or every value of it; `session`: the Mcp-Session-Id that it came with. */
  | { readonly authorized: string | readonly string[]; readonly session?: string | undefined }
  /** The same of x-authorized-tools; no credential but where `capabilities.authorizedTools` is on. */
  | { readonly authorizedTools: string | readonly string[]; readonly session?: string | undefined }

/** What a credential depends on beside its request. */
type Means = Pick<ReadOptions, 'profile' | 'authorizedTools'>

/**
 * The credential of a request. An Authorization header decides alone, also where it is bad; x-mcp-authorized counts
 * only without one, and x-authorized-tools, where it is read, without either. In profile kuadrant a request for lists
 * alone needs none.
 */
export function credentialOf(headers: Headers, reading: Reading, { profile, authorizedTools }: Means): Credential {
  const authorization = headers.get('authorization')
  if (authorization !== undefined) return { kind: 'authorization', values: authorization }
  const authorized = headers.get('x-mcp-authorized')
  const session = headerOf(headers, 'mcp-session-id')
  if (authorized !== undefined) return { kind: 'capability', values: authorized, session }
  const old = authorizedTools === true ? headers.get(deprecatedHeader) : undefined
  if (old !== undefined) return { kind: 'authorized-tools', values: old, session }
  const isListing = reading.ok && reading.asks.every(({ action }) => isListMethod(action) && action !== 'tasks/list')
  return profile === 'kuadrant' && isListing ? { kind: 'anonymous' } : { kind: 'authorization', values: [] }
}

/** The same for one that a program hands over. What has none of the known shapes is no credential at all. */
export function presented(credential: GuardCredential, { authorizedTools }: Means): Credential {
  if (typeof credential === 'string') return { kind: 'token', token: credential }
  if (typeof credential !== 'object' || credential === null) return nothing
  if ('token' in credential) return { kind: 'token', token: credential.token }
  if ('claims' in credential) return { kind: 'claims', claims: credential.claims }
  if ('authorization' in credential) return { kind: 'authorization', values: valuesOf(credential.authorization) }
  if ('authorized' in credential) {
    return { kind: 'capability', values: valuesOf(credential.authorized), session: sessionOf(credential) }
  }
  if ('authorizedTools' in credential && authorizedTools === true) {
    return { kind: 'authorized-tools', values: valuesOf(credential.authorizedTools), session: sessionOf(credential) }
  }
  return nothing
}

function sessionOf({ session }: { readonly session?: string | undefined }): string | undefined {
  return typeof session === 'string' ? session : undefined
}

function valuesOf(said: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(said) ? said : [said]
  return values.every((value) => typeof value === 'string') ? values : []
}

const nothing: Credential = { kind: 'authorization', values: [] }
