import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Claims, isObject, own } from './claims.ts'
import { type Failure, failure } from './failure.ts'

/** The keys of one issuer. A set is never changed: its identity stands for what was verified with it. */
export type KeySet =
  | { readonly kind: 'public'; readonly keys: readonly PublicKey[] }
  | { readonly kind: 'secret'; readonly secret: Uint8Array }

/** A verification key of a JWK Set. The key object holds public members alone, and caches its import for each algorithm. */
export interface PublicKey {
  readonly kid: string | undefined
  readonly kty: string
  readonly crv: string | undefined
  readonly alg: string | undefined
  readonly key: KeyObject
}

export type KeySetReading =
  | { readonly ok: true; readonly set: KeySet }
  | { readonly ok: false; readonly detail: string }

/** `kidUnknown`: the set holds no key of that name, a newer one might. */
export type Selection =
  | { readonly ok: true; readonly key: KeyObject | Uint8Array }
  | (Failure & { readonly kidUnknown?: true })

interface Family {
  readonly kty: string
  readonly crv?: string
  /** The members that make up the public key (RFC 7518 section 6, RFC 8037 section 2). */
  readonly members: readonly string[]
}

const minimumRsaBits = 2048

const rsa: Family = { kty: 'RSA', members: ['n', 'e'] }
const ed25519: Family = { kty: 'OKP', crv: 'Ed25519', members: ['x'] }

/** Every public-key algorithm and the key it takes (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
const families: ReadonlyMap<string, Family> = new Map([
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'].map((alg) => [alg, rsa] as const),
  ['ES256', curve('P-256')],
  ['ES384', curve('P-384')],
  ['ES512', curve('P-521')],
  ['EdDSA', ed25519],
  ['Ed25519', ed25519],
])

const secretAlgorithms: ReadonlySet<string> = new Set(['HS256', 'HS384', 'HS512'])

/**
 * Reads a JWK Set (RFC 7517 section 5). Keys that cannot verify a signature here are left out: other types and curves,
 * `oct`, a `use` other than `sig`, `key_ops` without `verify`, RSA under 2048 bits, values that are no key.
 */
export function readKeySet(value: unknown): KeySetReading {
  const keys = isObject(value) ? own(value, 'keys') : undefined
  if (!Array.isArray(keys)) return { ok: false, detail: 'expected a jwk set: an object with an array `keys`' }
  if (!keys.every(isObject)) return { ok: false, detail: 'expected every member of `keys` to be an object' }
  return { ok: true, set: { kind: 'public', keys: keys.flatMap(readKey) } }
}

/** The one key of the set that the header names or, where it has no `kid`, that fits the algorithm. */
export function selectKey(set: KeySet, header: Claims, alg: string): Selection {
  if (secretAlgorithms.has(alg) !== (set.kind === 'secret')) {
    return failure('token_algorithm', 'expected an algorithm that fits the kind of keys of the issuer')
  }
  const kid = Object.hasOwn(header, 'kid') ? header['kid'] : undefined
  if (kid !== undefined && typeof kid !== 'string') return failure('token_key_unknown', 'expected `kid` to be a string')
  if (set.kind === 'public') return kid === undefined ? onlyFittingKey(set.keys, alg) : namedKey(set.keys, kid, alg)
  if (kid !== undefined) return failure('token_key_unknown', 'expected no `kid`: the secret of the issuer has no name')
  return { ok: true, key: set.secret }
}

function namedKey(keys: readonly PublicKey[], kid: string, alg: string): Selection {
  const named = keys.filter((key) => key.kid === kid)
  if (named.length === 0) {
    return { ...failure('token_key_unknown', 'expected `kid` to name a key of the issuer'), kidUnknown: true }
  }
  const [key, second] = named.filter((candidate) => fits(candidate, alg))
  if (key === undefined) return failure('token_algorithm', 'expected the key that `kid` names to fit the algorithm')
  if (second !== undefined) return failure('token_key_unknown', 'expected `kid` to name one key, found several')
  return { ok: true, key: key.key }
}

function onlyFittingKey(keys: readonly PublicKey[], alg: string): Selection {
  const [key, second] = keys.filter((candidate) => fits(candidate, alg))
  if (key === undefined || second !== undefined) {
    return failure('token_key_unknown', 'expected a `kid`, or exactly one key that fits the algorithm')
  }
  return { ok: true, key: key.key }
}

function fits(key: PublicKey, alg: string): boolean {
  const family = families.get(alg)
  return (
    family !== undefined &&
    key.kty === family.kty &&
    key.crv === family.crv &&
    (key.alg === undefined || key.alg === alg)
  )
}

function readKey(jwk: Claims): PublicKey[] {
  const [kid, alg, kty, crv] = ['kid', 'alg', 'kty', 'crv'].map((name) => own(jwk, name))
  if (!isOptionalString(kid) || !isOptionalString(alg) || !isForVerification(jwk)) return []
  const family = [...families.values()].find((each) => each.kty === kty && (each.crv === undefined || each.crv === crv))
  const key = family === undefined ? undefined : importKey(jwk, family)
  return family === undefined || key === undefined ? [] : [{ kid, alg, kty: family.kty, crv: family.crv, key }]
}

function isForVerification(jwk: Claims): boolean {
  const operations = own(jwk, 'key_ops')
  if (Object.hasOwn(jwk, 'use') && jwk['use'] !== 'sig') return false
  return operations === undefined || (Array.isArray(operations) && operations.includes('verify'))
}

function importKey(jwk: Claims, family: Family): KeyObject | undefined {
  const values = family.members.map((name) => [name, own(jwk, name)] as const)
  if (!values.every(([, value]) => typeof value === 'string' && /^[\w-]+$/.test(value))) return undefined
  const { kty, crv } = family
  try {
    const key = createPublicKey({ key: { kty, ...(crv && { crv }), ...Object.fromEntries(values) }, format: 'jwk' })
    return kty === 'RSA' && !isStrongRsa(key) ? undefined : key
  } catch {
    return undefined
  }
}

/** With an exponent of 1 every number is its own signature. */
function isStrongRsa(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  return modulusLength >= minimumRsaBits && publicExponent >= 3n
}

function isOptionalString(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function curve(crv: string): Family {
  return { kty: 'EC', crv, members: ['x', 'y'] }
}
