import type { DefinedType, ListedDefinitions } from '../mcp/definition.ts'
import { type ItemNames, readItemNames } from '../mcp/item-names.ts'
import { brokerTools } from '../mcp/methods.ts'
import { byCodePoint } from '../policy/code-point.ts'
import type { Data } from '../policy/data.gen.ts'
import { definitionsIn } from './offered.ts'
import type { Offer, Upstream } from './upstream.ts'

/** An item as clients see it, and whose it is. */
export interface Shared {
  readonly server: string
  /** Its server's own name for it. */
  readonly name: string
  /** The definition under the name that clients know. */
  readonly entry: Readonly<Record<string, unknown>>
}

/** What several servers offer together, under names that tell them apart. */
export interface Federation {
  /** In order of the servers' ids, of each as it lists them. No name is there twice. */
  items(type: DefinedType): readonly Shared[]
  /** The input schema of a tool that is shared, by the name that clients know. */
  inputSchema(tool: string): Readonly<Record<string, unknown>> | undefined
  /** Items that a server offers and that are not shared, since their name leads elsewhere or nowhere. */
  withheld(server: string, type: DefinedType): readonly string[]
  /** Whether some server completes arguments. */
  completes(): boolean
  /** Told that servers or data are others; what is listed is worked out anew. */
  refresh(): void
}

export interface FederationOptions {
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly data: () => Data
  /** Whether client-visible URIs have the server's prefix before their authority (profile kuadrant). */
  readonly prefixedUris: boolean
  /** Whether the broker's own tools take their names away from others. */
  readonly ownTools: boolean
  /** Told what each server lists, whenever something changed: see `Definitions`. */
  readonly observe: (list: ListedDefinitions) => void
}

export const definedTypes: readonly DefinedType[] = ['tool', 'prompt', 'resource', 'template']

const keyOf = { tool: 'name', prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const

/** Joins what the servers of the catalogue offer, as far as they are reached and enabled. */
export function createFederation(options: FederationOptions): Federation {
  let known: Known | undefined
  const current = (): Known => {
    known ??= join(options)
    return known
  }
  return {
    items: (type) => current().items[type],
    inputSchema: (tool) => current().inputSchemas.get(tool),
    withheld: (server, type) => current().withheld.get(server)?.[type] ?? [],
    completes: () => current().completes,
    refresh() {
      known = undefined
      // Not when somebody asks: what changed must not be called either.
      current()
    },
  }
}

type ByType<T> = Readonly<Record<DefinedType, T>>

interface Known {
  readonly items: ByType<readonly Shared[]>
  readonly inputSchemas: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  readonly withheld: ReadonlyMap<string, ByType<readonly string[]>>
  readonly completes: boolean
}

function join(options: FederationOptions): Known {
  const { upstreams, data, prefixedUris, observe } = options
  const { servers = {} } = data()
  const names = readItemNames(data(), prefixedUris)
  const offers = Object.keys(servers)
    .filter((id) => servers[id]?.state !== 'Disabled')
    .sort(byCodePoint)
    .flatMap((id) => {
      const offer = upstreams.get(id)?.offered()
      return offer === undefined ? [] : [{ id, offer }]
    })
  for (const { id, offer } of offers) observeAll(id, offer, observe)
  const placed = byType((type) => offers.flatMap(({ id, offer }) => place(type, { id, offer, names, options })))
  const items = byType((type) => placed[type].flatMap(({ shared }) => shared ?? []))
  return {
    items,
    inputSchemas: new Map(items.tool.flatMap(({ entry }) => schemaIn(entry))),
    withheld: new Map(offers.map(({ id }) => [id, byType((type) => withheldOf(placed[type], id))])),
    completes: offers.some(({ offer }) => offer.completions),
  }
}

function observeAll(server: string, offer: Offer, observe: FederationOptions['observe']): void {
  for (const type of definedTypes) {
    const items = definitionsIn(offer, type).map(({ name, definition }) => ({ name, entry: definition }))
    observe({ type, server, items })
  }
}

function schemaIn({ name, inputSchema }: Shared['entry']): [string, Readonly<Record<string, unknown>>][] {
  const isSound = typeof name === 'string' && typeof inputSchema === 'object' && inputSchema !== null
  return isSound ? [[name, { ...inputSchema }]] : []
}

interface Placed {
  readonly server: string
  readonly name: string
  /** Undefined: it is withheld. */
  readonly shared: Shared | undefined
}

interface Placing {
  readonly id: string
  readonly offer: Offer
  readonly names: ItemNames
  readonly options: FederationOptions
}

/** What policy would take for an item of another server must not be shown as this one's. */
function place(type: DefinedType, { id, offer, names, options }: Placing): readonly Placed[] {
  return definitionsIn(offer, type).map(({ name, definition }) => {
    const visible = names.clientName(type, { server: id, name })
    const isOwn = visible !== undefined && isOwnName(type, visible, { id, names, options })
    const shared = isOwn ? { server: id, name, entry: { ...definition, [keyOf[type]]: visible } } : undefined
    return { server: id, name, shared }
  })
}

function isOwnName(
  type: DefinedType,
  visible: string,
  { id, names, options }: Pick<Placing, 'id' | 'names' | 'options'>,
): boolean {
  if (type === 'tool' && options.ownTools && brokerTools.includes(visible)) return false
  const owner = names.owner(type, visible)
  if (owner !== undefined) return owner.server === id
  // A resource that is not listed is read where a template covers it.
  return type === 'resource' && !names.isListed(type, visible) && !names.mayBeCovered(visible, id)
}

function withheldOf(placed: readonly Placed[], id: string): readonly string[] {
  return placed.flatMap(({ server, name, shared }) => (server === id && shared === undefined ? [name] : []))
}

function byType<T>(of: (type: DefinedType) => T): ByType<T> {
  return { tool: of('tool'), prompt: of('prompt'), resource: of('resource'), template: of('template') }
}
