import type { CredentialFacts, Judgement, RevocationCheck } from '../identity/subject.ts'
import type { Ledger, LedgerEntry } from '../state/ledger.ts'
import { entryOf, type RevocationEntry } from './entry.ts'
import { holderKeysOf, keysOf, type Revocation } from './revocation.ts'

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
  /** Those beyond the first `count` that ever became known, and how many that are now; see `entries`. */
  since(count: number): { readonly entries: readonly RevocationEntry[]; readonly count: number }
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

interface Withdrawal extends Revocation {
  readonly kind: 'role' | 'grant'
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
    entries: () => book.since(0),
    since: (count) => ({ entries: book.since(count), count: book.count() }),
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

interface Book {
  add(entries: readonly RevocationEntry[]): void
  judge(facts: CredentialFacts): Judgement
  /** How many ever became known. */
  count(): number
  since(count: number): readonly RevocationEntry[]
}

function createBook(now: () => number): Book {
  /** The latest `before` of each key: Infinity where it does not matter when a credential was issued. */
  const whole = new Map<string, number>()
  const withdrawals = new Map<string, Withdrawal[]>()
  const keys = new WeakMap<
    CredentialFacts,
    { readonly whole: readonly string[]; readonly holders: readonly string[] }
  >()
  let entries: readonly { readonly at: number; readonly entry: RevocationEntry }[] = []
  let count = 0

  function keysFor(facts: CredentialFacts) {
    const known = keys.get(facts) ?? { whole: keysOf(facts), holders: holderKeysOf(facts) }
    keys.set(facts, known)
    return known
  }

  function add({ revocation }: RevocationEntry): void {
    const { key, before = Number.POSITIVE_INFINITY } = revocation
    if (isWithdrawal(revocation)) withdrawals.set(key, [...(withdrawals.get(key) ?? []), revocation])
    else whole.set(key, Math.max(before, whole.get(key) ?? Number.NEGATIVE_INFINITY))
  }

  return {
    add(more) {
      for (const entry of more) add(entry)
      entries = [...living(), ...more.map((entry, index) => ({ at: count + index, entry }))]
      count += more.length
      if (whole.size + withdrawals.size > 2 * entries.length + 1000) rebuild()
    },
    judge(facts) {
      const issuedAt = facts.issuedAt ?? Number.NEGATIVE_INFINITY
      const names = keysFor(facts)
      const isMeant = (before: number | undefined): boolean => before !== undefined && issuedAt <= before
      if (names.whole.some((key) => isMeant(whole.get(key)))) return { kind: 'revoked' }
      const taken = names.holders
        .flatMap((key) => withdrawals.get(key) ?? [])
        .filter(({ before = Number.POSITIVE_INFINITY }) => issuedAt <= before)
      return taken.length === 0 ? { kind: 'good' } : diminishedBy(taken)
    },
    count: () => count,
    since: (from) =>
      living()
        .filter(({ at }) => at >= from)
        .map(({ entry }) => entry),
  }

  function living() {
    const seconds = now() / 1000
    return entries.filter(({ entry }) => (entry.until ?? Number.POSITIVE_INFINITY) > seconds)
  }

  /** Forgets what only named the dead. */
  function rebuild(): void {
    whole.clear()
    withdrawals.clear()
    for (const { entry } of entries) add(entry)
  }
}

function isWithdrawal(revocation: Revocation): revocation is Withdrawal {
  return revocation.kind === 'role' || revocation.kind === 'grant'
}

function diminishedBy(taken: readonly Withdrawal[]): Judgement {
  const grants = new Map<string, string[]>()
  for (const { grant, server = '*' } of taken) {
    if (grant !== undefined) grants.set(server, [...(grants.get(server) ?? []), grant])
  }
  const roles = taken.flatMap(({ role }) => (role === undefined ? [] : [role]))
  return { kind: 'diminished', roles: [...new Set(roles)], grants: Object.fromEntries(grants) }
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
