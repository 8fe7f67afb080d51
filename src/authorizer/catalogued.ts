import type { DefinedType, ListedDefinitions } from '../mcp/definition.ts'
import { listOf, readItemNames } from '../mcp/item-names.ts'
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

type Items = ReadonlyMap<string, Catalogued>

/**
 * Reads the catalogue.
 * @param prefixedUris - whether client-visible URIs have the server's prefix before their authority
 * @returns undefined where no item is more than a name
 */
export function readCatalogue(data: Data, prefixedUris: boolean): FindCatalogued | undefined {
  const known = new Map(Object.entries(data.servers ?? {}).map(([id, server]) => [id, itemsOf(id, server)]))
  if ([...known.values()].every((types) => Object.values(types).every((items) => items.size === 0))) return undefined
  const names = readItemNames(data, prefixedUris)
  return (type, name, server) => {
    const item = server === undefined ? names.owner(type, name) : { server, name }
    return item && known.get(item.server)?.[type].get(item.name)
  }
}

function itemsOf(server: string, entry: Server): Readonly<Record<DefinedType, Items>> {
  const of = (type: DefinedType): Items => {
    const items = new Map<string, Catalogued>()
    for (const item of entry[listOf[type]] ?? []) {
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
