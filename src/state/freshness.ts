/** A moment by two clocks: the steady one stands still while the machine is suspended, the other one can be set. */
export interface Instant {
  readonly steady: number
  readonly wall: number
}

/** Since when it is not certain that nothing was missed. */
export interface Freshness {
  /** Everything that was there at this moment is known. */
  prove(at: Instant): void
  /** See `Ledger.uncertainForMs`. */
  uncertainForMs(): number
}

/** Now. */
export function instant(): Instant {
  return { steady: performance.now(), wall: Date.now() }
}

/** Milliseconds since then, by the clock that saw more of them. */
export function msSince(then: Instant): number {
  return Math.max(performance.now() - then.steady, Date.now() - then.wall)
}

/** Uncertain until the first proof; from then on where the last one is older than `slackMs`, for all of that time. */
export function createFreshness(slackMs: number): Freshness {
  let proven: Instant | undefined
  return {
    prove(at) {
      proven = at
    },
    uncertainForMs() {
      if (proven === undefined) return Number.POSITIVE_INFINITY
      const lag = msSince(proven)
      return lag <= slackMs ? 0 : lag
    },
  }
}
