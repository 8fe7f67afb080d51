import type { CredentialFacts, Judgement } from '../identity/subject.ts'
import type { RevocationEntry } from './entry.ts'
import { holderKeysOf, keysOf, type Revocation } from './revocation.ts'

/** Every revocation that is in force, held so that judging a credential is a few look-ups. */
export interface Book {
  add(entries: readonly RevocationEntry[]): void
  judge(facts: CredentialFacts): Judgement
  /** How many ever became known. */
  count(): number
  /**
   * Those beyond the first `from` that ever became known and that are in force, `most` at most, and the count that the
   * last of them, or all there is, leads to.
   */
  since(from: number, most?: number): { readonly entries: readonly RevocationEntry[]; readonly count: number }
}

/** What is meant under a key: credentials issued at or before `before`, until `until`. Both may be Infinity. */
interface Span {
  readonly before: number
  readonly until: number
}

interface Withdrawal {
  readonly revocation: Revocation
  readonly spans: Span[]
}

interface Numbered {
  /** How many became known before. */
  readonly at: number
  readonly entry: RevocationEntry
}

/** How many of the dead are carried along before they are forgotten, beside as many as live. */
const maxDead = 1000

/** Opens an empty book. @param now - milliseconds since the epoch */
export function createBook(now: () => number): Book {
  const index = createIndex(now)
  let numbered: Numbered[] = []
  let lived = 0
  let count = 0
  const isLiving = ({ entry }: Numbered): boolean => (entry.until ?? Number.POSITIVE_INFINITY) > now() / 1000

  /** Forgets the dead, so seldom that it costs each entry little. */
  function sweep(): void {
    if (numbered.length <= 2 * lived + maxDead) return
    numbered = numbered.filter(isLiving)
    lived = numbered.length
    index.clear()
    for (const { entry } of numbered) index.hold(entry)
  }
  return {
    add(more) {
      for (const entry of more) {
        numbered.push({ at: count, entry })
        count += 1
        index.hold(entry)
      }
      sweep()
    },
    judge: index.judge,
    count: () => count,
    since(from, most = Number.POSITIVE_INFINITY) {
      const entries: RevocationEntry[] = []
      for (let place = firstFrom(numbered, from); place < numbered.length; place += 1) {
        const each = numbered[place]
        if (each === undefined || !isLiving(each)) continue
        if (entries.length === most) return { entries, count: each.at }
        entries.push(each.entry)
      }
      return { entries, count }
    },
  }
}

interface Index {
  hold(entry: RevocationEntry): void
  clear(): void
  judge(facts: CredentialFacts): Judgement
}

function createIndex(now: () => number): Index {
  const whole = new Map<string, Span[]>()
  const withdrawals = new Map<string, Map<string, Withdrawal>>()
  const keys = new WeakMap<CredentialFacts, Keys>()

  function keysFor(facts: CredentialFacts): Keys {
    const known = keys.get(facts) ?? { whole: keysOf(facts), holders: holderKeysOf(facts) }
    keys.set(facts, known)
    return known
  }
  return {
    hold({ revocation, until = Number.POSITIVE_INFINITY }) {
      const { key, before = Number.POSITIVE_INFINITY } = revocation
      const spans = isWithdrawal(revocation)
        ? withdrawalOf(withdrawals, revocation).spans
        : got(whole, key, (): Span[] => [])
      addSpan(spans, { before, until })
    },
    clear() {
      whole.clear()
      withdrawals.clear()
    },
    judge(facts) {
      const issuedAt = facts.issuedAt ?? Number.NEGATIVE_INFINITY
      const seconds = now() / 1000
      const isMeant = ({ before, until }: Span): boolean => issuedAt <= before && until > seconds
      const named = keysFor(facts)
      if (named.whole.some((key) => whole.get(key)?.some(isMeant))) return { kind: 'revoked' }
      const taken = named.holders
        .flatMap((key) => [...(withdrawals.get(key)?.values() ?? [])])
        .filter(({ spans }) => spans.some(isMeant))
      return taken.length === 0 ? { kind: 'good' } : diminishedBy(taken.map(({ revocation }) => revocation))
    },
  }
}

interface Keys {
  readonly whole: readonly string[]
  readonly holders: readonly string[]
}

/** One that another one covers says nothing: what is told again and again takes the room of one. */
function addSpan(spans: Span[], span: Span): void {
  const covers = (one: Span, other: Span): boolean => one.before >= other.before && one.until >= other.until
  if (spans.some((each) => covers(each, span))) return
  const left = spans.filter((each) => !covers(span, each))
  spans.splice(0, spans.length, ...left, span)
}

function withdrawalOf(withdrawals: Map<string, Map<string, Withdrawal>>, revocation: Revocation): Withdrawal {
  const { key, role, server, grant } = revocation
  const ofHolder = got(withdrawals, key, () => new Map<string, Withdrawal>())
  return got(ofHolder, JSON.stringify([role ?? null, server ?? null, grant ?? null]), () => ({ revocation, spans: [] }))
}

function got<T>(map: Map<string, T>, key: string, make: () => T): T {
  const there = map.get(key)
  if (there !== undefined) return there
  const made = make()
  map.set(key, made)
  return made
}

/** The index of the first whose number is not below `from`. */
function firstFrom(numbered: readonly Numbered[], from: number): number {
  let [low, high] = [0, numbered.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((numbered[middle]?.at ?? 0) < from) low = middle + 1
    else high = middle
  }
  return low
}

function isWithdrawal({ kind }: Revocation): boolean {
  return kind === 'role' || kind === 'grant'
}

function diminishedBy(taken: readonly Revocation[]): Judgement {
  const grants = new Map<string, string[]>()
  for (const { grant, server = '*' } of taken) if (grant !== undefined) got(grants, server, () => []).push(grant)
  const roles = taken.flatMap(({ role }) => (role === undefined ? [] : [role]))
  return { kind: 'diminished', roles: [...new Set(roles)], grants: Object.fromEntries(grants) }
}
