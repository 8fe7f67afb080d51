import type { State } from './ledger.ts'
import type { Reports } from './outage.ts'
import { type EmbeddedLedger, openLedger } from './sqlite-ledger.ts'
import { openTally } from './sqlite-tally.ts'

/** State in one file, which every process of a host shares. */
export interface EmbeddedState extends State {
  readonly ledger: EmbeddedLedger
}

/**
 * Opens the state that a file holds, and makes the file where there is none.
 * @param file absolute; `:memory:`: what ends with this process
 * @throws {StateFileError}
 */
export async function openEmbeddedState(file: string, reports: Reports): Promise<EmbeddedState> {
  const ledger = await openLedger(file, reports)
  try {
    const tally = await openTally(file, reports)
    return {
      ledger,
      tally,
      async close() {
        tally.close()
        await ledger.close()
      },
    }
  } catch (error) {
    await ledger.close()
    throw error
  }
}
