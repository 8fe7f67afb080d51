import type { DefinedType } from '../mcp/definition.ts'
import type { Catalogued, FindCatalogued } from './catalogued.ts'
import { followHearsay, type Heard, keyOf, type Ledger } from './hearsay.ts'

/** An item of a list that the catalogue says something of. */
export interface Look {
  readonly type: DefinedType
  readonly item: Catalogued
  /** Empty where it has none, which nothing approves. */
  readonly digest: string
}

/** One that is gone. */
export interface Seen extends Look {
  /** When it was last listed so; milliseconds since the epoch. */
  readonly at: number
}

/** By `keyOf`, what is gone. */
export type Gone = ReadonlyMap<string, Seen>

/** Which items were listed otherwise than approved, here and wherever else the ledger is. */
export interface Sightings {
  current(): Gone
  /** Takes note of a list; `mayTake`: it makes something go that was there. Gives what is gone then. */
  note(looks: readonly (Look & { readonly mayTake: boolean })[]): Gone
  /** What would be gone under another catalogue. */
  under(find: FindCatalogued | undefined): Gone
  adopt(gone: Gone): void
  /** Ends the following of others. */
  close(): void
}

export interface SightingsOptions {
  readonly find: () => FindCatalogued | undefined
  readonly ledger?: Ledger | undefined
  /** Told when something else is gone than before, but not by `adopt`. */
  readonly onOther: (gone: Gone) => void
  readonly onWarning: (text: string) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * How long an item stays gone after it was last listed otherwise than approved. Milliseconds. Of two replicas of a server
 * only one may have changed: what is gone would come back with every other list, and policy be loaded anew for each.
 */
const graceMs = 60_000

export function createSightings({ find, ledger, onOther, onWarning, now = Date.now }: SightingsOptions): Sightings {
  let seen: Gone = new Map()
  const warn = warner(onWarning, now)

  function replace(next: Gone): Gone {
    const isOther = [...seen.keys()].join() !== [...next.keys()].join()
    seen = next
    if (isOther) onOther(next)
    return next
  }

  const onNews = (news: readonly Heard[]): Gone => replace(new Map([...seenIn(news, find()), ...seen]))
  const hearsay = ledger && followHearsay({ ledger, onNews, onWarning, now })

  /** Listed as approved: it may come back. */
  function settle(next: Map<string, Seen>, key: string): void {
    const before = next.get(key)
    if (before === undefined || now() - before.at < graceMs) return
    next.delete(key)
    hearsay?.forget(key)
  }

  return {
    current: () => seen,
    note(looks) {
      const next = new Map(seen)
      for (const { mayTake, ...look } of looks) {
        const { item, digest } = look
        const key = keyOf(look)
        if (item.approved === undefined || item.approved.has(digest)) settle(next, key)
        else if (mayTake || next.has(key)) {
          next.set(key, { ...look, at: now() })
          warn(look)
          hearsay?.tell(look)
        }
      }
      return replace(next)
    },
    under: (finds) =>
      new Map([
        ...seenIn(hearsay?.all() ?? [], finds),
        ...[...seen.values()].flatMap((look) => stillSeen(look, finds)),
      ]),
    adopt(gone) {
      seen = gone
    },
    close: () => hearsay?.close(),
  }
}

/** Approved meanwhile, or asked for no longer, it is there again. */
function stillSeen(look: Seen, find: FindCatalogued | undefined): readonly (readonly [string, Seen])[] {
  const { name, server } = look.item
  const item = find?.(look.type, name, server)
  if (item?.approved === undefined || item.approved.has(look.digest)) return []
  return [[keyOf(look), { ...look, item }]]
}

function seenIn(heard: Iterable<Heard>, find: FindCatalogued | undefined): readonly (readonly [string, Seen])[] {
  return [...heard].flatMap(({ type, item, digest, at }) =>
    stillSeen({ type, digest, at, item: { ...item, approved: undefined, annotations: undefined } }, find),
  )
}

/** Says what is to be approved: each digest once, but no more than the server's last word each minute. */
function warner(onWarning: (text: string) => void, now: () => number): (look: Look) => void {
  const told = new Map<string, { readonly digest: string; readonly at: number }>()
  return (look) => {
    const last = told.get(keyOf(look))
    if (last !== undefined && (last.digest === look.digest || now() - last.at < graceMs)) return
    told.set(keyOf(look), { digest: look.digest, at: now() })
    onWarning(warningOf(look))
  }
}

function warningOf({ type, item, digest }: Look): string {
  const what = `${type} \`${item.name}\` of server \`${item.server}\``
  const listed = digest === '' ? 'a definition that has no digest' : `the definition ${digest}`
  return `${what} is listed with ${listed}, which the catalogue does not approve: it is gone until its \`sha256\` there says so`
}
