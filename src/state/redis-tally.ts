import type { Tally } from './ledger.ts'
import type { RedisConnections } from './redis-client.ts'
import { within } from './within.ts'

// Nobody is kept waiting by a Redis that hangs.
const answerWithinMs = 300

/** A script is one step for everybody, so that no two see the same count. */
const countScript = `
local uses = tonumber(redis.call('GET', KEYS[1]) or '0')
if uses >= tonumber(ARGV[1]) then return 0 end
uses = redis.call('INCR', KEYS[1])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return uses`

/**
 * Counts in Redis. Ends are told to it as time that is left, so that its clock need not be right. `own` remembers single
 * uses too: a Redis that comes back empty must not allow a second one here.
 */
export function createRedisTally(connections: RedisConnections, prefix: string, own: Pick<Tally, 'once'>): Tally {
  const { asking, explain, name } = connections
  const counter = (key: string): string => `${prefix}count:${key}`

  async function ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await within(answerWithinMs, answer)
    } catch (error) {
      throw new Error(`Redis at ${name}: ${explain(error)}`)
    }
  }
  return {
    async count(key, limit, until) {
      const leftMs = msUntil(until)
      if (limit < 1 || leftMs <= 0) return false
      const asked = { keys: [counter(key)], arguments: [String(limit), String(leftMs)] }
      const uses = await ask(asking.eval(countScript, asked))
      if (typeof uses !== 'number') throw new Error(`Redis at ${name}: its answer is no count`)
      return uses === 0 ? false : uses
    },
    async counts(keys) {
      if (keys.length === 0) return []
      return (await ask(asking.mGet(keys.map(counter)))).map((uses) => Number(uses ?? 0))
    },
    async once(key, until) {
      const leftMs = msUntil(until)
      if (leftMs <= 0) return false
      const options = { condition: 'NX', expiration: { type: 'PX', value: leftMs } } as const
      const first = await ask(asking.set(`${prefix}once:${key}`, '1', options))
      return first === 'OK' && (await own.once(key, until))
    },
  }
}

function msUntil(until: number): number {
  return Math.ceil(until * 1000 - Date.now())
}
