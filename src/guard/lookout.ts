import { setImmediate as others } from 'node:timers/promises'
import type { Authorizer, CapabilitiesOutcome } from '../authorizer/attempt.ts'
import type { Credential } from '../identity/subject.ts'
import type { Capabilities } from '../policy/decision.gen.ts'

/** Whose capabilities are looked at, as the authorizer is asked for them. */
export interface Who {
  readonly credential: Credential
  readonly virtualServers: readonly (string | null)[]
  readonly address: string | undefined
}

/** What came of a look; undefined where the authorizer threw, which it must not. */
export type Seen = CapabilitiesOutcome | undefined

/** Somebody who wants to know whenever there was a look. */
export interface Watcher {
  /** Whose capabilities, now; undefined: nobody's yet. */
  who(): Who | undefined
  /** What came of a look at them. The next one waits until this is over; whatever it rejects with is dropped. */
  saw(seen: Seen, who: Who): Promise<void>
  /** Nobody looks any more, since the guard is closed. */
  over(): void
}

/** The one place of a door that looks, every so often, at what peers may use. */
export interface Lookout {
  /** One look, at once. Never rejects. */
  look(who: Who): Promise<Seen>
  /** Looks from now on; what is returned ends it. */
  watch(watcher: Watcher, everyMs: number): () => void
  close(): void
}

const nothing: Capabilities = { tools: {}, prompts: {}, resources: {}, templates: {} }

/** What a look says may be used. */
export function usable(seen: Seen): Capabilities {
  return seen?.ok === true ? seen.capabilities : nothing
}

/** Beyond it Node's timers do not wait at all. */
const longestMs = 2 ** 31 - 1

/** How often is looked. @throws {TypeError} for a time that is none */
export function periodOf(changesEveryMs = 1000): number {
  if (!(changesEveryMs >= 10 && changesEveryMs <= longestMs))
    throw new TypeError(`expected \`changesEveryMs\` to be a number from 10 to ${longestMs}`)
  return changesEveryMs
}

/** Questions without a pause; whoever has a request waits no longer than these take. */
const slice = 32

/**
 * There is one timer for each period, however many watch, and what several want to know of one credential is asked once.
 * Which of the many things behind an answer have changed, only the authorizer could say: where nothing has, it answers
 * from memory.
 */
export function createLookout(authorizer: Pick<Authorizer, 'capabilities'>): Lookout {
  const rounds = new Map<number, Round>()
  const look = async ({ credential, virtualServers, address }: Who): Promise<Seen> => {
    try {
      return await authorizer.capabilities(credential, virtualServers, address)
    } catch {
      return undefined
    }
  }
  let isClosed = false
  return {
    look,
    watch(watcher, everyMs) {
      if (isClosed) {
        watcher.over()
        return () => undefined
      }
      const round = rounds.get(everyMs) ?? new Round(everyMs, look)
      rounds.set(everyMs, round)
      round.add(watcher)
      return () => {
        if (round.remove(watcher) === 0 && rounds.get(everyMs) === round) rounds.delete(everyMs)
      }
    },
    close() {
      isClosed = true
      const ended = [...rounds.values()].flatMap((round) => round.end())
      rounds.clear()
      for (const watcher of ended) watcher.over()
    },
  }
}

/** All who are looked after with one period. */
class Round {
  readonly #everyMs: number
  readonly #look: Lookout['look']
  readonly #watchers = new Set<Watcher>()
  readonly #busy = new Set<Watcher>()
  #timer: NodeJS.Timeout | undefined

  constructor(everyMs: number, look: Lookout['look']) {
    this.#everyMs = everyMs
    this.#look = look
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher)
    if (this.#watchers.size === 1) this.#schedule()
  }

  /** How many are left. */
  remove(watcher: Watcher): number {
    this.#watchers.delete(watcher)
    if (this.#watchers.size === 0) clearTimeout(this.#timer)
    return this.#watchers.size
  }

  end(): readonly Watcher[] {
    const ended = [...this.#watchers]
    this.#watchers.clear()
    clearTimeout(this.#timer)
    return ended
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(async () => {
      await this.#go()
      if (this.#watchers.size > 0) this.#schedule()
    }, this.#everyMs)
    this.#timer.unref()
  }

  /** Waits for no answer: one that takes long keeps none of the others back. */
  async #go(): Promise<void> {
    const looks = new Map<string, Promise<Seen>>()
    let asked = 0
    for (const watcher of [...this.#watchers]) {
      const who = watcher.who()
      if (who === undefined || this.#busy.has(watcher) || !this.#watchers.has(watcher)) continue
      void this.#attend(watcher, who, looks)
      asked += 1
      if (asked % slice === 0) await others(undefined, { ref: false })
    }
  }

  async #attend(watcher: Watcher, who: Who, looks: Map<string, Promise<Seen>>): Promise<void> {
    const key = keyOf(who)
    const look = looks.get(key) ?? this.#look(who)
    looks.set(key, look)
    this.#busy.add(watcher)
    try {
      const seen = await look
      if (this.#watchers.has(watcher)) await watcher.saw(seen, who)
    } catch {
      // Who is gone is not told; the next look tells those that are there.
    } finally {
      this.#busy.delete(watcher)
    }
  }
}

const keys = new WeakMap<Who, string>()

function keyOf(who: Who): string {
  const known = keys.get(who) ?? JSON.stringify([who.credential, who.virtualServers, who.address])
  keys.set(who, known)
  return known
}
