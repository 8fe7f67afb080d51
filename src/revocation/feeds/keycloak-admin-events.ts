// What administrators do: https://www.keycloak.org/docs/latest/server_admin/#auditing-admin-events
import { type Claims, isObject, own } from '../../identity/claims.ts'
import type { IssuerOptions } from '../../identity/options.ts'
import { parseStrictText } from '../../mcp/json.ts'
import type { KeycloakEvent } from './event-stream.ts'
import type { KeycloakAdmin } from './keycloak-admin.ts'
import { type Effect, endsTokens, everybodyOf, personOf, type Reach, secondsOf, textOf } from './keycloak-effect.ts'
import type { RoleDirectory } from './keycloak-roles.ts'

/** The operations that are asked for: what is created takes nothing away. */
export const adminOperations = ['DELETE', 'UPDATE', 'ACTION'] as const

/** What is needed to understand an event. */
export interface AdminEventContext {
  readonly issuer: IssuerOptions
  readonly admin: KeycloakAdmin
  readonly roles: RoleDirectory
}

/** An admin event taken apart. */
interface AdminEvent extends KeycloakEvent {
  readonly operation: string
  /** Names of things can have slashes in them, ids have none. */
  readonly path: string
  /** What was sent with the request; undefined where the realm does not keep that, or it is not to be read. */
  readonly representation: unknown
}

type Reader = (event: AdminEvent, context: AdminEventContext) => readonly Effect[] | Promise<readonly Effect[]>

const readers: ReadonlyMap<unknown, Reader> = new Map<unknown, Reader>([
  ['USER_SESSION', sessionEnded],
  ['USER', userChanged],
  ['GROUP_MEMBERSHIP', onDelete(personInPath)],
  ['CLIENT_ROLE_MAPPING', onDelete(rolesTaken)],
  ['REALM_ROLE_MAPPING', onDelete(rolesTaken)],
  ['CLIENT_SCOPE_MAPPING', onDelete(everybody)],
  ['REALM_SCOPE_MAPPING', onDelete(everybody)],
  // Which roles came with a group, and to whom, is not to be had any more.
  ['GROUP', everybody],
  ['CLIENT_ROLE', roleChanged],
  ['REALM_ROLE', roleChanged],
  ['CLIENT', clientChanged],
  ['REALM', realmChanged],
])

/**
 * What an admin event takes away. Where the event does not tell, or what it tells cannot be looked up, that is more
 * rather than less: all that a person, or everybody, was given until then.
 */
export async function effectsOfAdminEvent(
  event: KeycloakEvent,
  context: AdminEventContext,
): Promise<readonly Effect[]> {
  const { fields } = event
  const reader = readers.get(own(fields, 'resourceType'))
  const operation = textOf(own(fields, 'operationType'))
  if (reader === undefined || !adminOperations.some((known) => known === operation)) return []
  const path = textOf(own(fields, 'resourcePath')) ?? ''
  const representation = parsed(own(fields, 'representation'))
  return await reader({ ...event, operation: operation ?? '', path, representation }, context)
}

function sessionEnded(event: AdminEvent, context: AdminEventContext): readonly Effect[] {
  const session = /^sessions\/([^/]+)$/.exec(event.path)?.[1]
  if (session === undefined) return everybody(event, context)
  return [{ target: { of: { kind: 'session', session, issuer: context.issuer.issuer } } }]
}

function userChanged(event: AdminEvent, context: AdminEventContext): readonly Effect[] {
  const { operation, path, representation } = event
  if (operation === 'DELETE' || /^users\/[^/]+\/logout$/.test(path)) return personInPath(event, context)
  if (operation !== 'UPDATE' || !/^users\/[^/]+$/.test(path)) return []
  return isEnabled(representation) ? [] : personInPath(event, context)
}

async function rolesTaken(event: AdminEvent, { issuer, roles }: AdminEventContext): Promise<readonly Effect[]> {
  const reach = reachOf(event, issuer)
  const listed: readonly unknown[] = Array.isArray(event.representation) ? event.representation : []
  const targets = await Promise.all(listed.map((role) => roles.withdrawal(role, reach)))
  const effects = targets.flatMap((target) => (target === undefined ? [] : [{ target, before: secondsOf(event) }]))
  return listed.length > 0 && effects.length === listed.length ? effects : [endsTokens(reach, event)]
}

/** A role that keeps its name has lost nothing, unless others were taken out of it. */
function roleChanged(event: AdminEvent, context: AdminEventContext): readonly Effect[] {
  const before = /^(?:clients\/[^/]+\/)?roles\/(.+)$/s.exec(event.path)?.[1]
  const after = isObject(event.representation) ? textOf(own(event.representation, 'name')) : undefined
  const keepsName = event.operation === 'UPDATE' && before !== undefined && before === after
  return keepsName ? [] : everybody(event, context)
}

async function realmChanged(event: AdminEvent, context: AdminEventContext): Promise<readonly Effect[]> {
  if (event.path === '') return ownerChanged(event, context)
  if (event.path === 'logout-all') return everybody(event, context)
  if (event.path !== 'push-revocation') return []
  const realm = await context.admin.get('')
  if (!realm.ok || !isObject(realm.value)) return everybody(event, context)
  return notBefore(realm.value, context.issuer)
}

function clientChanged(event: AdminEvent, context: AdminEventContext): readonly Effect[] {
  return /^clients\/[^/]+$/.test(event.path) ? ownerChanged(event, context) : []
}

/** A realm or a client: its tokens end with it, and with its not-before. */
function ownerChanged(event: AdminEvent, context: AdminEventContext): readonly Effect[] {
  if (event.operation === 'ACTION') return []
  const { representation } = event
  if (event.operation === 'DELETE' || !isEnabled(representation)) return everybody(event, context)
  return notBefore(representation, context.issuer)
}

function notBefore(owner: Claims, issuer: IssuerOptions): readonly Effect[] {
  const seconds = own(owner, 'notBefore')
  if (typeof seconds !== 'number' || seconds <= 0) return []
  return [{ target: { of: everybodyOf(issuer) }, before: seconds }]
}

function onDelete(reader: Reader): Reader {
  return (event, context) => (event.operation === 'DELETE' ? reader(event, context) : [])
}

function everybody(event: AdminEvent, { issuer }: AdminEventContext): readonly Effect[] {
  return [endsTokens(everybodyOf(issuer), event)]
}

function personInPath(event: AdminEvent, { issuer }: AdminEventContext): readonly Effect[] {
  return [endsTokens(reachOf(event, issuer), event)]
}

function reachOf({ path }: AdminEvent, issuer: IssuerOptions): Reach {
  const subject = /^users\/([^/]+)(?:\/|$)/.exec(path)?.[1]
  return subject === undefined ? everybodyOf(issuer) : personOf(issuer, subject)
}

/** Whether what was sent leaves its subject enabled: a member that was not sent is not changed. */
function isEnabled(representation: unknown): representation is Claims {
  return isObject(representation) && own(representation, 'enabled') !== false
}

function parsed(representation: unknown): unknown {
  if (typeof representation !== 'string') return undefined
  const reading = parseStrictText(representation, { maxDepth: 64 })
  return reading.ok ? reading.value : undefined
}
