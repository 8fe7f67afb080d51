import type { RevocationCheck } from '../identity/subject.ts'
import type { Ledger, LedgerEntry } from '../state/ledger.ts'
import { createBook } from './book.ts'
import { entryOf, type RevocationEntry } from './entry.ts'

export interface RevocationsOptions {
  readonly ledger: Pick<Ledger, 'follow' | 'uncertainForMs'>
  /** What is done once it has not been certain for longer than this that nothing was missed. */
  readonly whenUnknown: 'deny' | 'allow'
  readonly maxUnknownMs: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Told what a ledger held that is no revocation; for a log. */
  readonly onFault?: (text: string) => void
}

/** Every revocation that is in force, and what it means for a credential. */
export interface Revocations extends RevocationCheck {
  /** Those whose credentials may still live, in the order in which they became known. */
  entries(): readonly RevocationEntry[]
  /**
   * Those beyond the first `count` that ever became known, `most` at most, and the count to go on from; see `entries`.
   */
  since(count: number, most?: number): { readonly entries: readonly RevocationEntry[]; readonly count: number }
  /** How many ever became known. */
  count(): number
  /** Whether it is certain enough that nothing was missed. */
  known(): boolean
  /** Whether credentials are judged at all: they are not where it is not known and the stance is to deny then. */
  judges(): boolean
  /** For how long it has not been certain that nothing was missed, in milliseconds. */
  uncertainForMs(): number
  /** Resolves when something became known after `count`, or when the signal ends it. */
  changed(count: number, signal: AbortSignal): Promise<void>
  close(): void
}

/** Follows a ledger and holds what it says ready, so that judging a credential is a few look-ups. */
export function createRevocations(options: RevocationsOptions): Revocations {
  const { ledger, whenUnknown, maxUnknownMs, now = Date.now, onFault = () => undefined } = options
  const book = createBook(now)
  const waiting = new Set<() => void>()
  const end = ledger.follow((entries) => {
    book.add(understood(entries, onFault))
    for (const wake of waiting) wake()
  })
  const known = (): boolean => ledger.uncertainForMs() <= maxUnknownMs
  const denies = (): boolean => whenUnknown === 'deny' && !known()
  return {
    // Negative while nothing can be known, so that it changes with that too.
    epoch: () => (denies() ? -1 - book.count() : book.count()),
    judge: (facts) => (denies() ? { kind: 'unknown' } : book.judge(facts)),
    entries: () => book.since(0).entries,
    since: book.since,
    count: book.count,
    known,
    judges: () => !denies(),
    uncertainForMs: () => ledger.uncertainForMs(),
    changed: (count, signal) => untilChanged(() => book.count() !== count, waiting, signal),
    close: end,
  }
}

function understood(entries: readonly LedgerEntry[], onFault: (text: string) => void): RevocationEntry[] {
  return entries
    .filter(({ type }) => type === 'revocation')
    .flatMap((entry) => {
      const read = entryOf(entry)
      if (read === undefined) onFault(`the revocation \`${entry.id}\` is not understood and not in force here`)
      return read === undefined ? [] : [read]
    })
}

async function untilChanged(isChanged: () => boolean, waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  if (isChanged() || signal.aborted) return
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      waiting.delete(wake)
      signal.removeEventListener('abort', wake)
      resolve()
    }
    waiting.add(wake)
    signal.addEventListener('abort', wake)
  })
}
