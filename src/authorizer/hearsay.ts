import type { DefinedType } from '../mcp/definition.ts'
import { textOf } from '../policy/errors.ts'
import { digestOf } from './caller.ts'

/** What processes and replicas tell each other of a definition that is not approved. Kept by src/state. */
export interface ChangedEntry {
  readonly id: string
  readonly type: 'definition'
  /** Seconds since the epoch after which it may be forgotten. */
  readonly until: number
  readonly body: Readonly<Record<string, unknown>>
}

/** Where it is kept. Implemented by src/state, which holds other entries too. */
export interface Ledger {
  add(entry: ChangedEntry): Promise<unknown>
  /** Tells the listener every entry there is, before it returns, and then each new one. Returns what ends it. */
  follow(listener: (entries: readonly LedgerEntry[]) => void): () => void
}

interface LedgerEntry {
  readonly type: string
  readonly until?: number
  readonly body: Readonly<Record<string, unknown>>
}

/** An item that somebody saw listed otherwise than approved. */
export interface Heard {
  readonly type: DefinedType
  readonly item: { readonly server: string; readonly name: string }
  readonly digest: string
  /** When this process learned of it; milliseconds since the epoch. */
  readonly at: number
}

/** Tells items apart. */
export function keyOf({ type, item }: Pick<Heard, 'type' | 'item'>): string {
  return JSON.stringify([item.server, type, item.name])
}

/** What was said by all of them, this one among them, and is not past. */
export interface Hearsay {
  all(): readonly Heard[]
  /** Tells the others, of each item once an hour: a server that never lists the same twice fills no ledger. */
  tell(seen: Omit<Heard, 'at'>): void
  forget(key: string): void
  close(): void
}

export interface HearsayOptions {
  readonly ledger: Ledger
  /** Told what others saw. */
  readonly onNews: (news: readonly Heard[]) => void
  readonly onWarning: (text: string) => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const hourMs = 3_600_000
const day = 24

export function followHearsay({ ledger, onNews, onWarning, now }: HearsayOptions): Hearsay {
  // By hour and item.
  const slots = new Map<string, { readonly hour: number; readonly heard: Heard }>()
  const remember = (hour: number, heard: Heard): void => {
    slots.set(`${hour}:${keyOf(heard)}`, { hour, heard })
    for (const [slot, one] of slots) if ((one.hour + day) * hourMs < now()) slots.delete(slot)
  }
  const end = ledger.follow((entries) => {
    const news = entries.flatMap((entry) => readEntry(entry, now()) ?? [])
    for (const { hour, heard } of news) remember(hour, heard)
    if (news.length > 0) onNews(news.map(({ heard }) => heard))
  })
  return {
    all: () => [...slots.values()].map(({ heard }) => heard),
    tell(seen) {
      const hour = Math.floor(now() / hourMs)
      const slot = `${hour}:${keyOf(seen)}`
      if (slots.has(slot)) return
      remember(hour, { ...seen, at: now() })
      ledger.add(writeEntry(seen, hour)).catch((thrown: unknown) => {
        slots.delete(slot)
        onWarning(`other processes cannot be told of a definition that changed: ${textOf(thrown)}`)
      })
    },
    forget(key) {
      for (const [slot, { heard }] of slots) if (keyOf(heard) === key) slots.delete(slot)
    },
    close: end,
  }
}

/** The same text from everybody who says it: what differs would be another entry under the same id. */
function writeEntry({ type, item: { server, name }, digest }: Omit<Heard, 'at'>, hour: number): ChangedEntry {
  const id = `definition:${digestOf([server, type, name, digest, String(hour)])}`
  return {
    id,
    type: 'definition',
    until: (hour + day) * (hourMs / 1000),
    body: { server, kind: type, name, digest, hour },
  }
}

const types: ReadonlySet<unknown> = new Set(['tool', 'prompt', 'resource', 'template'] satisfies DefinedType[])

/** What an entry says; undefined for one that says something else, or has ended. */
function readEntry(
  { type, until, body }: LedgerEntry,
  now: number,
): { readonly hour: number; readonly heard: Heard } | undefined {
  if (type !== 'definition' || until === undefined || until * 1000 < now) return undefined
  const { server, kind, name, digest, hour } = body
  const isSound = [server, name, digest].every((text) => typeof text === 'string') && types.has(kind)
  if (!isSound || typeof hour !== 'number') return undefined
  const item = { server: server as string, name: name as string }
  return { hour, heard: { type: kind as DefinedType, item, digest: digest as string, at: now } }
}
