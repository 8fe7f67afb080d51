import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'

/** The key that signs x-mcp-authorized, and what is published of it and of its predecessors. */
export interface CapabilityKey {
  readonly privateKey: KeyObject
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** Public JWK Set: this key first, then retired ones whose tokens may still live. */
  readonly jwks: { readonly keys: readonly JWK[] }
  /** SPKI, as Kuadrant's TRUSTED_HEADER_PUBLIC_KEY wants it. */
  readonly publicPem: string
}

/** A public key that `keys rotate` took out of service; kept in `<key file>.retired.json`. */
export interface RetiredKey {
  readonly jwk: JWK
  /** Seconds since the epoch. */
  readonly retiredAt: number
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
  retired: readonly RetiredKey[] = [],
  now: () => number = Date.now,
): Promise<CapabilityKey> {
  const privateKey = privateKeyFrom(pem)
  const publicKey = createPublicKey(privateKey)
  const jwk = await published(await exportJWK(publicKey))
  const since = now() / 1000 - longestLifeSeconds
  return {
    privateKey,
    kid: jwk.kid,
    jwks: {
      keys: [
        jwk,
        ...retired.filter(({ jwk: old, retiredAt }) => retiredAt > since && old.kid !== jwk.kid).map((old) => old.jwk),
      ],
    },
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** Reads the key file and the list of its retired predecessors beside it. @throws {TypeError | Error} */
export async function loadCapabilityKey(file: string): Promise<CapabilityKey> {
  return await capabilityKeyFrom(await readFile(file, 'utf8'), await retiredKeys(file))
}

/**
 * The retired keys beside a key file; none where there is no such list.
 * @throws {TypeError} if it is no such list; Error if it is there and cannot be read
 */
export async function retiredKeys(file: string): Promise<readonly RetiredKey[]> {
  const text = await readFile(retiredFile(file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]'
    throw error
  })
  const list = parsed(text)
  if (Array.isArray(list) && list.every(isRetiredKey)) return list
  throw new TypeError(`expected \`${retiredFile(file)}\` to be what \`mcp-authz keys rotate\` wrote`)
}

/** Where the public keys retired from a key file are listed. */
export function retiredFile(file: string): string {
  return `${file}.retired.json`
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
  const { jwk, retiredAt } = value as Partial<RetiredKey>
  if (typeof retiredAt !== 'number' || typeof jwk !== 'object' || jwk === null) return false
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

async function published(jwk: JWK): Promise<JWK & { readonly kid: string }> {
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' }
}
