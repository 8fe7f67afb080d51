import type { Target } from './revocation.ts'

/** What is to be taken away, and from which credentials. */
export interface RevocationOrder {
  readonly target: Target
  /** Credentials issued at or before this time, seconds since the epoch. Default: now. One token or session: whenever issued. */
  readonly before?: number
  /** Seconds since the epoch at which the last credential that is meant has died. Default: what the issuers allow at most. */
  readonly until?: number
  /** Why, for those who list revocations; one line. */
  readonly reason?: string
  /** Names the revocation, so that a feed that tells the same thing twice, or to two replicas, makes one of it. */
  readonly id?: string
}

/** The outcome of a revocation: in force here; `shared`: other replicas can know of it already. */
export interface Revoked {
  readonly id: string
  readonly shared: boolean
}

/** Takes away. The feeds, the command line and the HTTP API all end here. */
export interface Revoker {
  /** @throws {Error} where it cannot be kept; it is not in force then */
  revoke(order: RevocationOrder): Promise<Revoked>
}
