import { isMap, isScalar, isSeq, type Pair, type Scalar, type YAMLMap } from 'yaml'
import type { Edit, Finding, Migration } from './edit.ts'
import { startOf, stringAt } from './nodes.ts'

/** A `namespace/name`, as a gateway names its servers. */
const serverName = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?\/[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?$/
const typed = /^(?:tool|prompt|resource|template):/
/** Keycloak's own, which names no tool. */
const builtIn = 'uma_protection'

/** Whether a document is an export of a Keycloak realm. */
export function isRealm(node: unknown): node is YAMLMap {
  return (
    isMap(node) && stringAt(node, 'realm') !== undefined && (isMap(node.get('roles')) || isSeq(node.get('clients')))
  )
}

/** Has the client roles of MCP servers begin with `tool:`, where they are defined and wherever they are given. */
export function migrateRealm(realm: YAMLMap, wanted: readonly string[]): Migration {
  const defined = clientRolesOf(realm)
  const clients = wanted.length > 0 ? wanted : defined.map(({ client }) => client).filter((id) => serverName.test(id))
  const problems: Finding[] = []
  const taken = new Set<string>()
  for (const client of clients) {
    const role = clashing(defined.filter((roles) => roles.client === client).flatMap(({ names }) => names))
    if (role === undefined) taken.add(client)
    else problems.push(clash(client, role))
  }
  const places = realmRoles(realm)
  const known = new Set(places.map(({ client }) => client))
  const edits = places
    .filter(({ client, name }) => taken.has(client) && !typed.test(name.value) && name.value !== builtIn)
    .map(({ name }) => prefixed(name))
  return { edits, problems, notes: notesOf(realm, { taken: [...taken], known, wanted }) }
}

interface Choice {
  readonly taken: readonly string[]
  /** Clients of which the realm names a role. */
  readonly known: ReadonlySet<string>
  readonly wanted: readonly string[]
}

function notesOf(realm: YAMLMap, { taken, known, wanted }: Choice): readonly Finding[] {
  const offset = startOf(realm)
  const found = taken.filter((client) => known.has(client))
  const chosen = {
    offset,
    what: `clients taken as MCP servers: ${found.length === 0 ? 'none' : found.join(', ')}`,
    why: wanted.length > 0 ? 'they were named' : 'their ids look like namespace/name',
    mend: '--client ID names others',
  }
  const absent = wanted.filter((client) => !known.has(client))
  const why = 'this realm has no role of it'
  return [chosen, ...absent.map((client) => ({ offset, what: `client ${client}`, why, mend: 'check its id' }))]
}

type Name = Scalar<string>

interface ClientRoles {
  readonly client: string
  readonly names: readonly Name[]
}

function clientRolesOf(realm: YAMLMap): readonly ClientRoles[] {
  return pairsOf(realm.getIn(['roles', 'client'])).map(({ client, value }) => ({
    client,
    names: itemsOf(value).flatMap((role) => nameOf(isMap(role) ? role.get('name', true) : undefined)),
  }))
}

interface Place {
  readonly client: string
  readonly name: Name
}

function realmRoles(realm: YAMLMap): readonly Place[] {
  const roles = [
    ...itemsOf(realm.getIn(['roles', 'realm'])),
    ...pairsOf(realm.getIn(['roles', 'client'])).flatMap(({ value }) => itemsOf(value)),
  ]
  const scopes = pairsOf(realm.get('clientScopeMappings')).flatMap(({ client, value }) =>
    itemsOf(value).flatMap((scope) => namesIn(client, isMap(scope) ? scope.get('roles') : undefined)),
  )
  return [
    ...clientRolesOf(realm).flatMap(({ client, names }) => names.map((name) => ({ client, name }))),
    ...roles.flatMap((role) => given(isMap(role) ? role.getIn(['composites', 'client']) : undefined)),
    ...itemsOf(realm.get('users')).flatMap((user) => given(isMap(user) ? user.get('clientRoles') : undefined)),
    ...itemsOf(realm.get('groups')).flatMap(groupRoles),
    ...scopes,
  ]
}

function groupRoles(group: unknown): readonly Place[] {
  if (!isMap(group)) return []
  return [...given(group.get('clientRoles')), ...itemsOf(group.get('subGroups')).flatMap(groupRoles)]
}

function given(node: unknown): readonly Place[] {
  return pairsOf(node).flatMap(({ client, value }) => namesIn(client, value))
}

function namesIn(client: string, node: unknown): readonly Place[] {
  return itemsOf(node).flatMap((item) => nameOf(item).map((name) => ({ client, name })))
}

function nameOf(node: unknown): readonly Name[] {
  return isScalar(node) && typeof node.value === 'string' ? [node as Name] : []
}

function itemsOf(node: unknown): readonly unknown[] {
  return isSeq(node) ? node.items : []
}

function pairsOf(node: unknown): readonly { readonly client: string; readonly value: unknown }[] {
  if (!isMap(node)) return []
  return node.items.map(({ key, value }: Pair) => ({ client: isScalar(key) ? String(key.value) : '', value }))
}

function clashing(names: readonly Name[]): Name | undefined {
  const all = new Set(names.map(({ value }) => value))
  return names.find(({ value }) => !typed.test(value) && all.has(`tool:${value}`))
}

function clash(client: string, role: Name): Finding {
  return {
    offset: startOf(role),
    what: `client ${client} has both the roles ${role.value} and tool:${role.value}; its roles are left`,
    why: 'renamed, two roles would bear one name, and who holds either would hold both',
    mend: 'remove one of them',
  }
}

function prefixed(name: Name): Edit {
  const at = startOf(name) + (name.type === 'QUOTE_DOUBLE' || name.type === 'QUOTE_SINGLE' ? 1 : 0)
  return { start: at, end: at, text: 'tool:' }
}
