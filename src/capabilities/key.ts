import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'

/** The public side of a key of ours, as it is published. */
export interface PublishedKey {
  readonly jwk: JWK & { readonly kid: string }
  /** SPKI, as Kuadrant's TRUSTED_HEADER_PUBLIC_KEY wants it. */
  readonly publicPem: string
}

/** The key that signs x-mcp-authorized, and what is published of it and of those before and after it. */
export interface CapabilityKey extends PublishedKey {
  readonly privateKey: KeyObject
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** The key that is published already and signs once it is rotated in. */
  readonly next: PublishedKey | undefined
  /** Public JWK Set as of now: this key, the next one, then retired ones whose tokens may still live. */
  readonly jwks: { readonly keys: readonly JWK[] }
}

/** A public key that `keys rotate` took out of service; kept in `<key file>.retired.json`. */
export interface RetiredKey {
  readonly jwk: JWK
  /** Seconds since the epoch. */
  readonly retiredAt: number
  /** When its last token has died, seconds since the epoch; absent: after the longest life that can be configured. */
  readonly until?: number
}

/** The texts of a key file and of the files beside it; undefined for one that is not there. */
export interface KeyTexts {
  readonly pem: string
  readonly next: string | undefined
  readonly retired: string | undefined
}

/** Longest life a capability token can have: `capabilities.lifetimeSeconds` at most. */
const longestLifeSeconds = 86_400

/** A fresh P-256 private key, PEM (PKCS#8). */
export function generateKeyPem(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/**
 * Reads a P-256 private key, PKCS#8 or SEC1.
 * @throws {TypeError} for anything else; the text never holds key bytes
 */
export async function capabilityKeyFrom(
  pem: string,
  { retired = [], next }: { readonly retired?: readonly RetiredKey[]; readonly next?: PublishedKey | undefined } = {},
  now: () => number = Date.now,
): Promise<CapabilityKey> {
  const privateKey = privateKeyFrom(pem)
  const published = await publishedSide(privateKey)
  const fixed = next === undefined ? [published.jwk] : [published.jwk, next.jwk]
  return {
    ...published,
    privateKey,
    kid: published.jwk.kid,
    next,
    get jwks() {
      const living = stillPublished(retired, now() / 1000)
      return { keys: distinct([...fixed, ...living.map(({ jwk }) => jwk)]) }
    },
  }
}

/** Reads the key file, the next key and the list of retired ones beside it. @throws {TypeError | Error} */
export async function loadCapabilityKey(file: string): Promise<CapabilityKey> {
  return await capabilityKeyOf(file, await readKeyTexts(file))
}

/** Reads what is in a key file and beside it. @throws {Error} if a file is there and cannot be read, or there is no key */
export async function readKeyTexts(file: string): Promise<KeyTexts> {
  const [pem, next, retired] = await Promise.all([
    readFile(file, 'utf8'),
    textIn(nextFile(file)),
    textIn(retiredFile(file)),
  ])
  return { pem, next, retired }
}

/** Makes the key of these texts; `file` is for the messages. @throws {TypeError} */
export async function capabilityKeyOf(file: string, { pem, next, retired }: KeyTexts): Promise<CapabilityKey> {
  return await capabilityKeyFrom(pem, {
    retired: retiredFrom(retired, file),
    next: next === undefined ? undefined : await nextFrom(next, file),
  })
}

/**
 * The retired keys beside a key file; none where there is no such list.
 * @throws {TypeError} if it is no such list; Error if it is there and cannot be read
 */
export async function retiredKeys(file: string): Promise<readonly RetiredKey[]> {
  return retiredFrom(await textIn(retiredFile(file)), file)
}

/** Those of the retired keys whose tokens may live at a time, in seconds since the epoch. */
export function stillPublished(retired: readonly RetiredKey[], seconds: number): readonly RetiredKey[] {
  return retired.filter(({ retiredAt, until = retiredAt + longestLifeSeconds }) => seconds < until)
}

/** Where the public keys retired from a key file are listed. */
export function retiredFile(file: string): string {
  return `${file}.retired.json`
}

/** Where the key is that follows the one in a key file. */
export function nextFile(file: string): string {
  return `${file}.next.pem`
}

/** The keys of several lists, each once. */
export function distinct(keys: readonly JWK[]): readonly JWK[] {
  return keys.filter(({ kid }, index) => keys.findIndex((other) => other.kid === kid) === index)
}

/** A P-256 public key in PEM (SPKI); of several blocks the first. @throws {TypeError} */
export function publicKeyFrom(pem: string): KeyObject {
  try {
    if (!pem.includes('PRIVATE KEY')) return p256(createPublicKey(pem))
  } catch {
    // Said below: what OpenSSL says of a file does not help, and may quote it.
  }
  throw new TypeError('expected a P-256 public key in PEM (BEGIN PUBLIC KEY)')
}

async function textIn(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

async function nextFrom(pem: string, file: string): Promise<PublishedKey> {
  try {
    return await publishedSide(privateKeyFrom(pem))
  } catch {
    throw new TypeError(`expected \`${nextFile(file)}\` to be what \`mcp-authz keys rotate --publish-only\` wrote`)
  }
}

function retiredFrom(text: string | undefined, file: string): readonly RetiredKey[] {
  const list = text === undefined ? [] : parsed(text)
  if (Array.isArray(list) && list.every(isRetiredKey)) return list
  throw new TypeError(`expected \`${retiredFile(file)}\` to be what \`mcp-authz keys rotate\` wrote`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// What is listed is published as it stands, so nothing but a public key may be.
function isRetiredKey(value: unknown): value is RetiredKey {
  if (typeof value !== 'object' || value === null) return false
  const { jwk, retiredAt, until = 0 } = value as Partial<RetiredKey>
  if (typeof retiredAt !== 'number' || typeof until !== 'number' || typeof jwk !== 'object' || jwk === null)
    return false
  return jwk.kty === 'EC' && !Object.hasOwn(jwk, 'd')
}

function privateKeyFrom(pem: string): KeyObject {
  try {
    return p256(createPrivateKey(pem))
  } catch {
    throw new TypeError('expected a P-256 private key in PEM (BEGIN PRIVATE KEY or BEGIN EC PRIVATE KEY)')
  }
}

function p256(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new TypeError()
  return key
}

async function publishedSide(privateKey: KeyObject): Promise<PublishedKey> {
  const publicKey = createPublicKey(privateKey)
  const jwk = await exportJWK(publicKey)
  return {
    jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' },
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}
