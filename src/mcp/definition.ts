import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { withPlainNumbers } from './exact-json.ts'
import type { ListedItem } from './list.ts'

/** A type of items that servers define in lists. */
export type DefinedType = 'tool' | 'prompt' | 'resource' | 'template'

/** What the entries of a list are, as far as a catalogue may say something of them. */
export interface ListedDefinitions {
  readonly type: DefinedType
  /** Id of the one server that answers, where it is known: names are then its own. */
  readonly server?: string | undefined
  readonly items: readonly ListedItem[]
}

const nameKeys = { tool: 'name', prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const

/**
 * SHA-256, hex, of a definition as its server lists it: the whole entry as canonical JSON (RFC 8785), so that neither
 * blanks nor the order of keys count, and numbers are doubles.
 * @param name - what the server itself calls it, where the entry was renamed on its way
 * @throws {Error} for text with half a surrogate pair, which no canonical JSON has
 */
export function definitionDigest(type: DefinedType, entry: ListedItem['entry'], name: string): string {
  const text = canonicalize(withPlainNumbers({ ...entry, [nameKeys[type]]: name }))
  if (text === undefined) throw new TypeError('expected a definition to be a JSON object')
  return createHash('sha256').update(text).digest('hex')
}
