import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { inTransaction, isBusy, openDatabase, patiently, unusable } from './database.ts'
import { checkEntry, graceSeconds, maxEntryBytes, writeEntry } from './entry.ts'
import { createFreshness, instant } from './freshness.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { causeOf, createOutage, type Reports } from './outage.ts'
import { createReader } from './sqlite-reader.ts'

/** The ledger of a file, which takes many entries at once. */
export interface EmbeddedLedger extends Ledger {
  /** Like `add`, for each. */
  addAll(entries: readonly LedgerEntry[]): Promise<void>
}

const lookEveryMs = 20
const sweepEveryMs = 60_000
const addWithinMs = 2000
// A timer that is late says nothing about the file.
const slackMs = 250
// So many rows are written or deleted before others get their turn.
const batch = 500

/**
 * Opens the ledger of a state file. Entries of other processes are looked for every 20 ms.
 * @throws {StateFileError}
 */
export async function openLedger(file: string, reports: Reports): Promise<EmbeddedLedger> {
  const database = await openDatabase(file, { durable: true })
  try {
    return createLedger(database, file, reports)
  } catch (error) {
    database.close()
    throw unusable(file, error)
  }
}

function createLedger(database: DatabaseSync, file: string, reports: Reports): EmbeddedLedger {
  const reader = createReader(database, file, reports)
  const freshness = createFreshness(slackMs)
  const name = `the state file \`${file}\``
  const outage = createOutage(`${name} cannot be read`, `${name} can be read again`, reports)

  function look(): void {
    const asked = instant()
    reader.look()
    freshness.prove(asked)
    outage.end()
  }
  function tryLook(): void {
    if (!database.isOpen) return
    try {
      look()
    } catch (error) {
      if (freshness.uncertainForMs() > 0) outage.begin(error)
    }
  }
  async function addAll(entries: readonly LedgerEntry[]): Promise<void> {
    for (const entry of entries) refuseUnfit(entry)
    for (let from = 0; from < entries.length; from += batch) {
      if (from > 0) await nextTurn()
      const part = entries.slice(from, from + batch)
      await patiently(() => insert(database, part), addWithinMs)
    }
    look()
  }

  look()
  const looking = setInterval(tryLook, lookEveryMs).unref()
  const sweeping = setInterval(() => sweep(database, reports), sweepEveryMs).unref()
  return {
    addAll,
    async add(entry) {
      await addAll([entry])
      return { shared: true }
    },
    follow: reader.follow,
    uncertainForMs() {
      // After a long turn of the event loop the timer is late, but the file can be asked here.
      if (freshness.uncertainForMs() > 0) tryLook()
      return freshness.uncertainForMs()
    },
    async close() {
      clearInterval(looking)
      clearInterval(sweeping)
      if (database.isOpen) database.close()
    },
  }
}

function refuseUnfit(entry: LedgerEntry): void {
  const reading = checkEntry({ ...entry })
  if (!reading.ok) throw new TypeError(`an entry cannot be kept: ${reading.fault}`)
  if (Buffer.byteLength(writeEntry(entry)) <= maxEntryBytes) return
  throw new TypeError(`an entry cannot be kept: it is larger than ${maxEntryBytes} bytes`)
}

function insert(database: DatabaseSync, entries: readonly LedgerEntry[]): void {
  const sql = 'INSERT INTO ledger (id, type, until, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING'
  inTransaction(database, 'BEGIN IMMEDIATE', () => {
    const statement = database.prepare(sql)
    for (const { id, type, until, body } of entries) statement.run(id, type, until ?? null, JSON.stringify(body))
  })
}

/** Whoever has the time deletes what is over; a busy file is swept another time. */
function sweep(database: DatabaseSync, { onWarning }: Reports): void {
  try {
    const over = 'SELECT seq FROM ledger WHERE until < ? LIMIT ?'
    database.prepare(`DELETE FROM ledger WHERE seq IN (${over})`).run(Date.now() / 1000 - graceSeconds, batch)
  } catch (error) {
    if (!isBusy(error)) onWarning(`entries that are over cannot be deleted: ${causeOf(error)}`)
  }
}
