import type { LedgerEntry } from './ledger.ts'

/** How entries go through a store that others may be able to write, and which do. */
export interface Carriage {
  /** The text of an entry as it is carried: always the same for the same text. */
  readonly stamp: (text: string) => string
  /** The text that was carried; undefined where nobody who may did that. */
  readonly unstamp: (carried: string) => string | undefined
  /** Why entries of a type are neither given nor taken; undefined: they are. */
  readonly refusal: (type: LedgerEntry['type']) => string | undefined
}

/** Carries everything, and believes everybody. */
export const openCarriage: Carriage = {
  stamp: (text) => text,
  unstamp: (text) => text,
  refusal: () => undefined,
}
