import { type DefinedType, definitionDigest } from '../mcp/definition.ts'
import { listOf } from '../mcp/item-names.ts'
import type { CatalogueItem, Data, Server } from '../policy/data.gen.ts'
import { definedTypes } from './federation.ts'
import { definitionsIn } from './offered.ts'
import type { Offer } from './upstream.ts'

/** An item of a server, as far as catalogue and server differ. */
export interface Difference {
  /**
   * `changed`: it is pinned, and offered otherwise; `missing`: listed, and not offered; `unlisted`: offered, and not listed;
   * `unpinned`: listed without a digest.
   */
  readonly kind: 'changed' | 'missing' | 'unlisted' | 'unpinned'
  readonly server: string
  readonly type: DefinedType
  readonly name: string
  /** Of the definition that is offered; absent where none is. */
  readonly sha256?: string
}

/** What the catalogue would have to say for exactly what a server offers to be approved. Tags and annotations stay. */
export function approvedEntry(offer: Offer, entry: Server | undefined): Pick<Server, (typeof listOf)[DefinedType]> {
  const lists = definedTypes.flatMap((type) => {
    const items = definitionsIn(offer, type).map(({ name, definition }) => itemOf(type, { name, definition, entry }))
    return items.length === 0 ? [] : [[listOf[type], items] as const]
  })
  return Object.fromEntries(lists)
}

interface Offered {
  readonly name: string
  readonly definition: Readonly<Record<string, unknown>>
}

function itemOf(
  type: DefinedType,
  { name, definition, entry }: Offered & { readonly entry: Server | undefined },
): CatalogueItem {
  const { tags, annotations = annotationsIn(type, definition) } = entry === undefined ? {} : knownOf(entry, type, name)
  return {
    name,
    ...(tags === undefined ? {} : { tags }),
    ...(annotations === undefined ? {} : { annotations }),
    sha256: definitionDigest(type, definition, name),
  }
}

/** What a tool says of itself, for whoever reviews it to keep or to correct. */
function annotationsIn(type: DefinedType, { annotations }: Offered['definition']): CatalogueItem['annotations'] {
  const isSound = type === 'tool' && typeof annotations === 'object' && annotations !== null
  return isSound ? annotations : undefined
}

function knownOf(entry: Server, type: DefinedType, name: string): Partial<CatalogueItem> {
  const found = (entry[listOf[type]] ?? []).find((item) => typeof item !== 'string' && item.name === name)
  return typeof found === 'object' ? found : {}
}

/** How catalogue and server differ. */
export function differences(server: string, offer: Offer, { servers = {} }: Data): readonly Difference[] {
  const entry = Object.hasOwn(servers, server) ? servers[server] : undefined
  return definedTypes.flatMap((type) => {
    const offered = new Map(definitionsIn(offer, type).map(({ name, definition }) => [name, definition]))
    const listed = itemsOf(entry, type)
    const own = [...listed].flatMap(([name, approved]) => {
      const definition = offered.get(name)
      const sha256 = definition && definitionDigest(type, definition, name)
      const kind = kindOf(sha256, approved)
      return kind === undefined ? [] : [{ kind, server, type, name, ...(sha256 === undefined ? {} : { sha256 }) }]
    })
    const others = [...offered].flatMap(([name, definition]) =>
      listed.has(name)
        ? []
        : [{ kind: 'unlisted' as const, server, type, name, sha256: definitionDigest(type, definition, name) }],
    )
    return [...own, ...others]
  })
}

function kindOf(sha256: string | undefined, approved: readonly string[]): Difference['kind'] | undefined {
  if (sha256 === undefined) return 'missing'
  if (approved.length === 0) return 'unpinned'
  return approved.includes(sha256) ? undefined : 'changed'
}

/** The items that are listed, each with the digests that are approved. */
function itemsOf(entry: Server | undefined, type: DefinedType): ReadonlyMap<string, readonly string[]> {
  const items = new Map<string, readonly string[]>()
  for (const item of entry?.[listOf[type]] ?? []) {
    const { name, sha256 = [] } = typeof item === 'string' ? { name: item } : item
    items.set(name, [...(items.get(name) ?? []), ...[sha256].flat()])
  }
  return items
}
