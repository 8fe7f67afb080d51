import { type DefinedType, definitionDigest, type ListedDefinitions } from '../mcp/definition.ts'
import type { ListedItem } from '../mcp/list.ts'
import type { Data } from '../policy/data.gen.ts'
import type { ChangedDefinitions } from '../policy/engine.ts'
import { textOf } from '../policy/errors.ts'
import { type Catalogued, type FindCatalogued, readCatalogue } from './catalogued.ts'

/** Holds what servers list against what the catalogue approves. */
export interface Definitions {
  /**
   * The items of a list as the catalogue has them: those with a definition that it does not approve are left out, and
   * annotations are the catalogue's where it gives any. What was left out cannot be called either from then on.
   */
  approved(list: ListedDefinitions): readonly ListedItem[]
}

/** The same, with what they need of whoever holds data and policy. */
export interface DefinitionBook extends Definitions {
  /** What is gone until it is approved. */
  changed(): ChangedDefinitions
  /** How much is. */
  count(): number
  /** What would be gone under other data; `adopt` makes them these definitions'. */
  under(data: Data): { readonly changed: ChangedDefinitions; readonly adopt: () => void }
}

export interface DefinitionOptions {
  readonly data: Data
  /** See `Question.prefixedUris`. */
  readonly prefixedUris: boolean
  /** Puts into force what is gone. @throws {PolicyError} where it cannot */
  readonly put: (changed: ChangedDefinitions) => void
  /** Told of each definition that is not approved, once. */
  readonly onWarning: (text: string) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

interface Seen {
  readonly type: DefinedType
  readonly item: Catalogued
  readonly digest: string
  /** When it was last listed so. */
  readonly at: number
}

/**
 * How long an item stays gone after it was last listed otherwise than approved. Milliseconds. Of two replicas of a server
 * only one may have changed: what is gone would come back with every other list, and policy be loaded anew for each.
 */
const graceMs = 60_000

/** Makes the definitions of a catalogue. */
export function createDefinitions({ put, onWarning, now = Date.now, ...options }: DefinitionOptions): DefinitionBook {
  let find = readCatalogue(options.data, options.prefixedUris)
  let seen: ReadonlyMap<string, Seen> = new Map()
  const told = new Set<string>()

  function note(next: Map<string, Seen>, look: Look): void {
    const { type, item, digest } = look
    const key = JSON.stringify([item.server, type, item.name])
    const before = next.get(key)
    if (item.approved !== undefined && !item.approved.has(digest)) {
      next.set(key, { type, item, digest, at: now() })
      if (!told.has(key + digest)) onWarning(warningOf(look))
      told.add(key + digest)
    } else if (before !== undefined && now() - before.at >= graceMs) {
      next.delete(key)
    }
  }

  return {
    approved({ type, server, items }) {
      const finds = find
      if (finds === undefined) return items
      const looks = items.map((item) => lookAt(item, { type, server, find: finds }))
      const next = new Map(seen)
      for (const look of looks) if (look !== undefined) note(next, look)
      const isOther = [...seen.keys()].join() !== [...next.keys()].join()
      seen = next
      if (isOther) putOrTell(() => put(changedIn(next)), onWarning)
      return items.flatMap((item, at) => shown(item, looks[at], next))
    },
    changed: () => changedIn(seen),
    count: () => seen.size,
    under(data) {
      const finds = readCatalogue(data, options.prefixedUris)
      const kept = new Map([...seen].flatMap(([key, look]) => stillSeen(key, look, finds)))
      return {
        changed: changedIn(kept),
        adopt() {
          find = finds
          seen = kept
        },
      }
    },
  }
}

/** An item of a list that the catalogue says something of. */
interface Look {
  readonly type: DefinedType
  readonly item: Catalogued
  /** Empty where it has none, which nothing approves. */
  readonly digest: string
}

function lookAt(
  { name, entry }: ListedItem,
  { type, server, find }: Pick<ListedDefinitions, 'type' | 'server'> & { readonly find: FindCatalogued },
): Look | undefined {
  const item = find(type, name, server)
  if (item === undefined) return undefined
  return { type, item, digest: item.approved === undefined ? '' : digestOf(type, entry, item.name) }
}

function digestOf(type: DefinedType, entry: ListedItem['entry'], name: string): string {
  try {
    return definitionDigest(type, entry, name)
  } catch {
    return ''
  }
}

function shown(listed: ListedItem, look: Look | undefined, gone: ReadonlyMap<string, Seen>): readonly ListedItem[] {
  if (look === undefined) return [listed]
  const { type, item } = look
  if (gone.has(JSON.stringify([item.server, type, item.name]))) return []
  const { annotations } = item
  return [annotations === undefined ? listed : { ...listed, entry: { ...listed.entry, annotations } }]
}

/** Approved meanwhile, or asked for no longer, it is there again. */
function stillSeen(key: string, look: Seen, find: FindCatalogued | undefined): readonly (readonly [string, Seen])[] {
  const item = find?.(look.type, look.item.name, look.item.server)
  if (item?.approved === undefined || item.approved.has(look.digest)) return []
  return [[key, { ...look, item }]]
}

/** An id may be any text, `__proto__` too, which `fromEntries` takes for a key like another. */
function changedIn(seen: ReadonlyMap<string, Seen>): ChangedDefinitions {
  const grouped = Map.groupBy(seen.values(), ({ item }) => item.server)
  return Object.fromEntries(
    [...grouped].map(([server, ofServer]) => {
      const types = Map.groupBy(ofServer, ({ type }) => type)
      const named = (of: readonly Seen[]): Readonly<Record<string, true>> =>
        Object.fromEntries(of.map(({ item }) => [item.name, true as const]))
      return [server, Object.fromEntries([...types].map(([type, of]) => [type, named(of)]))]
    }),
  )
}

function warningOf({ type, item, digest }: Look): string {
  const what = `${type} \`${item.name}\` of server \`${item.server}\``
  const listed = digest === '' ? 'a definition that has no digest' : `the definition ${digest}`
  return `${what} is listed with ${listed}, which the catalogue does not approve: it is gone until its \`sha256\` there says so`
}

function putOrTell(put: () => void, onWarning: (text: string) => void): void {
  try {
    put()
  } catch (thrown) {
    onWarning(`what is listed with other definitions than approved cannot be kept from being called: ${textOf(thrown)}`)
  }
}
