import type { IssuerOptions } from '../../src/identity/options.ts'
import {
  claims,
  craft,
  ecKeys,
  edKeys,
  hmacSigner,
  issuerName,
  issuerOptions,
  jwkOf,
  type KeyPair,
  now,
  rsaKeys,
  signer,
} from './tokens.ts'

const rsa = rsaKeys()
const ed = edKeys()
const p256 = ecKeys('P-256')
const pairs: Readonly<Record<string, KeyPair>> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: p256,
  ES384: ecKeys('P-384'),
  ES512: ecKeys('P-521'),
  EdDSA: ed,
  Ed25519: ed,
}
const secret = Buffer.from('a shared secret that is long enough for every one of HS256, HS384, HS512')
const secretAlgorithms = ['HS256', 'HS384', 'HS512']
const narrowName = 'https://narrow.example.com'

const nameOf = (alg: string): string => `https://${alg}.example.com`

/** Whom the tokens below are of. */
export const goodIssuers: readonly IssuerOptions[] = [
  issuerOptions([jwkOf(rsa, { kid: 'rsa' })]),
  issuerOptions([jwkOf(rsa, { kid: 'rsa' })], {
    issuer: narrowName,
    authorizedParties: ['desk', 'cli'],
    requiredClaims: ['jti', 'email'],
  }),
  ...Object.entries(pairs).map(([alg, pair]) =>
    issuerOptions([jwkOf(pair, { kid: 'key', use: 'sig', alg })], { issuer: nameOf(alg), algorithms: [alg] }),
  ),
  ...secretAlgorithms.map((alg) =>
    issuerOptions([], { issuer: nameOf(alg), keys: { kind: 'secret', secret }, algorithms: [alg] }),
  ),
]

/** A token of alice that must be accepted. */
export type GoodToken = readonly [name: string, token: string]

const byAlgorithm: readonly GoodToken[] = [
  ...Object.entries(pairs).map(([alg, { privateKey }]): GoodToken => {
    return [`under ${alg}`, craft({ alg, kid: 'key' }, claims({ iss: nameOf(alg) }), signer(alg, privateKey))]
  }),
  ...secretAlgorithms.map((alg): GoodToken => {
    return [`under ${alg}`, craft({ alg }, claims({ iss: nameOf(alg) }), hmacSigner(secret, alg))]
  }),
]

const byHeader: readonly GoodToken[] = [
  ['with typ at+jwt and a nonce', rsaToken({ typ: 'AT+JWT' }, { typ: undefined, nonce: 'n' })],
  ['without typ', rsaToken({ typ: undefined })],
  ['with typ JWT', rsaToken({ typ: 'JWT' })],
  ['with typ jwt', rsaToken({ typ: 'jwt' })],
  ['with typ at+jwt', rsaToken({ typ: 'at+jwt' })],
  ['with typ AT+JWT', rsaToken({ typ: 'AT+JWT' })],
  ['with typ application/at+jwt', rsaToken({ typ: 'application/at+jwt' })],
  ['with typ Application/JWT', rsaToken({ typ: 'Application/JWT' })],
  ['without kid where one key fits', rsaToken({ kid: undefined })],
  ['with a jwk, jku, x5u and x5c that nobody looks at', rsaToken({ jwk: {}, jku: 'https://x', x5u: 1, x5c: null })],
]

const byPayload: readonly GoodToken[] = [
  ['with aud as a string', { aud: 'mcp-gateway' }],
  ['with aud in an array', { aud: ['mcp-gateway'] }],
  ['with aud among others', { aud: ['account', 'http://127.0.0.1:8001/mcp'] }],
  ['without claim typ', { typ: undefined }],
  ['without iat and nbf', { iat: undefined, nbf: undefined }],
  ['expired, but just within the tolerance', { exp: now - 4.999 }],
  ['not yet valid, but at the tolerance', { nbf: now + 5 }],
  ['issued in the future, but at the tolerance', { iat: now + 5 }],
  ['with the longest life', { iat: now, exp: now + 86400 }],
  ['with the longest life, issued as long ago as the tolerance', { iat: now - 5, exp: now + 86400 }],
  ['with the longest life and nothing of when it began', { iat: undefined, exp: now + 86400 }],
  ['issued nearly as long ago as a token may live', { iat: now - 86000 }],
  ['with fractions of seconds', { exp: now + 0.25, iat: now - 0.25, nbf: now - 0.5 }],
  ['with a claim named __proto__', JSON.parse('{"__proto__":{"sub":"root"}}') as Record<string, unknown>],
  ['with arrays as deep as they may be', { deep: nested(63) }],
  ['with token_use access', { token_use: 'access' }],
  ['with a nonce and the claim typ', { nonce: 'n' }],
  ['with a nonce and token_use access', { typ: undefined, token_use: 'access', nonce: 'n' }],
  ['with a token_use that nobody knows', { token_use: 'api' }],
  ['issued to a client, where any will do', { azp: 'anybody' }],
  ['issued to something that is no client, where any will do', { azp: 7 }],
  ['issued to an authorized party', { iss: narrowName, azp: 'desk', jti: 't1', email: 'a@b.c' }],
  ['issued to another authorized party', { iss: narrowName, client_id: 'cli', jti: 't1', email: 'a@b.c' }],
  ['issued to one that Okta names', { iss: narrowName, cid: 'cli', jti: 't1', email: '' }],
  ['issued to one that Entra 1 names', { iss: narrowName, appid: 'desk', jti: 0, email: false }],
].map(([name, changes]): GoodToken => [name as string, rsaToken({}, changes as Record<string, unknown>)])

/** Tokens of alice that must be accepted, each at the edge of some rule. */
export const goodTokens: readonly (readonly [area: string, tokens: readonly GoodToken[]])[] = [
  ['algorithm', byAlgorithm],
  ['header', byHeader],
  ['claims', byPayload],
  // The order of the group less `s` makes a second signature of the same token, which anybody can make of the first.
  ['signature', [['with the other one of two ECDSA signatures', otherSignature()]]],
]

function rsaToken(header: Record<string, unknown>, payload: Record<string, unknown> = {}): string {
  return craft(
    { alg: 'RS256', kid: 'rsa', typ: 'JWT', ...header },
    claims({ iss: issuerName, ...payload }),
    signer('RS256', rsa.privateKey),
  )
}

function otherSignature(): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const sign = signer('ES256', p256.privateKey)
  return craft({ alg: 'ES256', kid: 'key' }, claims({ iss: nameOf('ES256') }), (input) => {
    const signature = sign(input)
    const other = order - BigInt(`0x${signature.toString('hex', 32)}`)
    return Buffer.concat([signature.subarray(0, 32), Buffer.from(other.toString(16).padStart(64, '0'), 'hex')])
  })
}

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth))
}
