import { LRUCache } from 'lru-cache'
import type { Minted, Minter, MintRequest } from '../capabilities/mint.ts'
import { sessionDigest } from '../capabilities/origin.ts'

/** Tokens that were minted, each made once for all who ask for the same. */
export interface KeptTokens {
  /**
   * @param view - stands for everything that the token says beside its session and its server
   * @throws {Error} when signing fails; the next one tries again
   */
  token(view: object, minter: Minter, request: MintRequest, seconds: number): Promise<Minted>
}

export interface KeptTokensOptions {
  /** Of all tokens together. Default: 128 MiB. */
  readonly maxBytes?: number
}

interface Kept {
  readonly token: Promise<Minted>
  readonly kid: string
  /** Seconds since the epoch. */
  readonly freshUntil: number
  readonly bytes: number
}

/** A client can make up session ids: of those and of servers, no more than this are remembered for one view. */
const maxOfView = 16

/** What one costs beside its text, by and large. */
const overheadBytes = 512

/**
 * Keeps tokens by their view, and by the session and the server that they are minted for, until half of their life is
 * over or another key signs; those that were asked for last.
 */
export function createKeptTokens({ maxBytes = 128 * 1024 * 1024 }: KeptTokensOptions = {}): KeptTokens {
  const kept = new LRUCache<string, Kept>({ maxSize: maxBytes, sizeCalculation: ({ bytes }) => bytes })
  const keysOf = createViewKeys((key) => kept.delete(key))
  return {
    async token(view, minter, request, seconds) {
      const key = keysOf(view, request)
      const kid = minter.kid()
      const found = kept.get(key)
      if (found?.kid === kid && seconds < found.freshUntil) return await found.token
      const token = minter.mint(request)
      const pending: Kept = { token, kid, freshUntil: Number.POSITIVE_INFINITY, bytes: overheadBytes }
      kept.set(key, pending)
      const minted = await token.catch((thrown: unknown) => {
        if (kept.peek(key) === pending) kept.delete(key)
        throw thrown
      })
      if (minted.ok && kept.peek(key) === pending) kept.set(key, keptOf(minted, token))
      return minted
    },
  }
}

function keptOf(minted: Extract<Minted, { ok: true }>, token: Promise<Minted>): Kept {
  const freshUntil = (minted.issuedAt + minted.expiresAt) / 2
  return { token, kid: minted.kid, freshUntil, bytes: overheadBytes + minted.token.length }
}

/** Names of tokens, no two the same; `onSurplus` is told the one of a view that was asked for the longest ago. */
function createViewKeys(onSurplus: (key: string) => void): (view: object, use: MintRequest) => string {
  const views = new WeakMap<object, { readonly id: number; readonly keys: Set<string> }>()
  let count = 0
  return (view, { session, server }) => {
    const { id, keys } = views.get(view) ?? { id: count++, keys: new Set<string>() }
    views.set(view, { id, keys })
    const key = JSON.stringify([id, session === undefined ? null : sessionDigest(session), server ?? null])
    keys.delete(key)
    keys.add(key)
    const [oldest] = keys
    if (keys.size > maxOfView && oldest !== undefined) {
      keys.delete(oldest)
      onSurplus(oldest)
    }
    return key
  }
}
