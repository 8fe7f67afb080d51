import { type Segment, segmentsOf } from './claim-path.ts'
import type { ClaimPaths } from './options.ts'
import type { Subject } from './subject.ts'

/** A token's payload or raw claims. Only own keys count. */
export type Claims = Readonly<Record<string, unknown>>

/** The claim paths of well-known issuers; what an issuer's `claims` names replaces them one by one. */
export const presets = {
  keycloak: {
    subject: 'sub',
    grants: ['resource_access.*.roles'],
    roles: ['realm_access.roles'],
    groups: ['groups'],
    scopes: ['scope'],
    email: 'email',
  },
  okta: {
    subject: 'sub',
    grants: ['mcp_grants.*'],
    roles: ['groups'],
    groups: ['groups'],
    scopes: ['scp'],
    email: 'email',
  },
  entra: {
    subject: 'sub',
    grants: ['mcp_grants.*'],
    roles: ['roles', 'groups'],
    groups: ['groups'],
    scopes: ['scp'],
    email: 'email',
  },
  google: {
    subject: 'sub',
    grants: ['mcp_grants.*'],
    roles: ['groups'],
    groups: ['groups'],
    scopes: ['scope'],
    email: 'email',
  },
  'ibm-verify': {
    subject: 'sub',
    grants: ['mcp_grants.*'],
    roles: ['groupIds', 'groups'],
    groups: ['groupIds', 'groups'],
    scopes: ['scope'],
    email: 'email',
  },
  generic: {
    subject: 'sub',
    grants: ['grants.*'],
    roles: ['roles'],
    groups: ['groups'],
    scopes: ['scope'],
    email: 'email',
  },
} as const satisfies Record<string, ClaimPaths>

/** The name of a preset. */
export type PresetName = keyof typeof presets

/**
 * Prepares the reading of one issuer's claims.
 * @returns a function from claims to a subject, or to undefined where the subject claim is not a non-empty string
 * @throws TypeError when a path does not parse
 */
export function createClaimReader(paths: ClaimPaths): (claims: Claims) => Subject | undefined {
  const subject = segmentsOf(paths.subject, false)
  const grants = paths.grants.map((path) => segmentsOf(path, true))
  const roles = pathsOf(paths.roles)
  const groups = pathsOf(paths.groups)
  const scopes = pathsOf(paths.scopes)
  const email = paths.email === undefined ? undefined : segmentsOf(paths.email, false)
  const virtualServer = paths.virtualServer === undefined ? undefined : segmentsOf(paths.virtualServer, false)
  return (claims) => {
    const id = follow(claims, subject)
    if (typeof id !== 'string' || id === '') return undefined
    const address = email === undefined ? undefined : emailOf(claims, email)
    const named = virtualServer === undefined ? undefined : virtualServerOf(claims, virtualServer)
    return Object.freeze({
      id,
      grants: grantsOf(claims, grants),
      roles: Object.freeze(stringsAt(claims, roles)),
      groups: Object.freeze(stringsAt(claims, groups)),
      scopes: scopesOf(claims, scopes),
      ...(address === undefined ? {} : { email: address }),
      ...(named === undefined ? {} : { virtualServer: named }),
    })
  }
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value of an own member, or undefined. */
export function own(object: Claims, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function follow(claims: unknown, path: readonly Segment[]): unknown {
  let value = claims
  for (const segment of path) {
    if (segment === null || !isObject(value)) return undefined
    value = own(value, segment)
  }
  return value
}

function pathsOf(paths: readonly string[] = []): readonly (readonly Segment[])[] {
  return paths.map((path) => segmentsOf(path, false))
}

function stringsAt(claims: Claims, paths: readonly (readonly Segment[])[]): readonly string[] {
  return paths.flatMap((path) => stringsOf(follow(claims, path)))
}

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string') : []
}

/** RFC 6749 section 3.3: names parted by spaces, in no order; some issuers (Okta) write an array of them. */
function scopesOf(claims: Claims, paths: readonly (readonly Segment[])[]): readonly string[] {
  const names = stringsAt(claims, paths).flatMap((text) => text.split(' '))
  return Object.freeze([...new Set(names)].filter((name) => name !== ''))
}

/**
 * Claims that say whether an address is verified (OpenID Connect Core 1.0 section 5.1; Entra's, for whose guests anybody
 * may have written it). Some issuers write them as strings; where there is none, the issuer vouches.
 */
const verifications = ['email_verified', 'xms_edov'] as const
const verified: readonly unknown[] = [true, 'true', 1, '1']

function emailOf(claims: Claims, path: readonly Segment[]): string | undefined {
  const address = follow(claims, path)
  if (typeof address !== 'string' || address === '') return undefined
  const doubted = verifications.some((name) => Object.hasOwn(claims, name) && !verified.includes(claims[name]))
  return doubted ? undefined : address
}

function grantsOf(claims: Claims, paths: readonly (readonly Segment[])[]): Subject['grants'] {
  const byServer = new Map<string, string[]>()
  for (const path of paths) {
    const star = path.indexOf(null)
    const servers = follow(claims, path.slice(0, star))
    if (!isObject(servers)) continue
    for (const [server, value] of Object.entries(servers)) {
      const values = stringsOf(follow(value, path.slice(star + 1)))
      if (values.length > 0) byServer.set(server, [...(byServer.get(server) ?? []), ...values])
    }
  }
  for (const values of byServer.values()) Object.freeze(values)
  return Object.freeze(Object.fromEntries(byServer))
}

/** What is there but cannot be followed to the end names a server that cannot exist: a claim meant as a limit must not be lost. */
function virtualServerOf(claims: Claims, path: readonly Segment[]): string | null | undefined {
  let value: unknown = claims
  for (const segment of path) {
    if (!isObject(value)) return null
    if (segment === null || !Object.hasOwn(value, segment)) return undefined
    value = value[segment]
  }
  return typeof value === 'string' ? value : null
}
