import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Subject } from '../identity/subject.ts'
import type { Engine } from '../policy/engine.ts'
import { buildInput } from '../policy/input.ts'
import type { VisibleQuery } from './attempt.ts'
import type { Scope } from './verdicts.ts'

/** A list as it is asked about: which names, of what. */
export interface ListQuestion extends Pick<VisibleQuery, 'names'> {
  readonly type: ItemType
  readonly server?: string | undefined
}

/** Of tasks the policy knows nothing. */
type ItemType = Exclude<VisibleQuery['type'], 'task'>

/** Asks an engine which names of a list may be seen, or remembers what it said of the very same list. @throws {PolicyError} */
export type SeeNames = (engine: Engine, scope: Scope, list: ListQuestion) => readonly string[]

// What lists a resource or template is what reads it: the same action, so that the same rules apply.
const callOf = {
  tool: 'tools/call',
  prompt: 'prompts/get',
  resource: 'resources/read',
  template: 'resources/read',
} as const satisfies Record<ItemType, string>

/** Lists of one subject under one revision: pages, types, virtual servers. */
const maxLists = 64

/**
 * What is remembered stays with the subject object, as views do, and dies with the revision. Of a list only a digest is
 * kept, and one byte for each name: there may be many subjects, and long lists.
 */
export function createVisibleNames(): SeeNames {
  const bySubject = new WeakMap<Subject, { readonly revision: string; readonly seen: LRUCache<string, Uint8Array> }>()
  return function seeNames(engine, { subject, ...scope }, { type, names, server }) {
    let kept = bySubject.get(subject)
    if (kept?.revision !== engine.revision) {
      kept = { revision: engine.revision, seen: new LRUCache({ max: maxLists }) }
      bySubject.set(subject, kept)
    }
    const key = createHash('sha256')
      .update(JSON.stringify([scope, type, server ?? null, names]))
      .digest('base64')
    const remembered = kept.seen.get(key)
    if (remembered !== undefined) return names.filter((_, at) => remembered[at] === 1)
    const target = { type, names }
    const visible = new Set(engine.visible(buildInput({ ...scope, subject, server, action: callOf[type], target })))
    kept.seen.set(
      key,
      Uint8Array.from(names, (name) => (visible.has(name) ? 1 : 0)),
    )
    return names.filter((name) => visible.has(name))
  }
}
