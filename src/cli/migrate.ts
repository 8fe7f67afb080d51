import { randomUUID } from 'node:crypto'
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { applied, type Finding, lineAt, type Migration } from '../migration/edit.ts'
import { type Format, MigrationError, migrate } from '../migration/migrate.ts'
import { unifiedDiff } from '../migration/unified-diff.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'
import { oneLine } from './printable.ts'

export interface MigrateOptions {
  readonly write?: true
  readonly json?: true
  readonly client: readonly string[]
}

const formats: Readonly<Record<string, Format>> = { '.yaml': 'yaml', '.yml': 'yaml', '.json': 'json', '.rego': 'rego' }
const maxBytes = 32 * 1024 * 1024

/**
 * Rewrites manifests, policies and realm exports to the names of v0.7.0, or prints what it would.
 * @throws {UsageError} for a file that cannot be read or parsed; nothing is written then
 */
export async function migrateFiles(
  files: readonly string[],
  { write, json, client }: MigrateOptions,
  { cwd, out, err }: Terminal,
): Promise<ExitCode> {
  const read: Read[] = []
  for (const file of files) {
    const one = await readOne(file, cwd, client)
    if (!read.some(({ path }) => path === one.path)) read.push(one)
  }
  const changed = read.filter(({ found }) => found.edits.length > 0)
  if (write === true) await writeAll(changed)
  if (json === true) out.write(`${JSON.stringify({ written: write === true, files: read.map(entryOf) }, null, 2)}\n`)
  else if (write !== true) out.write(changed.map(diffOf).join(''))
  err.write(summaryOf(read, write === true))
  const left = read.some(({ found }) => found.problems.length > 0)
  return left || (changed.length > 0 && write !== true) ? exit.denied : exit.ok
}

interface Read {
  /** As it was given. */
  readonly file: string
  /** Where it is, behind links. */
  readonly path: string
  readonly source: string
  readonly found: Migration
}

async function readOne(file: string, cwd: string, clients: readonly string[]): Promise<Read> {
  const format = formats[extname(file).toLowerCase()] ?? 'text'
  try {
    const path = await realpath(resolve(cwd, file))
    if ((await stat(path)).size > maxBytes) throw new MigrationError(`is larger than ${maxBytes} bytes`)
    // Of what is not rewritten it does not matter whether it is text at all.
    const decoder = new TextDecoder('utf-8', { fatal: format !== 'text', ignoreBOM: true })
    const source = decoder.decode(await readFile(path))
    return { file, path, source, found: migrate(source, format, clients) }
  } catch (thrown) {
    const why = thrown instanceof MigrationError ? thrown.message : reasonOf(thrown)
    throw new UsageError(`${oneLine(file)}: ${oneLine(why)}; no file was written`)
  }
}

function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  return code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not UTF-8' : `cannot be read (${code || 'unknown'})`
}

/** Every draft is on the disk before the first file is replaced. */
async function writeAll(changed: readonly Read[]): Promise<void> {
  const drafts: { readonly draft: string; readonly path: string }[] = []
  try {
    for (const { path, source, found } of changed) {
      const draft = `${path}.${randomUUID()}.tmp`
      drafts.push({ draft, path })
      await writeFile(draft, applied(source, found.edits), { flag: 'wx', mode: 0o600 })
      await chmod(draft, (await stat(path)).mode & 0o7777)
    }
    for (const { draft, path } of drafts) await rename(draft, path)
  } catch (thrown) {
    await Promise.all(drafts.map(({ draft }) => rm(draft, { force: true })))
    throw new UsageError(`the files cannot be written: ${thrown instanceof Error ? oneLine(thrown.message) : ''}`)
  }
}

function diffOf({ file, source, found }: Read): string {
  return unifiedDiff(file, source, found.edits)
}

function entryOf(read: Read): object {
  const { file, source, found } = read
  const placed = ({ offset, ...words }: Finding) => ({ line: lineAt(source, offset), ...words })
  return {
    file,
    changed: found.edits.length > 0,
    diff: diffOf(read),
    problems: found.problems.map(placed),
    notes: found.notes.map(placed),
  }
}

function summaryOf(read: readonly Read[], written: boolean): string {
  const lines = read.flatMap(({ file, source, found }) => {
    const say = (kind: string, { offset, what, why, mend }: Finding) =>
      `${file}:${lineAt(source, offset)}: ${kind}: ${what}: ${why}; ${mend}`
    return [...found.problems.map((one) => say('problem', one)), ...found.notes.map((one) => say('note', one))]
  })
  const count = read.filter(({ found }) => found.edits.length > 0).length
  const problems = read.reduce((sum, { found }) => sum + found.problems.length, 0)
  const verb = written ? 'rewritten' : 'to rewrite'
  return [...lines, `${count} of ${read.length} files ${verb}, ${problems} problems`]
    .map((line) => `${oneLine(line)}\n`)
    .join('')
}
