import type { DefinedType, ListedDefinitions } from '../mcp/definition.ts'
import type { CatalogueItem, Data, Server } from '../policy/data.gen.ts'

/** What the catalogue says of an item beside its name. */
export interface Catalogued {
  readonly server: string
  readonly name: string
  /** Digests of the definitions that are approved; undefined: any is. */
  readonly approved: ReadonlySet<string> | undefined
  readonly annotations: CatalogueItem['annotations']
}

/** Finds what the catalogue says of an item; undefined where it says no more than the name, or it is nobody's. */
export type FindCatalogued = (
  type: DefinedType,
  name: string,
  server: ListedDefinitions['server'],
) => Catalogued | undefined

const lists = { tool: 'tools', prompt: 'prompts', resource: 'resources', template: 'templates' } as const

type Items = ReadonlyMap<string, Catalogued>

/**
 * Reads the catalogue. Which item a client-visible name means is the rule of `policies/mcp/authz/names`: the enabled
 * server with the longest prefix, then those without one, and of URIs whoever lists them.
 * @param prefixedUris - whether client-visible URIs have the server's prefix before their authority
 * @returns undefined where no item is more than a name
 */
export function readCatalogue({ servers = {} }: Data, prefixedUris: boolean): FindCatalogued | undefined {
  const known = new Map(Object.entries(servers).map(([id, server]) => [id, itemsOf(id, server)]))
  if ([...known.values()].every((types) => Object.values(types).every((items) => items.size === 0))) return undefined
  const enabled = Object.entries(servers).filter(([, { state }]) => state !== 'Disabled')
  const prefixes = enabled
    .flatMap(([id, { prefix = '' }]) => (prefix === '' ? [] : [{ id, prefix }]))
    .sort((one, other) => other.prefix.length - one.prefix.length)
  const owners = ownersOf(enabled, prefixedUris)
  return (type, name, server) => {
    if (server !== undefined) return known.get(server)?.[type].get(name)
    const isName = type === 'tool' || type === 'prompt'
    const prefixed = isName ? prefixes.find(({ prefix }) => name.startsWith(prefix)) : undefined
    if (prefixed !== undefined) return known.get(prefixed.id)?.[type].get(name.slice(prefixed.prefix.length))
    const [owner, ...more] = owners.get(keyOf(type, name)) ?? []
    return owner === undefined || more.length > 0 ? undefined : known.get(owner.server)?.[type].get(owner.name)
  }
}

function itemsOf(server: string, entry: Server): Readonly<Record<DefinedType, Items>> {
  const of = (type: DefinedType): Items => {
    const items = new Map<string, Catalogued>()
    for (const item of entry[lists[type]] ?? []) {
      if (typeof item !== 'string') add(items, server, item)
    }
    return items
  }
  return { tool: of('tool'), prompt: of('prompt'), resource: of('resource'), template: of('template') }
}

/** An item that stands there twice has all that is said of it. */
function add(items: Map<string, Catalogued>, server: string, { name, sha256, annotations }: CatalogueItem): void {
  if (sha256 === undefined && annotations === undefined) return
  const before = items.get(name)
  const digests = sha256 === undefined ? [] : [sha256].flat()
  const approved = sha256 === undefined ? before?.approved : new Set([...(before?.approved ?? []), ...digests])
  items.set(name, { server, name, approved, annotations: annotations ?? before?.annotations })
}

interface Owner {
  readonly server: string
  readonly name: string
}

/** By type and client-visible name, the servers that list it; of tools and prompts those without a prefix. */
function ownersOf(
  enabled: readonly (readonly [string, Server])[],
  prefixedUris: boolean,
): ReadonlyMap<string, readonly Owner[]> {
  const listings = enabled.flatMap(([id, server]) =>
    (Object.keys(lists) as DefinedType[]).flatMap((type) => {
      const { prefix = '' } = server
      const isUri = type === 'resource' || type === 'template'
      if (!isUri && prefix !== '') return []
      const visible = (name: string): string => (isUri && prefixedUris ? withPrefix(name, prefix) : name)
      return [...namesIn(server, type)].map((name) => ({ key: keyOf(type, visible(name)), server: id, name }))
    }),
  )
  return Map.groupBy(listings, ({ key }) => key)
}

function namesIn(server: Server, type: DefinedType): ReadonlySet<string> {
  return new Set((server[lists[type]] ?? []).map((item) => (typeof item === 'string' ? item : item.name)))
}

function keyOf(type: DefinedType, name: string): string {
  return `${type}:${name}`
}

/** Elsewhere than behind the scheme `://` begins no authority. */
function withPrefix(uri: string, prefix: string): string {
  return uri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, (start) => `${start}${prefix}`)
}
