import type { Ledger, LedgerEntry } from '../../src/state/ledger.ts'

/** A ledger in memory, whose certainty the test sets. */
export function memoryLedger(): Ledger & { uncertainMs: number; readonly kept: LedgerEntry[] } {
  const kept: LedgerEntry[] = []
  const listeners = new Set<(entries: readonly LedgerEntry[]) => void>()
  return {
    kept,
    uncertainMs: 0,
    async add(entry) {
      if (!kept.some(({ id }) => id === entry.id)) {
        kept.push(entry)
        for (const listener of listeners) listener([entry])
      }
      return { shared: true }
    },
    follow(listener) {
      listener([...kept])
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    uncertainForMs() {
      return this.uncertainMs
    },
    close: async () => undefined,
  }
}
