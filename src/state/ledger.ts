/**
 * A fact that is kept for good or until it ends: a revocation, an API key, a definition that changed. Never changed once it is there, so that any
 * number of processes can add to the same set in any order and all end up with the same one.
 */
export interface LedgerEntry {
  /** Unique; an entry whose id is there already is the same entry, and adding it does nothing. */
  readonly id: string
  readonly type: 'revocation' | 'api-key' | 'definition'
  /** Seconds since the epoch after which it may be forgotten; absent: never. */
  readonly until?: number
  /** JSON; what each type holds is its owner's business, and checked again by it. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Where entries are kept, and come from. */
export interface Ledger {
  /**
   * Keeps an entry: resolved, it survives a restart and every listener here has been told.
   * @returns `shared`: whether other replicas can know of it already; where there are none, true
   * @throws {Error} where it cannot be kept; nobody was told then
   */
  add(entry: LedgerEntry): Promise<{ readonly shared: boolean }>
  /**
   * Tells the listener every entry there is, before it returns, and then each new one. A listener that throws is told
   * again later, and until then it is not certain that nothing was missed. Returns what ends it.
   */
  follow(listener: (entries: readonly LedgerEntry[]) => void): () => void
  /** For how long it has not been certain that nothing was missed, in milliseconds; 0: certain now, Infinity: never was. */
  uncertainForMs(): number
  close(): Promise<void>
}

/** Counts and single uses that every process and replica agrees on. Each rejects where that cannot be had. */
export interface Tally {
  /** Counts one more use unless that would be more than `limit`; the count before `until` (seconds) or false. */
  count(key: string, limit: number, until: number): Promise<number | false>
  /** Writes what happened already and nobody is refused for, all at once. */
  record(marks: readonly Mark[]): Promise<void>
  /** The counts of keys; 0 for one that was never counted or has ended. */
  counts(keys: readonly string[]): Promise<readonly number[]>
  /** True for the first caller of a key alone, until `until` (seconds since the epoch). */
  once(key: string, until: number): Promise<boolean>
}

/** How a count changes: by so many, or up to a number that it is not below already. `until` as in `Tally.count`. */
export type Mark =
  | { readonly key: string; readonly until: number; readonly add: number }
  | { readonly key: string; readonly until: number; readonly atLeast: number }

/** What belongs to whom, as every process and replica agrees. Each rejects where that cannot be had. */
export interface Bindings {
  /** Keeps a value under a key until `until` (seconds since the epoch), unless one is there; the value that is there then. */
  bind(key: string, value: string, until: number): Promise<string>
  /** The values of keys; undefined for one that was never bound or has ended. */
  bound(keys: readonly string[]): Promise<readonly (string | undefined)[]>
}

/** Everything that outlives a process. */
export interface State {
  readonly ledger: Ledger
  readonly tally: Tally
  readonly bindings: Bindings
  close(): Promise<void>
}
