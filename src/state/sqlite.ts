import type { State } from './ledger.ts'
import type { Reports } from './outage.ts'
import { openBindings } from './sqlite-bindings.ts'
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
  const opened: { close(): void }[] = []
  const close = async (): Promise<void> => {
    for (const each of opened) each.close()
    await ledger.close()
  }
  try {
    const tally = await openTally(file, reports)
    opened.push(tally)
    const bindings = await openBindings(file, reports)
    opened.push(bindings)
    return { ledger, tally, bindings, close }
  } catch (error) {
    await close()
    throw error
  }
}
