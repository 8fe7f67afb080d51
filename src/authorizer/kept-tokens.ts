import type { Minted, Minter, MintRequest } from '../capabilities/mint.ts'

/** The tokens of one view, each made once for all who ask for the same. */
export interface KeptTokens {
  /** @throws {Error} when signing fails; the next one tries again */
  token(minter: Minter, request: MintRequest, seconds: number): Promise<Minted>
}

interface Kept {
  readonly token: Promise<Minted>
  readonly kid: string
  /** Seconds since the epoch. */
  readonly freshUntil: number
}

/** A client can make up session ids: of those and of servers, no more than this are remembered for one view. */
const maxTokens = 16

/**
 * Keeps tokens by the session and the server that they are minted for, until half of their life is over or another key
 * signs; those that were asked for last.
 */
export function createKeptTokens(): KeptTokens {
  // In the order in which they were last asked for.
  const byUse = new Map<string, Kept>()

  function keep(key: string, kept: Kept): void {
    byUse.delete(key)
    byUse.set(key, kept)
    const [oldest] = byUse.keys()
    if (byUse.size > maxTokens && oldest !== undefined) byUse.delete(oldest)
  }

  return {
    async token(minter, request, seconds) {
      const { session, server } = request
      const isWhole = session === undefined && server === undefined
      const key = isWhole ? '' : JSON.stringify([session ?? null, server ?? null])
      const kid = minter.kid()
      const found = byUse.get(key)
      if (found?.kid === kid && seconds < found.freshUntil) {
        keep(key, found)
        return await found.token
      }
      const token = minter.mint(request)
      const pending: Kept = { token, kid, freshUntil: Number.POSITIVE_INFINITY }
      keep(key, pending)
      const minted = await token.catch((thrown: unknown) => {
        if (byUse.get(key) === pending) byUse.delete(key)
        throw thrown
      })
      if (minted.ok && byUse.get(key) === pending) {
        byUse.set(key, { token, kid: minted.kid, freshUntil: (minted.issuedAt + minted.expiresAt) / 2 })
      }
      return minted
    },
  }
}
