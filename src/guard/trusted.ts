import { keysAtHand, readTrusted, readTrustedSet, remoteKeys, type TrustedKeys } from '../capabilities/trusted-keys.ts'

/**
 * A P-256 public key in PEM, a JWK Set, or the address of one: `/.well-known/jwks.json` of the service, fetched again
 * when something is signed with a key that is not in it, so that a rotation needs no restart.
 */
export type Trusted = string | { readonly keys: readonly object[] } | { readonly url: string }

/** How keys that have an address are fetched. */
export interface FetchingOptions {
  readonly allowHttp?: boolean | undefined
  readonly onFault?: ((detail: string) => void) | undefined
  /** Milliseconds since the epoch. */
  readonly now?: (() => number) | undefined
}

/**
 * The keys that are trusted.
 * @throws {TypeError} for what nothing could be verified with
 */
export function keysOf(trusted: Trusted, { allowHttp = false, onFault, now = Date.now }: FetchingOptions): TrustedKeys {
  if (typeof trusted === 'object' && 'url' in trusted) {
    return remoteKeys(trusted.url, { now, fetch: globalThis.fetch, allowHttp, onFault })
  }
  const read = typeof trusted === 'string' ? readTrusted(trusted) : readTrustedSet(trusted)
  return keysAtHand(() => read)
}
