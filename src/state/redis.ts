import type { State } from './ledger.ts'
import type { Reports } from './outage.ts'
import { createRedisBindings } from './redis-bindings.ts'
import { connectRedis, type RedisOptions } from './redis-client.ts'
import { shareLedger } from './redis-ledger.ts'
import { createRedisTally } from './redis-tally.ts'
import type { EmbeddedState } from './sqlite.ts'
import { within } from './within.ts'

const openWithinMs = 2000

/**
 * Shares the state of this host with other replicas through Redis or Valkey. Waits for Redis up to two seconds: where it
 * is away the state serves with what it has, uncertain until it has caught up. Closing closes `own` too.
 * @throws {Error} where the address is none
 */
export async function shareState(own: EmbeddedState, { prefix, ...options }: RedisOptions & Reports): Promise<State> {
  const connections = await connectRedis({ prefix, ...options })
  const ledger = shareLedger(own.ledger, connections, { prefix, ...options })
  await within(openWithinMs, ledger.tried).catch(() => undefined)
  return {
    ledger,
    tally: createRedisTally(connections, prefix, own.tally),
    bindings: createRedisBindings(connections, prefix),
    async close() {
      await ledger.close()
      await own.close()
    },
  }
}
