import { LRUCache } from 'lru-cache'
import { type DefinedType, definitionDigest, type ListedDefinitions } from '../mcp/definition.ts'
import type { ListedItem } from '../mcp/list.ts'
import type { Data } from '../policy/data.gen.ts'
import type { ChangedDefinitions } from '../policy/engine.ts'
import { textOf } from '../policy/errors.ts'
import { type FindCatalogued, readCatalogue } from './catalogued.ts'
import { keyOf, type Ledger } from './hearsay.ts'
import { createSightings, type Look, type Seen } from './sightings.ts'

/** Holds what servers list against what the catalogue approves. */
export interface Definitions {
  /**
   * The items of a list as the catalogue has them: those with a definition that it does not approve are left out, and
   * annotations are the catalogue's where it gives any. What was left out cannot be called either from then on, by anybody.
   * @param by - the names that whoever asks may use: nobody else's list takes an item from others. Default: all
   */
  approved(list: ListedDefinitions, by?: ReadonlySet<string>): readonly ListedItem[]
}

/** The same, with what they need of whoever holds data and policy. */
export interface DefinitionBook extends Definitions {
  /** What is gone until it is approved. */
  changed(): ChangedDefinitions
  /** How much is. */
  count(): number
  /** What would be gone under other data; `adopt` makes them these definitions'. */
  under(data: Data): { readonly changed: ChangedDefinitions; readonly adopt: () => void }
  /** Ends the following of others. */
  close(): void
}

export interface DefinitionOptions {
  readonly data: Data
  /** See `Question.prefixedUris`. */
  readonly prefixedUris: boolean
  /** Where other processes and replicas learn of it, and this one after a restart. Absent: nobody does. */
  readonly ledger?: Ledger | undefined
  /** Puts into force what is gone. @throws {PolicyError} where it cannot */
  readonly put: (changed: ChangedDefinitions) => void
  /** Told of definitions that are not approved, of each item once a minute at most. */
  readonly onWarning: (text: string) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Makes the definitions of a catalogue. */
export function createDefinitions(options: DefinitionOptions): DefinitionBook {
  const { put, onWarning, prefixedUris } = options
  let find = readCatalogue(options.data, prefixedUris)
  const sightings = createSightings({
    ...options,
    find: () => find,
    onOther: (seen) => putOrTell(() => put(changedIn(seen)), onWarning),
  })
  return {
    approved({ type, server, items }, by) {
      const finds = find
      if (finds === undefined) return items
      const looks = items.map((item) => lookAt(item, { type, server, find: finds }))
      const mayTake = (at: number): boolean => by?.has(items[at]?.name ?? '') ?? true
      const gone = sightings.note(
        looks.flatMap((look, at) => (look === undefined ? [] : { ...look, mayTake: mayTake(at) })),
      )
      return items.flatMap((item, at) => shown(item, looks[at], gone))
    },
    changed: () => changedIn(sightings.current()),
    count: () => sightings.current().size,
    under(data) {
      const finds = readCatalogue(data, prefixedUris)
      const kept = sightings.under(finds)
      return {
        changed: changedIn(kept),
        adopt() {
          find = finds
          sightings.adopt(kept)
        },
      }
    },
    close: sightings.close,
  }
}

function lookAt(
  { name, entry }: ListedItem,
  { type, server, find }: Pick<ListedDefinitions, 'type' | 'server'> & { readonly find: FindCatalogued },
): Look | undefined {
  const item = find(type, name, server)
  if (item === undefined) return undefined
  return { type, item, digest: item.approved === undefined ? '' : digestOf(type, entry, item.name) }
}

/** Lists are asked for again and again: to find the same text takes a tenth of the time that its digest does. */
const digests = new LRUCache<string, string>({ maxSize: 32 * 1024 * 1024, sizeCalculation: (_, text) => text.length })

function digestOf(type: DefinedType, entry: ListedItem['entry'], name: string): string {
  try {
    const text = JSON.stringify([type, name, entry])
    const known = digests.get(text)
    if (known !== undefined) return known
    const digest = definitionDigest(type, entry, name)
    digests.set(text, digest)
    return digest
  } catch {
    return ''
  }
}

function shown(listed: ListedItem, look: Look | undefined, gone: ReadonlyMap<string, Seen>): readonly ListedItem[] {
  if (look === undefined) return [listed]
  const { item, digest } = look
  const isApproved = item.approved === undefined || item.approved.has(digest)
  if (!isApproved || gone.has(keyOf(look))) return []
  const { annotations } = item
  return [annotations === undefined ? listed : { ...listed, entry: { ...listed.entry, annotations } }]
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

function putOrTell(put: () => void, onWarning: (text: string) => void): void {
  try {
    put()
  } catch (thrown) {
    onWarning(`what is listed with other definitions than approved cannot be kept from being called: ${textOf(thrown)}`)
  }
}
