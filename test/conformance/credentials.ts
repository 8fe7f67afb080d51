import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { ApiKeyScope } from '../../src/api-keys/api-key.gen.ts'
import type { ApiKeyOrder } from '../../src/api-keys/create.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { ReasonCode } from '../../src/policy/decision.gen.ts'
import type { OrderFields } from '../../src/revocation/order.ts'
import { type Case, type Table, tables } from './cases.ts'

/** The doors that take a credential as callers have it. */
export const credentialDoors = ['grpc', 'http', 'cli', 'guard'] as const
export type CredentialDoor = (typeof credentialDoors)[number]

/** A token of a configured issuer; `sub`, `iss` and the times have defaults. */
export interface TokenCase {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** In seconds from now. */
  readonly times?: Readonly<Partial<Record<'exp' | 'nbf' | 'iat', number>>>
}

export interface ApiKeyCase extends Partial<Omit<ApiKeyOrder, 'expiresAt'>> {
  /** Seconds from now. */
  readonly expiresIn?: number
}

/** In a revocation, `self` is the token, the subject or the API key of the case; a number is seconds from now. */
export type RevokedCase = Omit<OrderFields, 'issuedBefore'> & { readonly issuedBefore?: number }

/** Which credential is presented, what was revoked before, and what every door must answer. */
export interface CredentialCase {
  readonly name: string
  readonly token?: TokenCase
  readonly apiKey?: ApiKeyCase
  /** A credential as it is. */
  readonly raw?: string
  readonly revoked?: readonly RevokedCase[]
  readonly attempt: Case['attempt']
  /** IP address of the caller. */
  readonly address?: string
  /** Further headers, where the door has any. */
  readonly headers?: Readonly<Record<string, string>>
  /** How many times it was used before. */
  readonly uses?: number
  readonly want: 'allow' | ReasonCode
  /** The smallest set of OAuth scopes that would cure it. */
  readonly scopes?: readonly string[]
  readonly via?: readonly CredentialDoor[]
}

export interface CredentialTable {
  readonly file: string
  readonly profile: Table['profile']
  readonly data: Data
  /** Sections of the configuration. */
  readonly config: { readonly issuers: readonly object[]; readonly gateway?: object }
  readonly cases: readonly CredentialCase[]
}

/** The table of credentials, and those of the other tables that are cut down. */
export function credentialTables(): readonly CredentialTable[] {
  const own = parse(readFileSync(new URL(credentialsFile, import.meta.url), 'utf8')) as CredentialTable
  const cutDown = tables().map((table) => ({
    ...table,
    config: { issuers: own.config.issuers },
    cases: table.cases.flatMap(cutDownCase),
  }))
  return [{ ...own, file: credentialsFile, profile: 'strict' }, ...cutDown.filter(({ cases }) => cases.length > 0)]
}

const credentialsFile = 'credentials.yaml'

/** A subject that is cut down, as a credential that is: by the scope of an API key, or by what was revoked. */
function cutDownCase({ name, claims, cutDown, attempt, want, via }: Case): readonly CredentialCase[] {
  const doors = via === undefined ? credentialDoors : credentialDoors.filter((door) => via.includes(door))
  if (cutDown === undefined || doors.length === 0) return []
  const common = { name, attempt, want, via: doors }
  const { limits, withdrawnRoles = [] } = cutDown
  if (limits === undefined) {
    const { sub: _, ...rest } = claims
    return [{ ...common, token: { claims: rest }, revoked: withdrawnRoles.map((role) => ({ role, subject: 'self' })) }]
  }
  const scope = structuredClone(limits) as ApiKeyScope
  const limited = Object.keys(scope).length === 0 ? {} : { scope }
  return [{ ...common, apiKey: { ...orderOf(claims), ...limited } }]
}

/** An API key that grants what a token with these claims does. */
function orderOf(claims: Case['claims']): ApiKeyCase {
  const {
    realm_access,
    resource_access = {},
    groups = [],
  } = claims as {
    readonly realm_access?: { readonly roles: string[] }
    readonly resource_access?: Readonly<Record<string, { readonly roles: string[] }>>
    readonly groups?: string[]
  }
  const grants = Object.fromEntries(Object.entries(resource_access).map(([server, { roles }]) => [server, roles]))
  return { roles: realm_access?.roles ?? [], grants, groups }
}
