import { setTimeout as sleep } from 'node:timers/promises'
import type { Carriage } from './carriage.ts'
import { createFreshness, type Freshness, type Instant, instant, msSince } from './freshness.ts'
import type { Ledger } from './ledger.ts'
import { createOutage, type Reports } from './outage.ts'
import type { RedisConnections } from './redis-client.ts'
import { createRedisEntries, type RedisEntries } from './redis-entries.ts'
import { createRedisMirror, type RedisMirror } from './redis-mirror.ts'
import type { EmbeddedLedger } from './sqlite-ledger.ts'
import { within } from './within.ts'

/** A ledger that other replicas share. */
export interface SharedLedger extends Ledger {
  /** Resolves once Redis was read whole for the first time, or could not be. */
  readonly tried: Promise<void>
}

interface Following {
  readonly entries: RedisEntries
  readonly mirror: RedisMirror
  readonly freshness: Freshness
  readonly generation: RedisConnections['generation']
  /** Whether Redis could not be followed until now. */
  readonly wasLost: boolean
  /** Called once nothing can have been missed any more. */
  readonly caughtUp: () => void
}

const shareWithinMs = 300
const retryMs = 50
const compareEveryMs = 5000
// A reading waits up to 200 ms for something to come.
const slackMs = 500
// After an outage others come back up to a quarter of a second later, and give then what they alone have.
const settleMs = 1000

/**
 * Keeps a ledger and the one in Redis the same. The embedded one is what is obeyed here, with Redis or without; Redis
 * carries entries to other replicas and from them.
 */
export function shareLedger(
  own: EmbeddedLedger,
  connections: RedisConnections,
  { prefix, carriage, ...open }: Reports & { readonly prefix: string; readonly carriage?: Carriage | undefined },
): SharedLedger {
  const closing = new AbortController()
  const reports = untilAborted(open, closing.signal)
  const { name, explain, generation } = connections
  const entries = createRedisEntries(connections, prefix, carriage)
  const outage = createOutage(`Redis at ${name} cannot be followed`, `Redis at ${name} is followed again`, reports)
  const mirror = createRedisMirror(own, entries, { name, explain, carriage, ...reports })
  const freshness = createFreshness(slackMs)
  const { promise: tried, resolve: setTried } = Promise.withResolvers<void>()
  const caughtUp = (): void => {
    outage.end()
    setTried()
  }

  async function run(): Promise<void> {
    await connections.answered
    let wasLost = false
    while (!closing.signal.aborted) {
      try {
        const [began, connected] = [instant(), generation()]
        await followUntilInDoubt({ entries, mirror, freshness, generation, wasLost, caughtUp })
        wasLost = generation() !== connected || (wasLost && msSince(began) <= settleMs)
      } catch (error) {
        if (closing.signal.aborted) return
        wasLost = true
        mirror.pause()
        outage.begin(explain(error))
        setTried()
        await sleep(retryMs, undefined, { signal: closing.signal }).catch(() => undefined)
      }
    }
  }
  const running = run()
  return {
    tried,
    async add(entry) {
      await own.add(entry)
      try {
        await within(shareWithinMs, mirror.shared(entry))
        return { shared: true }
      } catch {
        return { shared: false }
      }
    },
    follow: own.follow,
    uncertainForMs: () => Math.max(own.uncertainForMs(), freshness.uncertainForMs()),
    async close() {
      closing.abort()
      mirror.close()
      connections.close()
      await running
    },
  }
}

/** Returns where all must be read again, throws where it cannot be read. */
async function followUntilInDoubt({ entries, mirror, freshness, generation, ...rest }: Following): Promise<void> {
  const connected = generation()
  const back = instant()
  const prove = (at: Instant): void => {
    if (!rest.wasLost || msSince(back) > settleMs) freshness.prove(at)
  }
  let compared = instant()
  let asked = compared
  let differed = false
  // The end is asked for first: what comes while the rest is read comes after it.
  let position = await entries.end()
  await mirror.readWhole()
  prove(asked)
  rest.caughtUp()
  mirror.giveWhatRedisLacks()
  while (generation() === connected) {
    mirror.giveWhatIsOwed()
    asked = instant()
    const changes = await entries.changesAfter(position)
    await mirror.take(changes)
    prove(asked)
    if (changes.cut) return
    const still = changes.position === position
    position = changes.position
    if (!still || msSince(compared) < compareEveryMs) continue
    // Something can come in between. Where nothing came and it still differs, Redis has lost something.
    const same = await mirror.isTheSame()
    if (!same && differed) return
    differed = !same
    if (same) compared = instant()
  }
}

/** What breaks because it is closed is no fault. */
function untilAborted({ onFault, onWarning }: Reports, signal: AbortSignal): Reports {
  const unlessAborted = (report: (text: string) => void) => (text: string) => {
    if (!signal.aborted) report(text)
  }
  return { onFault: unlessAborted(onFault), onWarning: unlessAborted(onWarning) }
}
