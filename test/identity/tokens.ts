import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { presets } from '../../src/identity/claims.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'

/** The clock of every test: milliseconds, and seconds, since the epoch. */
export const nowMs = 1_800_000_000_000
export const now = nowMs / 1000

export const issuerName = 'https://sso.example.com/realms/mcp'

export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export const rsaKeys = (modulusLength = 2048): KeyPair => generateKeyPairSync('rsa', { modulusLength })
export const ecKeys = (namedCurve: string): KeyPair => generateKeyPairSync('ec', { namedCurve })
export const edKeys = (): KeyPair => generateKeyPairSync('ed25519')

/** A public key as a member of a JWK Set. */
export function jwkOf(pair: KeyPair, members: Record<string, unknown> = {}): Record<string, unknown> {
  return { ...pair.publicKey.export({ format: 'jwk' }), ...members }
}

/** What an issuer says of alice; every attack differs from it in one point. */
export function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const all = {
    iss: issuerName,
    sub: 'alice',
    aud: 'mcp-gateway',
    exp: now + 300,
    iat: now - 10,
    typ: 'Bearer',
    ...changes,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

export type Signer = (input: Buffer) => Buffer

export function signer(alg: string, key: KeyObject): Signer {
  const digest = `sha${alg.slice(2)}`
  if (alg.startsWith('RS')) return (input) => sign(digest, input, key)
  if (alg.startsWith('ES')) return (input) => sign(digest, input, { key, dsaEncoding: 'ieee-p1363' })
  if (!alg.startsWith('PS')) return (input) => sign(null, input, key)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return (input) => sign(digest, input, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
}

export function hmacSigner(secret: string | Uint8Array, alg = 'HS256'): Signer {
  return (input) =>
    createHmac(`sha${alg.slice(2)}`, secret)
      .update(input)
      .digest()
}

/** A part of a token: an object as JSON, text and bytes as they are. */
export type Part = Record<string, unknown> | string | Uint8Array

export function encode(part: Part): string {
  const bytes = typeof part === 'string' || part instanceof Uint8Array ? part : JSON.stringify(part)
  return Buffer.from(bytes as string).toString('base64url')
}

/** A compact JWS over exactly these parts. */
export function craft(header: Part, payload: Part, signWith: Signer): string {
  return craftEncoded(encode(header), encode(payload), signWith)
}

/** The same for parts that are encoded already, however badly. */
export function craftEncoded(header: string, payload: string, signWith: Signer): string {
  return `${header}.${payload}.${signWith(Buffer.from(`${header}.${payload}`)).toString('base64url')}`
}

/** The options of an issuer with a static JWK Set. */
export function issuerOptions(keys: readonly unknown[], changes: Partial<IssuerOptions> = {}): IssuerOptions {
  return {
    issuer: issuerName,
    keys: { kind: 'jwks', jwks: { keys } },
    algorithms: ['RS256', 'ES256'],
    audiences: ['mcp-gateway', 'http://127.0.0.1:8001/mcp'],
    clockToleranceSeconds: 5,
    maxLifetimeSeconds: 86400,
    claims: presets.keycloak,
    ...changes,
  }
}
