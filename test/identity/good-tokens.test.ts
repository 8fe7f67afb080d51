import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'
import type { Authentication } from '../../src/identity/subject.ts'
import {
  claims,
  craft,
  ecKeys,
  edKeys,
  hmacSigner,
  issuerOptions,
  jwkOf,
  type KeyPair,
  now,
  nowMs,
  rsaKeys,
  signer,
} from './tokens.ts'

const rsa = rsaKeys()
const ed = edKeys()
const pairs: Readonly<Record<string, KeyPair>> = {
  RS256: rsa,
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: ecKeys('P-256'),
  ES384: ecKeys('P-384'),
  ES512: ecKeys('P-521'),
  EdDSA: ed,
  Ed25519: ed,
}
const secret = Buffer.from('a shared secret that is long enough for every one of HS256, HS384, HS512')

describe('a token is accepted by its algorithm', () => {
  test.each(Object.entries(pairs))('under %s, signed by jose', async (alg, pair) => {
    const options = issuerOptions([jwkOf(pair, { kid: 'key', use: 'sig', alg })], { algorithms: [alg] })
    const token = await new SignJWT(claims()).setProtectedHeader({ alg, kid: 'key' }).sign(pair.privateKey)
    expect(await idOf(options, token)).toBe('alice')
  })

  test.each(['HS256', 'HS384', 'HS512'])('under %s with a shared secret', async (alg) => {
    const options = issuerOptions([], { keys: { kind: 'secret', secret }, algorithms: [alg] })
    const token = await new SignJWT(claims()).setProtectedHeader({ alg }).sign(secret)
    expect(await idOf(options, token)).toBe('alice')
  })

  test('under a secret that is shorter than its digest', async () => {
    const short = Buffer.from('short')
    const options = issuerOptions([], { keys: { kind: 'secret', secret: short }, algorithms: ['HS256'] })
    expect(await idOf(options, craft({ alg: 'HS256' }, claims(), hmacSigner(short)))).toBe('alice')
  })
})

describe('a token is accepted by its parts', () => {
  const headers: readonly (readonly [name: string, changes: Record<string, unknown>])[] = [
    ['without typ', { typ: undefined }],
    ['with typ JWT', { typ: 'JWT' }],
    ['with typ jwt', { typ: 'jwt' }],
    ['with typ at+jwt', { typ: 'at+jwt' }],
    ['with typ AT+JWT', { typ: 'AT+JWT' }],
    ['with typ application/at+jwt', { typ: 'application/at+jwt' }],
    ['with typ Application/JWT', { typ: 'Application/JWT' }],
    ['without kid where one key fits', { kid: undefined }],
    ['with a jwk, jku, x5u and x5c that nobody looks at', { jwk: {}, jku: 'https://x', x5u: 1, x5c: null }],
  ]
  test.each(headers)('%s', async (_, changes) => {
    expect(await idOf(rsaIssuer(), rsaToken(changes))).toBe('alice')
  })

  const payloads: readonly (readonly [name: string, changes: Record<string, unknown>])[] = [
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
    ['with fractions of seconds', { exp: now + 0.25, iat: now - 0.25, nbf: now - 0.5 }],
    ['issued nearly as long ago as a token may live', { iat: now - 86000 }],
    ['with a claim named __proto__', JSON.parse('{"__proto__":{"sub":"root"}}') as Record<string, unknown>],
    ['with arrays as deep as they may be', { deep: nested(63) }],
  ]
  test.each(payloads)('%s', async (_, changes) => {
    expect(await idOf(rsaIssuer(), rsaToken({}, changes))).toBe('alice')
  })

  test.each(['Bearer ', 'bearer ', 'BEARER ', 'Bearer    ', ' \tBearer '])('after %j', async (scheme) => {
    const authenticator = createAuthenticator({ issuers: [rsaIssuer()], now: () => nowMs })
    const values = [`${scheme}${rsaToken({})} \t`]
    expect(idIn(await authenticator.authenticate({ kind: 'authorization', values }))).toBe('alice')
  })
})

describe('a token is accepted', () => {
  test('for any audience that it names where the issuer has no audiences', async () => {
    for (const aud of ['anybody', ['anybody', 'somebody']]) {
      expect(await idOf(rsaIssuer({ audiences: [] }), rsaToken({}, { aud }))).toBe('alice')
    }
  })

  test('by the key of its own algorithm when two keys share a kid', async () => {
    const ec = ecKeys('P-256')
    const keys = [jwkOf(rsa, { kid: 'key' }), jwkOf(ec, { kid: 'key' })]
    const token = craft({ alg: 'ES256', kid: 'key' }, claims(), signer('ES256', ec.privateKey))
    expect(await idOf(issuerOptions(keys), token)).toBe('alice')
  })

  test('by the public part of a key that was published whole', async () => {
    const jwk = { ...rsa.privateKey.export({ format: 'jwk' }), kid: 'rsa' }
    expect(await idOf(issuerOptions([jwk]), rsaToken({}))).toBe('alice')
  })

  test('by each issuer with its own keys and paths', async () => {
    const ec = ecKeys('P-256')
    const second = issuerOptions([jwkOf(ec)], {
      issuer: 'https://second.example.com',
      claims: { subject: 'email', grants: ['grants.*'], roles: ['groups'] },
    })
    const authenticator = createAuthenticator({ issuers: [rsaIssuer(), second], now: () => nowMs })
    const payload = claims({
      iss: second.issuer,
      email: 'bob@example.com',
      groups: 'staff',
      grants: { files: 'tool:read' },
    })
    const token = craft({ alg: 'ES256' }, payload, signer('ES256', ec.privateKey))
    expect(await authenticator.authenticate({ kind: 'token', token })).toEqual({
      ok: true,
      subject: {
        id: 'bob@example.com',
        roles: ['staff'],
        grants: { files: ['tool:read'] },
        groups: [],
        scopes: [],
        expiresAt: now + 300,
      },
    })
    expect(idIn(await authenticator.authenticate({ kind: 'token', token: rsaToken({}) }))).toBe('alice')
  })
})

test('the subject of a Keycloak token has its grants, roles and end', async () => {
  const changes = {
    realm_access: { roles: ['forecaster', 'offline_access'] },
    resource_access: { weather: { roles: ['tool:alerts', 'admin'] }, account: { roles: [] } },
    azp: 'team-a/desk',
    exp: now + 60.5,
  }
  const { claims: paths } = rsaIssuer()
  const authenticator = createAuthenticator({
    issuers: [rsaIssuer({ claims: { ...paths, virtualServer: 'azp' } })],
    now: () => nowMs,
  })
  expect(await authenticator.authenticate({ kind: 'token', token: rsaToken({}, changes) })).toEqual({
    ok: true,
    subject: {
      id: 'alice',
      grants: { weather: ['tool:alerts', 'admin'] },
      roles: ['forecaster', 'offline_access'],
      groups: [],
      scopes: [],
      virtualServer: 'team-a/desk',
      expiresAt: now + 60.5,
    },
  })
})

function rsaIssuer(changes: Partial<IssuerOptions> = {}): IssuerOptions {
  return issuerOptions([jwkOf(rsa, { kid: 'rsa' })], changes)
}

function rsaToken(header: Record<string, unknown>, payload: Record<string, unknown> = {}): string {
  return craft({ alg: 'RS256', kid: 'rsa', typ: 'JWT', ...header }, claims(payload), signer('RS256', rsa.privateKey))
}

async function idOf(issuer: IssuerOptions, token: string): Promise<string> {
  const authenticator = createAuthenticator({ issuers: [issuer], now: () => nowMs })
  return idIn(await authenticator.authenticate({ kind: 'token', token }))
}

function idIn(outcome: Authentication): string {
  return outcome.ok ? outcome.subject.id : outcome.code
}

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth))
}
