import type { ClaimPaths } from './options.ts'
import type { Subject } from './subject.ts'

/** A token's payload or raw claims. Only own keys count. */
export type Claims = Readonly<Record<string, unknown>>

/** One step of a claim path: a name, or null for the `*` that stands for a server's id. */
export type Segment = string | null

/** A claim path taken apart, or why it is none. */
export type PathParsing =
  | { readonly ok: true; readonly segments: readonly Segment[] }
  | { readonly ok: false; readonly detail: string }

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
 * Takes a claim path apart: `.` separates, `\.` is a dot in a name, `\\` a backslash, `\*` a name that is one star.
 * With `wildcard` exactly one segment is `*`, without it none.
 */
export function parsePath(text: string, { wildcard }: { readonly wildcard: boolean }): PathParsing {
  const segments = splitPath(text)
  if (segments === undefined) {
    return refused('expected `\\` to stand before `.`, `*` or `\\`; write `\\\\` for a backslash')
  }
  if (segments.includes('')) return refused('expected names separated by single dots; write `\\.` for a dot in a name')
  const stars = segments.filter((segment) => segment === null).length
  if (wildcard && stars !== 1) return refused('expected exactly one segment `*`, which stands for the id of the server')
  if (!wildcard && stars !== 0) return refused('expected no segment `*`; only paths of grants have one')
  return { ok: true, segments }
}

/**
 * Prepares the reading of one issuer's claims.
 * @returns a function from claims to a subject, or to undefined where the subject claim is not a non-empty string
 * @throws TypeError when a path does not parse
 */
export function createClaimReader(paths: ClaimPaths): (claims: Claims) => Subject | undefined {
  const subject = mustParse(paths.subject, false)
  const grants = paths.grants.map((path) => mustParse(path, true))
  const roles = paths.roles.map((path) => mustParse(path, false))
  const groups = (paths.groups ?? []).map((path) => mustParse(path, false))
  const scopes = (paths.scopes ?? []).map((path) => mustParse(path, false))
  const email = paths.email === undefined ? undefined : mustParse(paths.email, false)
  const virtualServer = paths.virtualServer === undefined ? undefined : mustParse(paths.virtualServer, false)
  return (claims) => {
    const id = follow(claims, subject)
    if (typeof id !== 'string' || id === '') return undefined
    const named = virtualServer === undefined ? undefined : virtualServerOf(claims, virtualServer)
    const address = email === undefined ? undefined : emailOf(claims, email)
    return Object.freeze({
      id,
      grants: grantsOf(claims, grants),
      roles: Object.freeze(roles.flatMap((path) => stringsOf(follow(claims, path)))),
      groups: Object.freeze(groups.flatMap((path) => stringsOf(follow(claims, path)))),
      scopes: Object.freeze(scopes.flatMap((path) => scopesOf(follow(claims, path)))),
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

function splitPath(text: string): Segment[] | undefined {
  const segments: Segment[] = []
  let name = ''
  let escaped = false
  for (let at = 0; at <= text.length; at++) {
    const letter = text[at]
    if (letter === undefined || letter === '.') {
      segments.push(name === '*' && !escaped ? null : name)
      name = ''
      escaped = false
    } else if (letter === '\\') {
      const literal = text[++at]
      if (literal === undefined || !'.*\\'.includes(literal)) return undefined
      name += literal
      escaped = true
    } else {
      name += letter
    }
  }
  return segments
}

function mustParse(path: string, wildcard: boolean): readonly Segment[] {
  const reading = parsePath(path, { wildcard })
  if (!reading.ok) throw new TypeError(`claim path \`${path}\`: ${reading.detail}`)
  return reading.segments
}

function follow(claims: unknown, path: readonly Segment[]): unknown {
  let value = claims
  for (const segment of path) {
    if (segment === null || !isObject(value)) return undefined
    value = own(value, segment)
  }
  return value
}

function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return Array.isArray(value) ? value.filter((member) => typeof member === 'string') : []
}

/** RFC 6749 section 3.3: names parted by blanks. Some issuers give a list instead. */
function scopesOf(value: unknown): readonly string[] {
  return stringsOf(value).flatMap((text) => text.split(' ').filter((scope) => scope !== ''))
}

/** OpenID Connect Core 1.0 section 5.1: `email_verified` stands beside the address. */
function emailOf(claims: Claims, path: readonly Segment[]): string | undefined {
  const email = follow(claims, path)
  const verified = follow(claims, [...path.slice(0, -1), 'email_verified'])
  return typeof email === 'string' && verified !== false ? email : undefined
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

function refused(detail: string): PathParsing {
  return { ok: false, detail }
}
