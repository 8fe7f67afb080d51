import type { Data, Server } from '../policy/data.gen.ts'
import type { DefinedType } from './definition.ts'

/** An item of the catalogue, under its server's own name. */
export interface ItemName {
  readonly server: string
  readonly name: string
}

/** How clients see the items of a catalogue, and which item a client's name means: `policies/mcp/authz/names`. */
export interface ItemNames {
  /** What clients call an item; undefined for a server that the catalogue does not know. */
  clientName(type: DefinedType, item: ItemName): string | undefined
  /**
   * The one item that a client-visible name means: that of the enabled server with the longest prefix, else of the one
   * server without a prefix that lists it; of URIs, of the one server that lists them.
   */
  owner(type: DefinedType, name: string): ItemName | undefined
  /** Whether an enabled server lists an item that is named so by itself. */
  isListed(type: DefinedType, name: string): boolean
  /** Whether a URI that nobody lists may be covered by a template that an enabled server but this one lists. */
  mayBeCovered(uri: string, but: string): boolean
}

const types: readonly DefinedType[] = ['tool', 'prompt', 'resource', 'template']

/** The list of a server that holds items of a type. */
export const listOf = { tool: 'tools', prompt: 'prompts', resource: 'resources', template: 'templates' } as const

/** @param prefixedUris - whether client-visible URIs have the server's prefix before their authority */
export function readItemNames({ servers = {} }: Data, prefixedUris: boolean): ItemNames {
  const all = new Map(Object.entries(servers))
  const enabled = [...all].filter(([, { state }]) => state !== 'Disabled')
  const prefixes = enabled
    .flatMap(([server, { prefix = '' }]) => (prefix === '' ? [] : [{ server, prefix }]))
    .sort((one, other) => other.prefix.length - one.prefix.length)
  const visible = (type: DefinedType, name: string, prefix: string): string => {
    if (!isUri(type)) return `${prefix}${name}`
    return prefixedUris ? withPrefix(name, prefix) : name
  }
  const listings = enabled.flatMap(([server, entry]) =>
    types.flatMap((type) => listingsOf(server, entry, { type, visible })),
  )
  const owners = Map.groupBy(listings, ({ key }) => key)
  const starts = enabled.flatMap(([server, { prefix = '', templates = [] }]) =>
    templates.map((item) => ({ server, start: literalStart(visible('template', nameOf(item), prefix)) })),
  )
  return {
    clientName(type, { server, name }) {
      const entry = all.get(server)
      return entry === undefined ? undefined : visible(type, name, entry.prefix ?? '')
    },
    owner(type, name) {
      const prefixed = isUri(type) ? undefined : prefixes.find(({ prefix }) => name.startsWith(prefix))
      if (prefixed !== undefined) return { server: prefixed.server, name: name.slice(prefixed.prefix.length) }
      const [only, ...more] = owners.get(keyOf(type, name)) ?? []
      return only === undefined || more.length > 0 ? undefined : only.item
    },
    isListed: (type, name) => owners.has(keyOf(type, name)),
    mayBeCovered: (uri, but) => starts.some(({ server, start }) => server !== but && uri.startsWith(start)),
  }
}

interface Listing {
  /** Type and client-visible name. */
  readonly key: string
  readonly item: ItemName
}

/** What names alone lead to: of tools and prompts, those of servers without a prefix. */
function listingsOf(
  server: string,
  entry: Server,
  how: {
    readonly type: DefinedType
    readonly visible: (type: DefinedType, name: string, prefix: string) => string
  },
): readonly Listing[] {
  const { type, visible } = how
  const { prefix = '' } = entry
  if (!isUri(type) && prefix !== '') return []
  const names = new Set((entry[listOf[type]] ?? []).map(nameOf))
  return [...names].map((name) => ({ key: keyOf(type, visible(type, name, prefix)), item: { server, name } }))
}

function keyOf(type: DefinedType, name: string): string {
  return `${type}:${name}`
}

function isUri(type: DefinedType): boolean {
  return type === 'resource' || type === 'template'
}

function nameOf(item: string | { readonly name: string }): string {
  return typeof item === 'string' ? item : item.name
}

/** Elsewhere than behind the scheme `://` begins no authority. */
function withPrefix(uri: string, prefix: string): string {
  return uri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, (start) => `${start}${prefix}`)
}

/** What every URI that a template expands to begins with. */
function literalStart(template: string): string {
  return template.split('{', 1).join('')
}
