import type { DatabaseSync } from 'node:sqlite'
import { isBusy, openDatabase, patiently } from './database.ts'
import type { Mark, Tally } from './ledger.ts'
import { causeOf, type Reports } from './outage.ts'

const sweepEveryMs = 60_000
const answerWithinMs = 300
const batch = 500

/** Each statement is one transaction, which takes the file's write lock before it reads. */
const counting = `
  INSERT INTO counters (key, until, uses) VALUES (:key, :until, 1)
  ON CONFLICT (key) DO UPDATE SET
    uses = CASE WHEN counters.until <= :now THEN 1 ELSE uses + 1 END,
    until = CASE WHEN counters.until <= :now THEN excluded.until ELSE counters.until END
  WHERE counters.until <= :now OR uses < :limit
  RETURNING uses`
const marking = (uses: string): string => `
  INSERT INTO counters (key, until, uses) VALUES (:key, :until, :by)
  ON CONFLICT (key) DO UPDATE SET
    uses = CASE WHEN counters.until <= :now THEN :by ELSE ${uses} END,
    until = CASE WHEN counters.until <= :now THEN excluded.until ELSE counters.until END`
const using = `
  INSERT INTO single_uses (key, until) VALUES (:key, :until)
  ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE single_uses.until <= :now`

/**
 * Opens the counts of a state file, for every process of a host. They survive the end of each process; a power loss can
 * cost the last ones, because to sync the disk for every use would be too slow.
 * @throws {StateFileError}
 */
export async function openTally(file: string, reports: Reports): Promise<Tally & { close(): void }> {
  const database = await openDatabase(file, { durable: false })
  const sweeping = setInterval(() => sweep(database, reports), sweepEveryMs).unref()
  const count = database.prepare(counting)
  const use = database.prepare(using)
  const add = database.prepare(marking('uses + :by'))
  const raise = database.prepare(marking('max(uses, :by)'))
  const recordAll = (marks: readonly Mark[], now: number): void => {
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const mark of marks) {
        const { key, until } = mark
        if ('add' in mark) add.run({ key, until, by: mark.add, now })
        else raise.run({ key, until, by: mark.atLeast, now })
      }
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
  const read = database.prepare('SELECT uses FROM counters WHERE key = ? AND until > ?')
  return {
    async count(key, limit, until) {
      const now = Date.now() / 1000
      if (limit < 1 || until <= now) return false
      // `all` runs to the end, so that a commit that fails is thrown.
      const [row] = await patiently(() => count.all({ key, limit, until, now }), answerWithinMs)
      return row === undefined ? false : Number(row['uses'])
    },
    async record(marks) {
      const now = Date.now() / 1000
      const living = marks.filter(({ until }) => until > now)
      if (living.length > 0) await patiently(() => recordAll(living, now), answerWithinMs)
    },
    async counts(keys) {
      const now = Date.now() / 1000
      return keys.map((key) => Number(read.get(key, now)?.['uses'] ?? 0))
    },
    async once(key, until) {
      const now = Date.now() / 1000
      if (until <= now) return false
      return (await patiently(() => use.run({ key, until, now }), answerWithinMs)).changes === 1
    },
    close() {
      clearInterval(sweeping)
      if (database.isOpen) database.close()
    },
  }
}

function sweep(database: DatabaseSync, { onWarning }: Reports): void {
  const now = Date.now() / 1000
  try {
    for (const table of ['counters', 'single_uses']) {
      const over = `SELECT key FROM ${table} WHERE until <= ? LIMIT ?`
      database.prepare(`DELETE FROM ${table} WHERE key IN (${over})`).run(now, batch)
    }
  } catch (error) {
    if (!isBusy(error)) onWarning(`counts that are over cannot be deleted: ${causeOf(error)}`)
  }
}
