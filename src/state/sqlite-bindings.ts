import { isBusy, openDatabase, patiently } from './database.ts'
import type { Bindings } from './ledger.ts'
import { causeOf, type Reports } from './outage.ts'

const openWithinMs = 5000
const answerWithinMs = 300
const sweepEveryMs = 60_000
const batch = 500

/** Not in the schema of the file: one that was made before there were bindings is still of the same version. */
const table =
  'CREATE TABLE IF NOT EXISTS bindings (key TEXT PRIMARY KEY, until REAL NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID'
/** One transaction; the update that changes nothing is there to be told the row. */
const binding = `
  INSERT INTO bindings (key, until, value) VALUES (:key, :until, :value)
  ON CONFLICT (key) DO UPDATE SET
    value = CASE WHEN bindings.until <= :now THEN excluded.value ELSE bindings.value END,
    until = CASE WHEN bindings.until <= :now THEN excluded.until ELSE bindings.until END
  RETURNING value`

/**
 * Opens the bindings of a state file, for every process of a host. They survive the end of each process; a power loss can
 * cost the last ones.
 * @throws {StateFileError}
 */
export async function openBindings(file: string, { onWarning }: Reports): Promise<Bindings & { close(): void }> {
  const database = await openDatabase(file, { durable: false })
  await patiently(() => database.exec(table), openWithinMs)
  const insert = database.prepare(binding)
  const read = database.prepare('SELECT value FROM bindings WHERE key = ? AND until > ?')
  const over = 'SELECT key FROM bindings WHERE until <= ? LIMIT ?'
  const forget = database.prepare(`DELETE FROM bindings WHERE key IN (${over})`)
  const sweeping = setInterval(() => {
    try {
      forget.run(Date.now() / 1000, batch)
    } catch (error) {
      if (!isBusy(error)) onWarning(`bindings that are over cannot be deleted: ${causeOf(error)}`)
    }
  }, sweepEveryMs).unref()
  return {
    async bind(key, value, until) {
      const now = Date.now() / 1000
      if (until <= now) throw new TypeError('a binding must end later than now')
      // `all` runs to the end, so that a commit that fails is thrown.
      const [row] = await patiently(() => insert.all({ key, value, until, now }), answerWithinMs)
      return String(row?.['value'])
    },
    async bound(keys) {
      const now = Date.now() / 1000
      return keys.map((key) => {
        const value = read.get(key, now)?.['value']
        return typeof value === 'string' ? value : undefined
      })
    },
    close() {
      clearInterval(sweeping)
      if (database.isOpen) database.close()
    },
  }
}
