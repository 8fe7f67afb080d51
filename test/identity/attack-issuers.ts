import type { IssuerOptions } from '../../src/identity/options.ts'
import {
  claims,
  craft,
  ecKeys,
  edKeys,
  encode,
  hmacSigner,
  issuerOptions,
  jwkOf,
  type Part,
  rsaKeys,
  type Signer,
  signer,
} from './tokens.ts'

/** What it is, how it is made, and the code of the refusal. */
export type Attack = readonly [name: string, token: () => string | Promise<string>, code: string]

export const rsa = rsaKeys()
export const ec = ecKeys('P-256')
export const p384 = ecKeys('P-384')
export const ed = edKeys()
export const encryption = rsaKeys()
export const weak = rsaKeys(1024)
export const signOnly = ecKeys('P-256')
export const twins = [ecKeys('P-256'), ecKeys('P-256')] as const
export const pinned = rsaKeys()
export const stranger = rsaKeys()
export const strangerEc = ecKeys('P-256')
export const otherIssuer = ecKeys('P-256')
export const octets = Buffer.from('a symmetric key that got into a JWK Set')
export const secret = Buffer.from('a shared secret of some length, 32+')

/** Whom the attacked believe: an issuer with keys of every kind, and others beside it. */
export const trusted: readonly IssuerOptions[] = [
  issuerOptions(
    [
      jwkOf(rsa, { kid: 'rsa', use: 'sig' }),
      jwkOf(ec, { kid: 'ec' }),
      jwkOf(p384, { kid: 'p384' }),
      jwkOf(ed, { kid: 'ed' }),
      jwkOf(encryption, { kid: 'encryption', use: 'enc', alg: 'RSA-OAEP' }),
      jwkOf(weak, { kid: 'weak' }),
      jwkOf(signOnly, { kid: 'sign-only', key_ops: ['sign'] }),
      jwkOf(twins[0], { kid: 'twin' }),
      jwkOf(twins[1], { kid: 'twin' }),
      jwkOf(pinned, { kid: 'pinned', alg: 'RS256' }),
      { kty: 'oct', kid: 'octets', k: octets.toString('base64url') },
      { kty: 'RSA', kid: 'one', e: 'AQ', n: rsa.publicKey.export({ format: 'jwk' }).n },
      { kty: 'EC', kid: 'off-curve', crv: 'P-256', x: encode('x'.repeat(32)), y: encode('y'.repeat(32)) },
    ],
    { algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] },
  ),
  issuerOptions([jwkOf(otherIssuer, { kid: 'other' })], { issuer: 'https://other.example.com' }),
  issuerOptions([], { issuer: 'https://hs.example.com', keys: { kind: 'secret', secret }, algorithms: ['HS256'] }),
  issuerOptions([jwkOf(rsa, { kid: 'rsa' })], {
    issuer: 'https://confused.example.com',
    algorithms: ['RS256', 'HS256', 'none'],
  }),
  issuerOptions([jwkOf(rsa, { kid: 'rsa' })], {
    issuer: 'https://narrow.example.com',
    authorizedParties: ['desk', 'cli'],
    requiredClaims: ['jti', 'constructor'],
  }),
]

export const withRsa = signer('RS256', rsa.privateKey)
export const withEc = signer('ES256', ec.privateKey)
export const rsaHeader = { alg: 'RS256', kid: 'rsa', typ: 'JWT' }
export const ecHeader = { alg: 'ES256', kid: 'ec', typ: 'JWT' }

/** A good token except for its header, payload or signature. */
export const header = (changes: Record<string, unknown>, signWith: Signer = withRsa): string =>
  craft({ ...rsaHeader, ...changes }, claims(), signWith)
export const payload = (changes: Record<string, unknown>): string => craft(rsaHeader, claims(changes), withRsa)
/** What `https://narrow.example.com` asks of a token beside all that others do. */
export const narrow = (changes: Record<string, unknown> = {}): string => {
  const asked = { iss: 'https://narrow.example.com', jti: 't1', constructor: 'c', azp: 'desk' }
  return craft(rsaHeader, claims({ ...asked, ...changes }), withRsa)
}
export const rawPayload = (part: Part): string => craft(rsaHeader, part, withRsa)
export const rawHeader = (part: Part): string => craft(part, claims(), withRsa)
export const signed = (signWith: Signer): string => craft(ecHeader, claims(), signWith)
export const good = (): string => craft(rsaHeader, claims(), withRsa)
export const payloadText = JSON.stringify(claims())
export const headerText = JSON.stringify(rsaHeader)
export const hs = (key: string | Uint8Array, kid?: string): string =>
  craft({ alg: 'HS256', ...(kid === undefined ? {} : { kid }) }, claims(), hmacSigner(key))
export const confused = (key: string | Uint8Array): string =>
  craft({ alg: 'HS256' }, claims({ iss: 'https://confused.example.com' }), hmacSigner(key))
export const pem = (pair: typeof rsa): string => pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
export const der = (pair: typeof rsa): Buffer => pair.publicKey.export({ type: 'spki', format: 'der' })
