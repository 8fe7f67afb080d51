import type { JWK } from 'jose'
import { type CapabilityKey, distinct } from './key.ts'

export interface KeyRingOptions {
  /** How long a new key is published before it signs, in milliseconds. */
  readonly publishAheadMs: number
  /** Longest life of a token that is signed here, in milliseconds. */
  readonly lifetimeMs: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** The keys of a running service, which change while it runs. */
export interface KeyRing {
  /** The key that signs now. */
  signing(): CapabilityKey
  /** Public JWK Set as of now: every key whose token can be about, and those that are going to sign. */
  jwks(): { readonly keys: readonly JWK[] }
  /** Takes what the key file and the files beside it hold now; answers from when on that key signs, in milliseconds. */
  replace(key: CapabilityKey): number
}

interface Turn {
  readonly key: CapabilityKey
  /** Milliseconds since the epoch. */
  readonly from: number
}

/**
 * Makes the ring of a service that starts with this key. A key that nobody has seen published must not sign yet: other
 * processes of the service, and whoever keeps its JWK Set for a while, would not know it. So the key before it goes on
 * signing for that long, and stays published until the last token it signed here has died.
 */
export function createKeyRing(first: CapabilityKey, options: KeyRingOptions): KeyRing {
  const { publishAheadMs, lifetimeMs, now = Date.now } = options
  let inFile = first
  let turns: readonly Turn[] = [{ key: first, from: Number.NEGATIVE_INFINITY }]
  let past: readonly { readonly jwk: JWK; readonly until: number }[] = []
  const publishedAt = new Map<string, number>()
  notePublished()

  function signing(): CapabilityKey {
    const [current] = turns
    const index = turns.findLastIndex(({ from }) => from <= now())
    if (index > 0 && current !== undefined) {
      past = [...past.filter(({ until }) => until > now()), { jwk: current.key.jwk, until: now() + lifetimeMs }]
      turns = turns.slice(index)
    }
    return turns[0]?.key ?? inFile
  }

  function jwks(): { readonly keys: readonly JWK[] } {
    const current = signing()
    const recent = past.filter(({ until }) => until > now())
    const pending = turns.map(({ key }) => key.jwk)
    return { keys: distinct([current.jwk, ...pending, ...inFile.jwks.keys, ...recent.map(({ jwk }) => jwk)]) }
  }

  function notePublished(): void {
    const kids = jwks().keys.map(({ kid = '' }) => kid)
    for (const kid of kids) if (!publishedAt.has(kid)) publishedAt.set(kid, now())
    for (const kid of publishedAt.keys()) if (!kids.includes(kid)) publishedAt.delete(kid)
  }

  return {
    signing,
    jwks,
    replace(key) {
      signing()
      inFile = key
      const last = turns.at(-1)
      const from = (publishedAt.get(key.kid) ?? now()) + publishAheadMs
      if (last?.key.kid !== key.kid) turns = [...turns, { key, from }]
      notePublished()
      return last?.key.kid === key.kid ? last.from : from
    },
  }
}
