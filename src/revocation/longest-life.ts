import type { IssuerOptions } from '../identity/options.ts'

/**
 * How long the last token that a revocation means can still be let in, in seconds. A token that names an issuer lives as
 * long as that one allows; another one no longer than any. The tolerance counts three times: `iat` may be so far ahead,
 * `exp` so much beyond the longest life, and the end comes so much after `exp`.
 */
export function longestLifeOf(issuers: readonly IssuerOptions[]): (issuer: string | undefined) => number {
  const lives = new Map(
    issuers.map((each) => [each.issuer, each.maxLifetimeSeconds + 3 * each.clockToleranceSeconds] as const),
  )
  const longest = Math.max(...lives.values())
  return (issuer) => (issuer === undefined ? undefined : lives.get(issuer)) ?? longest
}
