import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'
import type { Authentication } from '../../src/identity/subject.ts'
import { goodIssuers, goodTokens } from './good-table.ts'
import {
  claims,
  craft,
  ecKeys,
  edKeys,
  hmacSigner,
  issuerOptions,
  jwkOf,
  now,
  nowMs,
  rsaKeys,
  signer,
} from './tokens.ts'

const rsa = rsaKeys()

describe.each(goodTokens)('a token at the edge of the rules of the %s is accepted', (_, tokens) => {
  const authenticator = createAuthenticator({ issuers: goodIssuers, now: () => nowMs })
  test.each(tokens)('%s', async (_name, token) => {
    expect(idIn(await authenticator.authenticate({ kind: 'token', token }))).toBe('alice')
  })
})

describe('a token is accepted that jose signed', () => {
  const p256 = ecKeys('P-256')
  test.each([
    ['RS256', rsa],
    ['PS512', rsa],
    ['ES256', p256],
    ['EdDSA', edKeys()],
  ] as const)('under %s', async (alg, pair) => {
    const options = issuerOptions([jwkOf(pair, { kid: 'key', use: 'sig', alg })], { algorithms: [alg] })
    const token = await new SignJWT(claims()).setProtectedHeader({ alg, kid: 'key' }).sign(pair.privateKey)
    expect(await idOf(options, token)).toBe('alice')
  })

  test('under HS256', async () => {
    const secret = Buffer.from('a shared secret of 32 bytes, now')
    const options = issuerOptions([], { keys: { kind: 'secret', secret }, algorithms: ['HS256'] })
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(secret)
    expect(await idOf(options, token)).toBe('alice')
  })
})

test('a token is accepted under a secret that is shorter than its digest', async () => {
  const short = Buffer.from('short')
  const options = issuerOptions([], { keys: { kind: 'secret', secret: short }, algorithms: ['HS256'] })
  expect(await idOf(options, craft({ alg: 'HS256' }, claims(), hmacSigner(short)))).toBe('alice')
})

describe('a token is accepted', () => {
  test.each(['Bearer ', 'bearer ', 'BEARER ', 'Bearer    ', ' \tBearer '])('after %j', async (scheme) => {
    const authenticator = createAuthenticator({ issuers: [rsaIssuer()], now: () => nowMs })
    const values = [`${scheme}${rsaToken({})} \t`]
    expect(idIn(await authenticator.authenticate({ kind: 'authorization', values }))).toBe('alice')
  })

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
        facts: expect.objectContaining({ issuer: second.issuer, subject: 'bob@example.com' }),
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
      facts: expect.objectContaining({ subject: 'alice' }),
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
