// What Kuadrant's mcp-gateway v0.7.0 renamed, by its release note.
import { isSeq, parseAllDocuments } from 'yaml'
import { applied, type Finding, inOrder, type Migration } from './edit.ts'
import { leftIn, leftInText } from './leftovers.ts'
import { isManifest, merged, migrateManifest } from './manifest.ts'
import { byHand, headerEdits, nameEdits } from './names.ts'
import { isRealm, migrateRealm } from './realm.ts'

/** `text`: of no form that is known. */
export type Format = 'yaml' | 'json' | 'rego' | 'text'

/** A text that cannot be read as what its name says. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

/**
 * Finds what v0.7.0 wants otherwise in one text; edits come in order.
 * @throws {MigrationError} for a text that does not parse
 */
export function migrate(source: string, format: Format, clients: readonly string[]): Migration {
  if (format === 'rego') return migrateRego(source)
  if (format === 'text') return { edits: [], problems: leftInText(source), notes: [unknown] }
  const roots = rootsOf(source, format)
  const all = merged(roots.map((root) => migrateDocument(root, source, clients)))
  const found = roots.some(isKnown) ? all : { ...all, notes: [unknown] }
  const edits = inOrder(found.edits)
  // A rename that made a key twice, say, would not parse: refuse rather than write it.
  if (edits.length > 0) rootsOf(applied(source, edits), format)
  return { ...found, edits }
}

function migrateRego(source: string): Migration {
  const problems = byHand(source, 0)
  const edits = inOrder([...nameEdits(source, 0), ...(problems.length === 0 ? headerEdits(source, 0) : [])])
  const left = leftInText(source, { edits, seen: ['header', 'claim'] })
  return { edits, problems: [...problems, ...left], notes: [] }
}

const unknown: Finding = {
  offset: 0,
  what: 'nothing here is known to this command',
  why: 'it is no manifest, no Rego and no export of a realm',
  mend: 'nothing of it is rewritten',
}

function isKnown(root: unknown): boolean {
  return isSeq(root) ? root.items.some(isRealm) : isRealm(root) || isManifest(root)
}

function migrateDocument(root: unknown, source: string, clients: readonly string[]): Migration {
  if (isManifest(root) && !isRealm(root)) return migrateManifest(root, source)
  const realms = (isSeq(root) ? root.items : [root]).filter(isRealm)
  const found = merged(realms.map((realm) => migrateRealm(realm, clients)))
  return { ...found, problems: [...found.problems, ...leftIn(root, source, found)] }
}

function rootsOf(source: string, format: Format): readonly unknown[] {
  try {
    if (format === 'json') JSON.parse(source.replace(/^\uFEFF/, ''))
    const documents = [...parseAllDocuments(source, { prettyErrors: true, logLevel: 'error' })]
    const fault = documents.flatMap(({ errors }) => errors)[0]
    if (fault !== undefined) throw fault
    return documents.map(({ contents }) => contents)
  } catch (thrown) {
    // The first line alone: the parser's further ones quote the file, and a manifest may hold secrets.
    const [first = ''] = (thrown instanceof Error ? thrown.message : 'does not parse').split('\n')
    throw new MigrationError(format === 'json' && thrown instanceof SyntaxError ? 'is not JSON' : first)
  }
}
