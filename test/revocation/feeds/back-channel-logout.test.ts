import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { addBackChannelLogoutRoute } from '../../../src/http/back-channel-logout.ts'
import { createAuthenticator } from '../../../src/identity/authenticator.ts'
import type { IssuerOptions } from '../../../src/identity/options.ts'
import {
  type BackChannelLogout,
  type BackChannelLogoutOptions,
  createBackChannelLogout,
  type LogoutAnswer,
} from '../../../src/revocation/feeds/back-channel-logout.ts'
import {
  craft,
  ecKeys,
  hmacSigner,
  issuerName,
  issuerOptions,
  jwkOf,
  now,
  nowMs,
  rsaKeys,
  type Signer,
  signer,
} from '../../identity/tokens.ts'
import { type RecordingRevoker, recordingRevoker } from './orders.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
const pair = ecKeys('P-256')
const rsa = rsaKeys()
const stranger = ecKeys('P-256')
const trusted = issuerOptions([jwkOf(pair, { kid: 'k' }), jwkOf(rsa, { kid: 'r', alg: 'RS256' })], {
  backChannelLogout: { audiences: ['mcp-cli', 'mcp-web'] },
})
const form = 'application/x-www-form-urlencoded'

/** What an issuer says of a logout; undefined leaves a claim out. */
function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const said = {
    iss: issuerName,
    aud: 'mcp-cli',
    iat: now - 1,
    exp: now + 119,
    jti: 'logout-1',
    sub: 'alice',
    sid: 'session-1',
    events: { [event]: {} },
    ...changes,
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

function token(changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by?: Signer): string {
  const head = { alg: 'ES256', kid: 'k', typ: 'logout+jwt', ...header }
  const kept = Object.fromEntries(Object.entries(head).filter(([, value]) => value !== undefined))
  return craft(kept, claims(changes), by ?? signer('ES256', pair.privateKey))
}

interface Place {
  readonly logOut: BackChannelLogout
  readonly revoker: RecordingRevoker
  readonly refusals: string[]
  /** Sends a token as a provider does. */
  send(compact: string): Promise<LogoutAnswer>
}

function open(issuers: readonly IssuerOptions[] = [trusted], changes: Partial<BackChannelLogoutOptions> = {}): Place {
  const authenticator = createAuthenticator({ issuers, now: () => nowMs })
  onTestFinished(() => authenticator.close())
  const revoker = recordingRevoker()
  const refusals: string[] = []
  const used = new Set<string>()
  const logOut = createBackChannelLogout({
    verify: authenticator.statement,
    revoker,
    once: async (key) => used.size !== used.add(key).size,
    now: () => nowMs,
    onRefused: (detail) => void refusals.push(detail),
    ...changes,
  })
  return { logOut, revoker, refusals, send: (compact) => logOut(form, formOf(compact)) }
}

function formOf(compact: string): Buffer {
  return Buffer.from(new URLSearchParams({ logout_token: compact }).toString())
}

describe('a logout token', () => {
  it('with a session ends that session, whenever its tokens were issued', async () => {
    const { send, revoker } = open()
    expect(await send(token())).toEqual({ status: 200, headers: { 'cache-control': 'no-store' }, body: '' })
    const of = { kind: 'session', session: 'session-1', issuer: issuerName }
    expect(revoker.orders).toEqual([{ target: { of }, reason: 'back-channel logout', id: expect.any(String) }])
  })

  it('with a subject alone ends what was issued to it until then', async () => {
    const { send, revoker } = open()
    expect((await send(token({ sid: undefined, iat: now - 1.5 }))).status).toBe(200)
    const of = { kind: 'subject', subject: 'alice', issuer: issuerName }
    expect(revoker.orders).toMatchObject([{ target: { of }, before: now - 1 }])
  })

  const good: readonly (readonly [string, string])[] = [
    ['a session alone', token({ sub: undefined })],
    ['the audience among others', token({ aud: ['crm', 'mcp-web'] })],
    ['the type `JWT`', token({}, { typ: 'JWT' })],
    ['the type with its prefix', token({}, { typ: 'application/LOGOUT+jwt' })],
    ['no type', token({}, { typ: undefined })],
    ['the claim `typ` of Keycloak', token({ typ: 'Logout' })],
    ['an event with members of its own', token({ events: { [event]: { why: 'idle' } } })],
    ['another algorithm of the issuer', token({}, { alg: 'RS256', kid: 'r' }, signer('RS256', rsa.privateKey))],
    ['a clock that is ahead as far as is granted', token({ iat: now + 5, nbf: now + 5 })],
    ['an end that has passed as far as is granted', token({ exp: now - 4 })],
    ['an issue as long ago as is granted', token({ iat: now - 600 })],
  ]
  it.each(good)('is taken with %s', async (_, compact) => {
    const { send, revoker, refusals } = open()
    expect([(await send(compact)).status, refusals]).toEqual([200, []])
    expect(revoker.orders).toHaveLength(1)
  })

  it('names the same order to every process that is sent it', async () => {
    const [one, other] = [open(), open()]
    await one.send(token())
    await other.send(token())
    expect(one.revoker.orders).toEqual(other.revoker.orders)
  })
})

/** What is wrong with a token, the token, and the reason that is logged. */
const bad: readonly (readonly [string, string, string])[] = [
  ['no JWT', 'hello', 'expected three parts'],
  ['four parts', `${token()}.x`, 'expected three parts'],
  ['a padded part', token().replace('.', '=.'), 'canonical base64url'],
  ['no signature', `${token().split('.').slice(0, 2).join('.')}.`, 'expected a signature'],
  ['the algorithm `none`', token({}, { alg: 'none' }, () => Buffer.alloc(0)), 'expected `alg`'],
  ['the algorithm `NonE`', token({}, { alg: 'NonE' }, () => Buffer.alloc(0)), 'expected `alg`'],
  [
    'an HMAC with the public key',
    token({}, { alg: 'HS256' }, hmacSigner(JSON.stringify(jwkOf(pair)))),
    'expected `alg`',
  ],
  ['an algorithm that the issuer has not', token({}, { alg: 'ES512' }), 'expected `alg`'],
  ["somebody else's signature", token({}, {}, signer('ES256', stranger.privateKey)), 'expected a signature'],
  [
    'a key of its own',
    token({}, { kid: undefined, jwk: jwkOf(stranger) }, signer('ES256', stranger.privateKey)),
    'expected a signature',
  ],
  ['a key nobody has', token({}, { kid: 'x' }), 'expected `kid`'],
  ['a critical extension', token({}, { crit: ['b64'], b64: false }), 'expected no header parameter'],
  ['another issuer', token({ iss: 'https://evil.example' }), 'expected `iss`'],
  ['no issuer', token({ iss: undefined }), 'expected `iss`'],
  ['the issuer with a slash', token({ iss: `${issuerName}/` }), 'expected `iss`'],
  ['the audience of access tokens', token({ aud: 'mcp-gateway' }), 'expected `aud`'],
  ['no audience', token({ aud: undefined }), 'expected `aud`'],
  ['an audience that is no text', token({ aud: ['mcp-cli', 7] }), 'expected `aud`'],
  ['an empty audience', token({ aud: [] }), 'expected `aud`'],
  ['the type of access tokens', token({}, { typ: 'at+jwt' }), 'header `typ`'],
  ['a type that is null', token({}, { typ: null }), 'header `typ`'],
  ['a type that only begins well', token({}, { typ: 'logout+jwt2' }), 'header `typ`'],
  ['the claim `typ` of access tokens', token({ typ: 'Bearer' }), 'claim `typ`'],
  ['the claim `typ` of ID tokens', token({ typ: 'ID' }), 'claim `typ`'],
  ['a claim `typ` that is null', token({ typ: null }), 'claim `typ`'],
  ['no end', token({ exp: undefined }), 'expected `exp`'],
  ['an end that has passed', token({ exp: now - 5 }), 'expected `exp`'],
  ['an end beyond every lifetime', token({ exp: now + 86401 }), 'expected `exp`'],
  ['an end that is text', token({ exp: String(now + 100) }), 'expected `exp`'],
  ['no issue time', token({ iat: undefined }), 'expected `iat`'],
  ['an issue time to come', token({ iat: now + 6 }), '`iat`'],
  ['an issue time long ago', token({ iat: now - 606 }), 'expected `iat` to be recent'],
  ['a time before which it does not count', token({ nbf: now + 6 }), '`nbf`'],
  ['no events', token({ events: undefined }), 'expected `events`'],
  ['another event', token({ events: { 'https://schemas.example/event/login': {} } }), 'expected `events`'],
  ['a second event', token({ events: { [event]: {}, 'https://schemas.example/x': {} } }), 'nothing but a logout'],
  ['an event that is no object', token({ events: { [event]: true } }), 'expected `events`'],
  ['an event that is a list', token({ events: { [event]: [] } }), 'expected `events`'],
  ['events that are a list', token({ events: [event] }), 'expected `events`'],
  ['events that are text', token({ events: event }), 'expected `events`'],
  ['a nonce, as an ID token has', token({ nonce: 'n' }), 'expected no `nonce`'],
  ['a nonce that is null', token({ nonce: null }), 'expected no `nonce`'],
  ['neither session nor subject', token({ sid: undefined, sub: undefined }), 'expected `sid` or `sub`'],
  ['a session that is no text beside a subject', token({ sid: 7 }), 'expected `sid` or `sub`'],
  ['a session that is empty', token({ sid: '' }), 'expected `sid` or `sub`'],
  ['a subject that is null', token({ sub: null }), 'expected `sid` or `sub`'],
  ['no id', token({ jti: undefined }), 'expected `jti`'],
  ['an id that is empty', token({ jti: '' }), 'expected `jti`'],
  ['an id that is a number', token({ jti: 1 }), 'expected `jti`'],
  ['a claim twice', doubled(), 'expected the payload'],
]

describe('what is no logout token', () => {
  it.each(bad)('is refused with %s, and nobody is told what it held', async (_, compact, detail) => {
    const { send, revoker, refusals } = open()
    const answer = await send(compact)
    expect(answer).toEqual({
      status: 400,
      headers: { 'cache-control': 'no-store', 'content-type': 'application/json' },
      body: '{"error":"invalid_request"}',
    })
    expect(revoker.calls).toBe(0)
    expect(refusals).toEqual([expect.stringContaining(detail)])
    for (const word of ['alice', 'session-1', 'evil', compact]) expect(refusals[0]).not.toContain(word)
  })

  it('is refused where it comes from an issuer that logout is not taken from', async () => {
    const { backChannelLogout: _, ...others } = trusted
    for (const issuer of [others, { ...trusted, backChannelLogout: { audiences: [] } }]) {
      const { send, revoker } = open([issuer])
      expect((await send(token())).status).toBe(400)
      expect(revoker.calls).toBe(0)
    }
  })

  it('is refused the second time, which changes nothing', async () => {
    const { send, revoker, refusals } = open()
    expect([(await send(token())).status, (await send(token())).status]).toEqual([200, 400])
    expect(revoker.orders).toHaveLength(1)
    expect(refusals).toEqual(['expected a `jti` that was not used before'])
  })

  it('is said once for each cause, and again after a good one', async () => {
    const { send, refusals } = open()
    for (const compact of ['x', 'x', token(), 'x']) await send(compact)
    expect(refusals).toHaveLength(2)
  })

  it('is said once for each cause, in whatever order they come', async () => {
    const { send, refusals } = open()
    for (let turn = 0; turn < 5; turn += 1) for (const compact of ['x', token({ jti: 7 })]) await send(compact)
    expect(refusals).toHaveLength(2)
  })
})

function doubled(): string {
  const payload = JSON.stringify(claims()).replace('{', '{"sub":"root",')
  return craft({ alg: 'ES256', kid: 'k', typ: 'logout+jwt' }, payload, signer('ES256', pair.privateKey))
}

describe('a body', () => {
  const compact = token()
  const bodies: readonly (readonly [string, string | undefined, string | Uint8Array])[] = [
    ['of JSON', 'application/json', JSON.stringify({ logout_token: compact })],
    ['without a type', undefined, formOf(compact)],
    ['of a type that begins alike', `${form}2`, formOf(compact)],
    ['that is empty', form, ''],
    ['with an empty token', form, 'logout_token='],
    ['with two tokens', form, `logout_token=${compact}&logout_token=${compact}`],
    ['with the token under another name', form, `token=${compact}`],
    ['that is no text', form, new Uint8Array([0xff, 0xfe, 0x00])],
  ]
  it.each(bodies)('%s is refused', async (_, contentType, body) => {
    const { logOut, revoker } = open()
    expect((await logOut(contentType, Buffer.from(body))).status).toBe(400)
    expect(revoker.calls).toBe(0)
  })

  it('with a type in other letters and a parameter, and further fields, is taken', async () => {
    const { logOut } = open()
    const body = Buffer.from(`state=x&logout_token=${compact}`)
    expect((await logOut('Application/X-WWW-Form-Urlencoded; charset=utf-8', body)).status).toBe(200)
  })

  it('of more than 64 KiB is refused before it is looked at', async () => {
    const { logOut, refusals } = open()
    expect((await logOut(form, Buffer.alloc(64 * 1024 + 1, 'a'))).status).toBe(413)
    expect(refusals).toEqual([])
  })

  it('whatever it is, is answered and takes nothing away', async () => {
    const { logOut, revoker } = open()
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.uint8Array({ maxLength: 2000 }), async (type, body) => {
        expect((await logOut(type, body)).status).toBe(400)
        expect((await logOut(form, body)).status).toBe(400)
        expect(
          (await logOut(form, Buffer.from(`logout_token=${Buffer.from(body).toString('base64url')}`))).status,
        ).toBe(400)
      }),
      { numRuns: 200 },
    )
    expect(revoker.calls).toBe(0)
  })
})

describe('a logout that cannot be kept', () => {
  it('is answered so that the provider tries again, and is taken then', async () => {
    const { send, revoker } = open()
    revoker.fail = true
    expect(await send(token())).toMatchObject({ status: 503, headers: { 'cache-control': 'no-store' } })
    revoker.fail = false
    expect((await send(token())).status).toBe(200)
    expect(revoker.orders).toHaveLength(1)
  })

  it('is one also where nobody can say whether it is the first', async () => {
    const once = async (): Promise<boolean> => {
      throw new Error('no connection')
    }
    const { send, revoker } = open([trusted], { once })
    expect((await send(token())).status).toBe(503)
    // It is in force all the same: that is never wrong.
    expect(revoker.orders).toHaveLength(1)
  })

  it('is one while the keys of the issuer cannot be had', async () => {
    const keys = { kind: 'url', url: 'http://127.0.0.1:1/keys' } as const
    const { send, revoker } = open([{ ...trusted, keys }])
    expect((await send(token())).status).toBe(503)
    expect(revoker.calls).toBe(0)
  })
})

describe('a log that fails', () => {
  it('keeps nobody from being answered', async () => {
    const onRefused = (): never => {
      throw new Error('no log')
    }
    const { send } = open([trusted], { onRefused })
    expect([(await send('x')).status, (await send(token())).status]).toEqual([400, 200])
  })
})

describe('POST /backchannel-logout', () => {
  async function serve(): Promise<{ readonly url: string; readonly place: Place }> {
    const place = open()
    const app = express()
    addBackChannelLogoutRoute(app, place.logOut)
    const server = createServer(app).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/backchannel-logout`, place }
  }

  it('takes a logout token', async () => {
    const { url, place } = await serve()
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams({ logout_token: token() }) })
    expect([response.status, response.headers.get('cache-control'), await response.text()]).toEqual([
      200,
      'no-store',
      '',
    ])
    expect(place.revoker.orders).toHaveLength(1)
  })

  it('says no more of a bad one than the specification has it', async () => {
    const { url } = await serve()
    const response = await fetch(url, { method: 'POST', body: new URLSearchParams({ logout_token: 'x' }) })
    expect([response.status, response.headers.get('cache-control')]).toEqual([400, 'no-store'])
    expect(await response.json()).toEqual({ error: 'invalid_request' })
  })

  it('refuses a body of more than 64 KiB, and one that is packed', async () => {
    const { url, place } = await serve()
    const large = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': form },
      body: 'a'.repeat(64 * 1024 + 1),
    })
    expect([large.status, large.headers.get('cache-control')]).toEqual([413, 'no-store'])
    const headers = { 'content-type': form, 'content-encoding': 'gzip' }
    expect((await fetch(url, { method: 'POST', headers, body: Buffer.alloc(10) })).status).toBe(400)
    expect(place.revoker.calls).toBe(0)
  })

  it('is nothing for other methods', async () => {
    const { url } = await serve()
    expect((await fetch(`${url}?logout_token=${token()}`)).status).toBe(404)
  })
})
