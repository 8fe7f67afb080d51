import type { RevocationOrder, Revoker } from '../../../src/revocation/revoker.ts'

/** A revoker that keeps orders as a ledger does, each id once; `fail` makes it keep nothing. */
export interface RecordingRevoker extends Revoker {
  readonly orders: RevocationOrder[]
  fail: boolean
  /** Every call, also those that told nothing new. */
  calls: number
}

export function recordingRevoker(): RecordingRevoker {
  return {
    orders: [],
    fail: false,
    calls: 0,
    async revoke(order) {
      this.calls += 1
      if (this.fail) throw new Error('the disk is full')
      if (!this.orders.some(({ id }) => id === order.id)) this.orders.push(order)
      return { id: order.id ?? '', shared: true }
    },
  }
}
