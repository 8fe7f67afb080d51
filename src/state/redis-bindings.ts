import type { Bindings } from './ledger.ts'
import { createAsk } from './redis-ask.ts'
import type { RedisConnections } from './redis-client.ts'

/** Bindings in Redis. Ends are told to it as time that is left, so that its clock need not be right. */
export function createRedisBindings({ asking, explain, name }: RedisConnections, prefix: string): Bindings {
  const keyOf = (key: string): string => `${prefix}bound:${key}`
  const ask = createAsk({ explain, name })
  return {
    async bind(key, value, until) {
      const leftMs = Math.ceil(until * 1000 - Date.now())
      if (leftMs <= 0) throw new TypeError('a binding must end later than now')
      const options = { condition: 'NX', expiration: { type: 'PX', value: leftMs } } as const
      if ((await ask(asking.set(keyOf(key), value, options))) === 'OK') return value
      const there = await ask(asking.get(keyOf(key)))
      if (there === null) throw new Error(`Redis at ${name}: a binding ended while it was read`)
      return there
    },
    async bound(keys) {
      if (keys.length === 0) return []
      return (await ask(asking.mGet(keys.map(keyOf)))).map((value) => value ?? undefined)
    },
  }
}
