import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import { presets } from '../../src/identity/claims.ts'
import type { Authentication, Credential } from '../../src/identity/subject.ts'
import {
  claims,
  craft,
  ecKeys,
  encode,
  issuerName,
  issuerOptions,
  jwkOf,
  now,
  nowMs,
  rsaKeys,
  signer,
} from './tokens.ts'

const rsa = rsaKeys()
const ec = ecKeys('P-256')
const issuer = issuerOptions([jwkOf(rsa, { kid: 'rsa' }), jwkOf(ec, { kid: 'ec' })])
const sign = signer('RS256', rsa.privateKey)
const header = { alg: 'RS256', kid: 'rsa' }
const token = craft(header, claims(), sign)
/** What a subject has whose claims say nothing of it. */
const bare = { groups: [], scopes: [] }
const facts = expect.objectContaining({ subject: 'alice' })

describe('raw claims', () => {
  const second = issuerOptions([], { issuer: 'https://second.example.com', claims: presets.generic })
  const authenticator = createAuthenticator({ issuers: [issuer, second], now: () => nowMs })
  const read = (raw: unknown) => authenticator.authenticate({ kind: 'claims', claims: raw as Record<string, unknown> })
  const all = { sub: 'alice', realm_access: { roles: ['first'], ...bare }, roles: ['second'], ...bare }

  test('without iss are read by the paths of the first issuer', async () => {
    expect(await read(all)).toEqual({
      ok: true,
      subject: { id: 'alice', grants: {}, roles: ['first'], ...bare, facts },
    })
  })

  test('with iss are read by the paths of that issuer', async () => {
    const subject = { id: 'alice', grants: {}, roles: ['second'], ...bare, facts }
    expect(await read({ ...all, iss: 'https://second.example.com' })).toEqual({ ok: true, subject })
  })

  test('have no times, audience and type that matter, and no end', async () => {
    const outcome = await read({ ...all, iss: issuerName, exp: 1, nbf: 'never', iat: {}, aud: 7, typ: 'ID' })
    expect(outcome).toEqual({ ok: true, subject: { id: 'alice', grants: {}, roles: ['first'], ...bare, facts } })
  })

  const refused: readonly (readonly [name: string, raw: unknown, code: string])[] = [
    ['an unknown iss', { ...all, iss: 'https://evil.example.com' }, 'token_issuer_unknown'],
    ['an iss that is null', { ...all, iss: null }, 'token_issuer_unknown'],
    ['an iss in an array', { ...all, iss: [issuerName] }, 'token_issuer_unknown'],
    ['an iss named __proto__', { ...all, iss: '__proto__' }, 'token_issuer_unknown'],
    ['no sub', { iss: issuerName }, 'token_claim_missing'],
    ['an empty sub', { sub: '' }, 'token_claim_missing'],
    ['a sub that is a number', { sub: 7 }, 'token_claim_missing'],
    ['nothing', {}, 'token_claim_missing'],
    ['null for claims', null, 'token_malformed'],
  ]
  test.each(refused)('with %s are refused', async (_, raw, code) => {
    expect(await read(raw)).toMatchObject({ ok: false, code })
  })

  test('are refused where no issuer is configured', async () => {
    const nobody = createAuthenticator({ issuers: [] })
    expect(await nobody.authenticate({ kind: 'claims', claims: { sub: 'a' } })).toMatchObject({
      code: 'token_issuer_unknown',
    })
  })
})

describe('a remembered token', () => {
  const at = (ms: number) => {
    const clock = { ms }
    const authenticator = createAuthenticator({ issuers: [issuer], now: () => clock.ms })
    return { clock, outcome: (text = token) => authenticator.authenticate({ kind: 'token', token: text }) }
  }

  test('gives the very subject that was verified, also to those who ask at the same time', async () => {
    const { outcome } = at(nowMs)
    const together = await Promise.all(Array.from({ length: 20 }, () => outcome()))
    const subjects = new Set([...together, await outcome()].map((each) => each.ok && each.subject))
    expect(subjects.size).toBe(1)
    expect([...subjects][0]).toMatchObject({ id: 'alice' })
  })

  test('ends with its exp and the tolerance, to the millisecond', async () => {
    const { clock, outcome } = at(nowMs)
    expect((await outcome()).ok).toBe(true)
    clock.ms = (now + 305) * 1000 - 1
    expect((await outcome()).ok).toBe(true)
    clock.ms = (now + 305) * 1000
    expect(await outcome()).toMatchObject({ ok: false, code: 'token_expired' })
  })

  test('is not valid yet when the clock is set back', async () => {
    const { clock, outcome } = at(nowMs)
    expect((await outcome()).ok).toBe(true)
    clock.ms = nowMs - 60_000
    expect(await outcome()).toMatchObject({ ok: false, code: 'token_not_yet_valid' })
  })

  test('is accepted once it is valid: a refusal is not remembered', async () => {
    const { clock, outcome } = at(nowMs)
    const later = craft(header, claims({ nbf: now + 60 }), sign)
    expect(await outcome(later)).toMatchObject({ ok: false, code: 'token_not_yet_valid' })
    clock.ms = nowMs + 60_000
    expect((await outcome(later)).ok).toBe(true)
  })

  test('does not lend its subject to a token with another signature', async () => {
    const { outcome } = at(nowMs)
    expect((await outcome()).ok).toBe(true)
    const forged = `${token.slice(0, token.lastIndexOf('.'))}.${encode(Buffer.alloc(256, 1))}`
    expect(await outcome(forged)).toMatchObject({ ok: false, code: 'token_signature' })
  })
})

describe('an authenticator is refused', () => {
  const cases: readonly (readonly [name: string, make: () => unknown, message: RegExp])[] = [
    ['with one issuer twice', () => createAuthenticator({ issuers: [issuer, issuer] }), /configured twice/],
    ['with keys that are no JWK Set', () => create({ kind: 'jwks', jwks: [] }), /expected a jwk set/],
    [
      'with a member of keys that is no object',
      () => create({ kind: 'jwks', jwks: { keys: ['x'] } }),
      /to be an object/,
    ],
    ['with an empty secret', () => create({ kind: 'secret', secret: new Uint8Array() }), /not empty/],
    [
      'with keys over http from elsewhere',
      () => create({ kind: 'url', url: 'http://sso.example.com/keys' }),
      /expected https/,
    ],
    [
      'with a host that only looks like loopback',
      () => create({ kind: 'url', url: 'http://127.0.0.1.example.com/' }),
      /expected https/,
    ],
    [
      'with keys from a file address',
      () => create({ kind: 'url', url: 'file:///etc/keys' }),
      /expected an https address/,
    ],
    ['with keys from no address', () => create({ kind: 'url', url: 'keys' }), /expected an https address/],
    [
      'with a password in the address',
      () => create({ kind: 'url', url: 'https://a:b@sso.example.com/' }),
      /without user/,
    ],
    [
      'with discovery at an issuer that is no address',
      () => createAuthenticator({ issuers: [{ ...issuer, issuer: 'mcp', keys: { kind: 'discovery' } }] }),
      /expected an https address/,
    ],
    [
      'with a claim path that does not parse',
      () => createAuthenticator({ issuers: [{ ...issuer, claims: { subject: '', grants: [], roles: [] } }] }),
      /claim path/,
    ],
  ]
  test.each(cases)('%s', (_, make, message) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })
})

describe('an authenticator is made', () => {
  test.each(['https://sso.example.com/keys', 'http://localhost:1/keys', 'http://127.1.2.3/keys', 'http://[::1]:1/'])(
    'for keys at %s',
    (url) => {
      expect(create({ kind: 'url', url }).ready()).toBe(false)
    },
  )

  test('for keys over http from elsewhere where that is allowed', () => {
    const keys = { kind: 'url', url: 'http://sso.example.com/keys' } as const
    const refuse = () => Promise.reject(new Error('no network'))
    const authenticator = createAuthenticator({ issuers: [{ ...issuer, keys }], allowHttp: true, fetch: refuse })
    expect(authenticator.ready()).toBe(false)
  })
})

const trusting = createAuthenticator({ issuers: [issuer], now: () => nowMs })

describe('nothing that is made up', () => {
  const text = fc.string({ unit: 'binary' })
  const part = fc.oneof(
    text.map(encode),
    fc.json().map(encode),
    fc.constantFrom(encode(header), encode({ alg: 'ES256', kid: 'ec' }), encode(claims()), ''),
    fc.base64String(),
  )

  test('is accepted or makes authenticate reject: any text', async () => {
    await fc.assert(fc.asyncProperty(text, (made) => refused({ kind: 'token', token: made })))
  })

  test('is accepted or makes authenticate reject: any values of the header', async () => {
    const value = fc.oneof(
      text,
      text.map((made) => `Bearer ${made}`),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 3 }), (values) => refused({ kind: 'authorization', values })),
    )
  })

  test('is accepted or makes authenticate reject: any parts of a token', async () => {
    const made = fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('.'))
    await fc.assert(
      fc.asyncProperty(made, (each) => refused({ kind: 'token', token: each })),
      { numRuns: 500 },
    )
  })

  test('is accepted or makes authenticate reject: a good token with one letter changed', async () => {
    const place = fc.nat({ max: token.length - 1 })
    const letter = fc.oneof(fc.constantFrom(...'ABCabc012-_.=+/'), fc.string({ minLength: 1, maxLength: 1 }))
    await fc.assert(
      fc.asyncProperty(place, letter, async (at, other) => {
        fc.pre(token[at] !== other)
        await refused({ kind: 'token', token: token.slice(0, at) + other + token.slice(at + 1) })
      }),
      { numRuns: 500 },
    )
  })

  test('is accepted or makes authenticate reject: a good token cut anywhere', async () => {
    const place = fc.nat({ max: token.length - 1 })
    await fc.assert(fc.asyncProperty(place, (end) => refused({ kind: 'token', token: token.slice(0, end) })))
  })
})

describe('a credential', () => {
  test('of a kind that is no token is refused', async () => {
    const values = [token]
    const kinds = [{ kind: 'anonymous' }, { kind: 'capability', values }, { kind: 'authorized-tools', values }] as const
    for (const made of kinds) {
      expect(await trusting.authenticate(made)).toMatchObject({ ok: false, code: 'token_missing' })
    }
  })

  test('of no kind at all is refused, and does not make authenticate reject', async () => {
    for (const made of [undefined, null, 7, {}, { kind: 'token' }, { kind: 'authorization', values: [7] }]) {
      await refused(made as unknown as Credential)
    }
  })
})

function create(keys: Parameters<typeof createAuthenticator>[0]['issuers'][number]['keys']) {
  const fetch = () => Promise.reject(new Error('no network'))
  return createAuthenticator({ issuers: [{ ...issuer, keys }], fetch })
}

async function refused(credential: Credential): Promise<void> {
  const outcome: Authentication = await trusting.authenticate(credential)
  expect(outcome).toEqual({
    ok: false,
    code: expect.stringMatching(/^token_/),
    detail: expect.stringMatching(/^expected /),
  })
}
