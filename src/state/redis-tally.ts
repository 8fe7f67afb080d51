import type { Tally } from './ledger.ts'
import { createAsk } from './redis-ask.ts'
import type { RedisConnections } from './redis-client.ts'

/** Sets a count without changing when it ends, where it is there already. */
const setScript = `
local function set(key, uses, leftMs)
  if not redis.call('SET', key, string.format('%.0f', uses), 'XX', 'KEEPTTL') then
    redis.call('SET', key, string.format('%.0f', uses), 'PX', leftMs)
  end
end`

/** A script is one step for everybody, so that no two see the same count. */
const countScript = `${setScript}
local uses = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[3]))
if uses >= tonumber(ARGV[1]) then return 0 end
set(KEYS[1], uses + 1, ARGV[2])
return uses + 1`

/** One mark a key: `+` adds, `^` raises to. */
const recordScript = `${setScript}
for i, key in ipairs(KEYS) do
  local uses, by = tonumber(redis.call('GET', key) or '0'), tonumber(ARGV[3 * i - 1])
  if ARGV[3 * i - 2] == '+' then uses = uses + by else uses = math.max(uses, by) end
  set(key, uses, ARGV[3 * i])
end
return #KEYS`

/** How many counts are remembered, lest a Redis that comes back empty begins them anew. */
const maxFloors = 10_000

/**
 * Counts in Redis. Ends are told to it as time that is left, so that its clock need not be right. `own` remembers single
 * uses too: a Redis that comes back empty must not allow a second one here.
 */
export function createRedisTally(connections: RedisConnections, prefix: string, own: Pick<Tally, 'once'>): Tally {
  const { asking, explain, name } = connections
  const floors = new Map<string, { readonly uses: number; readonly until: number }>()
  const remember = (key: string, uses: number, until: number): void => {
    // The oldest goes: it is put back at the end whenever it is counted.
    floors.delete(key)
    floors.set(key, { uses, until })
    const [oldest] = floors.keys()
    if (floors.size > maxFloors && oldest !== undefined) floors.delete(oldest)
  }
  const counter = (key: string): string => `${prefix}count:${key}`

  const ask = createAsk({ explain, name })
  return {
    async count(key, limit, until) {
      const leftMs = msUntil(until)
      if (limit < 1 || leftMs <= 0) return false
      const known = floors.get(key) ?? { uses: 0, until: 0 }
      const { uses: floor, until: end } = msUntil(known.until) > 0 ? known : { uses: 0, until }
      const asked = { keys: [counter(key)], arguments: [limit, leftMs, floor].map(String) }
      const uses = await ask(asking.eval(countScript, asked))
      if (typeof uses !== 'number') throw new Error(`Redis at ${name}: its answer is no count`)
      remember(key, uses === 0 ? Math.max(floor, limit) : uses, end)
      return uses === 0 ? false : uses
    },
    async record(marks) {
      const living = marks.filter(({ until }) => msUntil(until) > 0)
      if (living.length === 0) return
      const words = living.flatMap((mark) => [
        ...('add' in mark ? ['+', mark.add] : ['^', mark.atLeast]),
        msUntil(mark.until),
      ])
      await ask(
        asking.eval(recordScript, { keys: living.map(({ key }) => counter(key)), arguments: words.map(String) }),
      )
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
