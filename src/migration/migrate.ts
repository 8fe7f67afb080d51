// What Kuadrant's mcp-gateway v0.7.0 renamed, by its release note.
import { isMap, isSeq, parseAllDocuments } from 'yaml'
import { applied, inOrder, type Migration } from './edit.ts'
import { merged, migrateManifest } from './manifest.ts'
import { byHand, headerEdits, nameEdits } from './names.ts'
import { isRealm, migrateRealm } from './realm.ts'

export type Format = 'yaml' | 'json' | 'rego'

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
  const found = merged(rootsOf(source, format).map((root) => migrateDocument(root, source, clients)))
  const edits = inOrder(found.edits)
  // A rename that made a key twice, say, would not parse: refuse rather than write it.
  if (edits.length > 0) rootsOf(applied(source, edits), format)
  return { ...found, edits }
}

function migrateRego(source: string): Migration {
  const problems = byHand(source, 0)
  const edits = [...nameEdits(source, 0), ...(problems.length === 0 ? headerEdits(source, 0) : [])]
  return { edits: inOrder(edits), problems, notes: [] }
}

function migrateDocument(root: unknown, source: string, clients: readonly string[]): Migration {
  if (isSeq(root)) return merged(root.items.filter(isRealm).map((realm) => migrateRealm(realm, clients)))
  if (isRealm(root)) return migrateRealm(root, clients)
  return isMap(root) ? migrateManifest(root, source) : merged([])
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
