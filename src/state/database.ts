import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { causeOf } from './outage.ts'

/** In the place of a file's name: a database that ends with its process. */
export const inMemory = ':memory:'

// "mcpa": tells a state file from a database of another program (sqlite.org/fileformat2.html section 1.3.17).
const applicationId = 0x6d637061
const schemaVersion = 1
// One attempt keeps the event loop from its work for no longer than this; more patience is `patiently`.
const busyMs = 20
const openWithinMs = 5000

const schema = `
  CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, until REAL, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX ledger_until ON ledger (until) WHERE until IS NOT NULL;
  CREATE TABLE counters (key TEXT PRIMARY KEY, until REAL NOT NULL, uses INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE single_uses (key TEXT PRIMARY KEY, until REAL NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${schemaVersion};
`

/** A state file cannot be used; the message says which, why and how to mend it. `absent`: there is none, and none can be made. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError'
  readonly absent: boolean

  constructor(message: string, absent: boolean, cause?: unknown) {
    super(message, { cause })
    this.absent = absent
  }
}

/**
 * Opens a connection to a state file, which it makes where there is none.
 * @param durable whether what is written must survive a power loss, and not only the end of the process
 * @throws {StateFileError}
 */
export async function openDatabase(file: string, { durable }: { readonly durable: boolean }): Promise<DatabaseSync> {
  // Loaded here alone: on Node 22 loading it prints a warning, which is for those who keep state.
  const { DatabaseSync } = await import('node:sqlite')
  if (file !== inMemory) makeFile(file)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: busyMs })
    const opened = database
    await patiently(() => prepare(opened, file), openWithinMs)
    // FULL syncs the journal with each commit; `fullfsync` makes macOS mean it (sqlite.org/pragma.html).
    database.exec(durable ? 'PRAGMA synchronous = FULL; PRAGMA fullfsync = ON' : 'PRAGMA synchronous = NORMAL')
    return database
  } catch (error) {
    if (database?.isOpen === true) database.close()
    throw error instanceof StateFileError ? error : unusable(file, error)
  }
}

/** Whether there is a file. @throws {StateFileError} where that cannot be told */
export function isFileThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    // A folder that may not be searched can hold a file that must be obeyed.
    throw unusable(file, error)
  }
}

/** Tries again while another process writes. @throws what `work` throws, a busy database only after `withinMs` */
export async function patiently<T>(work: () => T, withinMs: number): Promise<T> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= end) throw error
    }
    await sleep(2 + Math.random() * 10)
  }
}

/** Does all of it, or nothing; what is read is of one moment. */
export function inTransaction<T>(database: DatabaseSync, begin: 'BEGIN' | 'BEGIN IMMEDIATE', work: () => T): T {
  database.exec(begin)
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

/** Whether another process was writing for longer than one attempt waits. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === sqliteBusy
}

const sqliteBusy = 5
const sqliteCorrupt = 11
const sqliteNotADatabase = 26

/** SQLite's primary result code (sqlite.org/rescode.html); undefined for other errors. */
function sqliteCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code & 0xff : undefined
}

/** An empty file of the owner alone: SQLite gives its journal the same mode. */
function makeFile(file: string): void {
  if (isFileThere(file)) return
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
  } catch (error) {
    const mend = 'let this user write there, or name another file with `state.file`'
    throw new StateFileError(`cannot make the state file \`${file}\`: ${causeOf(error)}: ${mend}`, true, error)
  }
}

function prepare(database: DatabaseSync, file: string): void {
  if (!inTransaction(database, 'BEGIN', () => isNew(database, file))) return
  database.exec('PRAGMA journal_mode = WAL')
  // Another process may have been faster.
  inTransaction(database, 'BEGIN IMMEDIATE', () => {
    if (isNew(database, file)) database.exec(schema)
  })
}

function isNew(database: DatabaseSync, file: string): boolean {
  const version = pragma(database, 'user_version')
  const application = pragma(database, 'application_id')
  if (application === applicationId && version === schemaVersion) return false
  if (application === applicationId) {
    const mend = 'run the mcp-authz that wrote it, or name another file with `state.file`'
    const known = `this mcp-authz knows ${schemaVersion} alone`
    throw new StateFileError(`the state file \`${file}\` is of version ${version}, ${known}: ${mend}`, false)
  }
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {}
  if (application === 0 && version === 0 && tables === 0) return true
  const mend = 'name another file with `state.file`'
  throw new StateFileError(`\`${file}\` is a database of another program: ${mend}`, false)
}

function pragma(database: DatabaseSync, name: 'user_version' | 'application_id'): unknown {
  return database.prepare(`PRAGMA ${name}`).get()?.[name]
}

/** What SQLite said of a file, and how to mend it. */
export function unusable(file: string, error: unknown): StateFileError {
  const code = sqliteCode(error)
  const damaged = code === sqliteCorrupt || code === sqliteNotADatabase
  const mend = damaged
    ? 'put back a copy from before, or move it away; revocations that it held alone are then forgotten'
    : 'let this user read and write it and its folder, or name another file with `state.file`'
  return new StateFileError(`cannot use the state file \`${file}\`: ${causeOf(error)}: ${mend}`, false, error)
}
