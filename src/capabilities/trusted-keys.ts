import { KeyObject } from 'node:crypto'
import type { Claims } from '../identity/claims.ts'
import { type Failure, failure } from '../identity/failure.ts'
import { createKeySource, type KeySourceOptions } from '../identity/key-source.ts'
import { type KeySet, readKeySet, type Selection, selectKey } from '../identity/keys.ts'
import { publicKeyFrom } from './key.ts'

/** The public keys under which x-mcp-authorized is believed. Nothing here rejects. */
export interface TrustedKeys {
  /** The one key that a token with this header may be signed with. */
  keyFor(header: Claims): Promise<KeyChoice>
  /** Whether there are keys at all. */
  ready(): boolean
  /** Fetches the keys, unless they are here. */
  load(): Promise<void>
  /** Ends what is under way or watched. */
  close(): void
}

export type KeyChoice = { readonly ok: true; readonly key: KeyObject | Uint8Array } | Failure

/** One key without a name, or the keys of a JWK Set. */
export type Trusted = { readonly kind: 'key'; readonly key: KeyObject } | { readonly kind: 'set'; readonly set: KeySet }

/** Reads a P-256 public key in PEM, or a JWK Set as JSON text. @throws {TypeError} for anything else */
export function readTrusted(text: string): Trusted {
  return text.trimStart().startsWith('{') ? readTrustedSet(parsed(text)) : { kind: 'key', key: publicKeyFrom(text) }
}

/** Reads a JWK Set. @throws {TypeError} for one without a P-256 key */
export function readTrustedSet(jwks: unknown): Trusted {
  const reading = readKeySet(jwks)
  if (!reading.ok) throw new TypeError(reading.detail)
  const { set } = reading
  if (set.kind === 'public' && set.keys.some(({ crv }) => crv === 'P-256')) return { kind: 'set', set }
  throw new TypeError('expected a jwk set with a P-256 key')
}

/** Keys that are at hand, as they are each time a token comes. */
export function keysAtHand(current: () => Trusted, close: () => void = () => undefined): TrustedKeys {
  return {
    keyFor: async (header) => choiceAmong(current(), header),
    ready: () => true,
    load: async () => undefined,
    close,
  }
}

/**
 * The keys at the address of a JWK Set, fetched again when a token names one that is not among them.
 * @throws {TypeError} for an address that is not https, or http on loopback (elsewhere with `allowHttp`)
 */
export function remoteKeys(url: string, options: KeySourceOptions): TrustedKeys {
  const source = createKeySource({ issuer: url, keys: { kind: 'url', url } }, options)
  const unavailable = failure('keys_unavailable', 'the trusted keys cannot be had')
  return {
    async keyFor(header) {
      const set = await source.current()
      if (set === undefined) return unavailable
      const choice = selectKey(set, header, 'ES256')
      if (choice.ok || choice.kidUnknown !== true) return withoutHint(choice)
      const renewed = await source.renewed((newer) => selectKey(newer, header, 'ES256').ok)
      return renewed === undefined ? unavailable : withoutHint(selectKey(renewed, header, 'ES256'))
    },
    ready: () => source.ready(),
    load: () => source.load(),
    close: () => source.close(),
  }
}

/** The key that a signature of the service with this `kid` verifies under; undefined where there is none. */
export async function publicKeyNamed(keys: TrustedKeys, kid: string | undefined): Promise<KeyObject | undefined> {
  const choice = await keys.keyFor({ alg: 'ES256', ...(kid === undefined ? {} : { kid }) })
  return choice.ok && choice.key instanceof KeyObject ? choice.key : undefined
}

// RFC 7515 section 4.1.4: `kid` is a hint, and a key in PEM has no name that it could hint at.
function choiceAmong(trusted: Trusted, header: Claims): KeyChoice {
  return trusted.kind === 'key' ? { ok: true, key: trusted.key } : withoutHint(selectKey(trusted.set, header, 'ES256'))
}

function withoutHint(selection: Selection): KeyChoice {
  return selection.ok ? selection : failure(selection.code, selection.detail)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
