import { statSync } from 'node:fs'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { inMemory, unusable } from './database.ts'
import { checkEntry, type EntryReading, maxEntryBytes, parsed } from './entry.ts'
import type { Ledger } from './ledger.ts'
import type { Reports } from './outage.ts'

/** Tells listeners what is in the ledger of a database, whoever wrote it. */
export interface Reader {
  /** Tells what is new. @throws {Error} where somebody could not be told everything; it is told again next time */
  look(): void
  readonly follow: Ledger['follow']
}

interface Follower {
  readonly listener: Parameters<Ledger['follow']>[0]
  /** The last row it was told. */
  told: number
}

const batch = 500

/** Reads through the connection that this process also writes with. */
export function createReader(database: DatabaseSync, file: string, { onFault }: Pick<Reports, 'onFault'>): Reader {
  const followers = new Set<Follower>()
  // Where nothing is new this costs as little as asking for `PRAGMA data_version`: some microseconds.
  const rows = database.prepare('SELECT seq, id, type, until, body FROM ledger WHERE seq > ? ORDER BY seq LIMIT ?')
  const reported = new Set<string>()
  const refuseReplaced = createReplacementCheck(file)

  function reportOnce(fault: string): void {
    if (reported.has(fault)) return
    reported.add(fault)
    onFault(fault)
  }
  function tell(follower: Follower): void {
    for (;;) {
      const found = rows.all(follower.told, batch)
      const entries = found.flatMap((row) => {
        const reading = readRow(row)
        if (!reading.ok) reportOnce(`row ${row['seq']} of the state file \`${file}\` is left out: ${reading.fault}`)
        return reading.ok ? [reading.entry] : []
      })
      if (entries.length > 0) follower.listener(entries)
      follower.told = Number(found.at(-1)?.['seq'] ?? follower.told)
      if (found.length < batch) return
    }
  }
  return {
    look() {
      refuseReplaced()
      const failures: unknown[] = []
      for (const follower of [...followers]) {
        try {
          tell(follower)
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw failures[0]
    },
    follow(listener) {
      const follower = { listener, told: 0 }
      try {
        tell(follower)
      } catch (error) {
        throw unusable(file, error)
      }
      followers.add(follower)
      return () => void followers.delete(follower)
    },
  }
}

function readRow({ id, type, until, body }: Readonly<Record<string, SQLOutputValue>>): EntryReading {
  if (typeof body !== 'string' || Buffer.byteLength(body) > maxEntryBytes) {
    return { ok: false, fault: `its body is no text of at most ${maxEntryBytes} bytes` }
  }
  return checkEntry({ id, type, body: parsed(body), ...(until === null ? {} : { until }) })
}

/** Who writes into another file than this one reads would be believed and not obeyed. */
function createReplacementCheck(file: string): () => void {
  if (file === inMemory) return () => undefined
  const opened = statSync(file)
  return () => {
    const now = statSync(file, { throwIfNoEntry: false })
    if (now?.ino === opened.ino && now.dev === opened.dev) return
    throw new Error('it was removed or replaced while it was in use: start again')
  }
}
