import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { createCheck } from '../../src/envoy/check.ts'
import { createGate } from '../../src/gateway/gate.ts'
import { createGatewayTokens } from '../../src/gateway/tokens.ts'
import { createGuard } from '../../src/guard/index.ts'
import { allow, strict } from '../envoy/authorizers.ts'
import { headersOf, post, statusCode } from '../envoy/messages.ts'
import { makePlace, type Place } from '../guard/place.ts'
import { craft, ecKeys, hmacSigner, signer } from '../identity/tokens.ts'
import { type Answer, type Asked, type Lines, openReplica, type Replica } from './doors.ts'
import { memory, routerClaims, sessionClaims, signed, signingKey } from './tokens.ts'

const doors = ['grpc', 'guard'] as const
const host = 'alpha.upstream.test'
const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params: {} }

let place: Place
let bearer: string
let replica: Replica
let another: Replica

beforeAll(async () => {
  place = await makePlace({ more: { gateway: { backendInit: true } } })
  bearer = await place.token('alice', { roles: ['meteorologist'] })
  const once = memory()
  replica = await openReplica(place, once)
  another = await openReplica(place, once)
})
afterAll(async () => {
  await replica.close()
  await another.close()
  await place.remove()
})

const json: Lines = [['content-type', 'application/json']]
const credential = (): Lines => [...json, ['authorization', `Bearer ${bearer}`]]

/** A router's own `initialize`. */
function opening(key: string, to = host): Lines {
  return [
    ['mcp-init-host', to],
    ['router-key', key],
  ]
}

async function ask(door: (typeof doors)[number], asked: Partial<Asked>, at: Replica = replica): Promise<Answer> {
  const { lines = [], message = initialize, ...rest } = asked
  return await at[door]({ ...rest, message, lines: [...credential(), ...lines] })
}

const now = (): number => Math.floor(Date.now() / 1000)
const changed = (changes: Record<string, unknown>): Lines => opening(signed(routerClaims(changes)))
const es256 = ecKeys('P-256')

/** Lines of headers that must not open a session with a backend, made when they are sent, and the code they get. */
type Attack = readonly [name: string, lines: () => Lines, code: string]

const attacks: readonly Attack[] = [
  ['no router key', () => [['mcp-init-host', host]], 'header_forbidden'],
  ['an empty router key', () => opening(''), 'router_key_invalid'],
  ['the static key of old', () => opening('secret-api-key'), 'router_key_invalid'],
  [
    'a token without a signature',
    () => opening(`${signed(routerClaims()).replace(/[^.]*$/, '')}`),
    'router_key_invalid',
  ],
  ['algorithm none', () => opening(signed(routerClaims(), { alg: 'none' })), 'router_key_invalid'],
  [
    'algorithm nOnE, unsigned',
    () => opening(craft({ alg: 'nOnE' }, routerClaims(), () => Buffer.alloc(0))),
    'router_key_invalid',
  ],
  [
    'algorithm ES256',
    () => opening(craft({ alg: 'ES256' }, routerClaims(), signer('ES256', es256.privateKey))),
    'router_key_invalid',
  ],
  [
    'algorithm HS512',
    () => opening(craft({ alg: 'HS512' }, routerClaims(), hmacSigner(signingKey, 'HS512'))),
    'router_key_invalid',
  ],
  ['no algorithm', () => opening(signed(routerClaims(), { typ: 'JWT' })), 'router_key_invalid'],
  ['another type', () => opening(signed(routerClaims(), { alg: 'HS256', typ: 'at+jwt' })), 'router_key_invalid'],
  [
    'a critical parameter',
    () => opening(signed(routerClaims(), { alg: 'HS256', crit: ['x'], x: 1 })),
    'router_key_invalid',
  ],
  [
    'another key',
    () => opening(craft({ alg: 'HS256' }, routerClaims(), hmacSigner('x'.repeat(48)))),
    'router_key_invalid',
  ],
  ['the empty key', () => opening(craft({ alg: 'HS256' }, routerClaims(), hmacSigner(''))), 'router_key_invalid'],
  [
    'a key of its own in the header',
    () => opening(craft({ alg: 'HS256', jwk: { kty: 'oct', k: 'eA' } }, routerClaims(), hmacSigner('x'))),
    'router_key_invalid',
  ],
  ['another issuer', () => changed({ iss: 'mcp-authz' }), 'router_key_invalid'],
  ['no issuer', () => changed({ iss: undefined }), 'router_key_invalid'],
  [
    'a session of the gateway',
    () => opening(signed(sessionClaims({ purpose: 'backend-init', host }))),
    'router_key_invalid',
  ],
  ['a bearer token', () => opening(bearer), 'router_key_invalid'],
  ['two audiences', () => changed({ aud: ['mcp-router', 'mcp-gateway'] }), 'router_key_invalid'],
  ['no audience', () => changed({ aud: undefined }), 'router_key_invalid'],
  ['another purpose', () => changed({ purpose: 'session' }), 'router_key_invalid'],
  ['no purpose', () => changed({ purpose: undefined }), 'router_key_invalid'],
  ['a list of purposes', () => changed({ purpose: ['backend-init'] }), 'router_key_invalid'],
  ['a key for another host', () => changed({ host: 'beta.upstream.test' }), 'router_key_invalid'],
  ['a key for no host', () => changed({ host: undefined }), 'router_key_invalid'],
  ['a key for every host', () => changed({ host: '*' }), 'router_key_invalid'],
  ['a key for a list of hosts', () => changed({ host: [host] }), 'router_key_invalid'],
  ['no id', () => changed({ jti: undefined }), 'router_key_invalid'],
  ['an empty id', () => changed({ jti: '' }), 'router_key_invalid'],
  ['an id that is no string', () => changed({ jti: 7 }), 'router_key_invalid'],
  ['no end', () => changed({ exp: undefined }), 'router_key_invalid'],
  ['an end that is text', () => changed({ exp: String(now() + 30) }), 'router_key_invalid'],
  ['no time of issue', () => changed({ iat: undefined }), 'router_key_invalid'],
  ['a life of 31 seconds', () => changed({ exp: now() + 31 }), 'router_key_invalid'],
  [
    'a life of a day, told as issued then',
    () => changed({ iat: now() + 86_400, nbf: now(), exp: now() + 86_430 }),
    'router_key_invalid',
  ],
  ['issued far in the future', () => opening(signed(routerClaims({}, now() + 60))), 'router_key_invalid'],
  ['issued later than it is valid', () => changed({ iat: now() + 20, nbf: now() }), 'router_key_invalid'],
  ['not valid yet', () => changed({ nbf: now() + 20 }), 'router_key_invalid'],
  ['ended before it was issued', () => changed({ exp: now() - 1 }), 'router_key_invalid'],
  ['ended a second beyond the tolerance', () => opening(signed(routerClaims({}, now() - 36))), 'router_key_invalid'],
  [
    'a claim twice',
    () => opening(signed(JSON.stringify(routerClaims()).replace('{', '{"host":"x",'))),
    'router_key_invalid',
  ],
  ['base64url with padding', () => opening(`${signed(routerClaims())}=`), 'router_key_invalid'],
  ['100 kB of router key', () => opening('a'.repeat(100_000)), 'router_key_invalid'],
  ['a long token that is signed', () => changed({ note: 'x'.repeat(8000) }), 'router_key_invalid'],
  ['two router keys, a good one first', () => [...changed({}), ['router-key', 'x']], 'router_key_invalid'],
  ['two router keys, a good one last', () => [['router-key', 'x'], ...changed({})], 'router_key_invalid'],
  [
    'the same router key twice',
    () => changed({}).flatMap((line) => (line[0] === 'router-key' ? [line, line] : [line])),
    'router_key_invalid',
  ],
  [
    'two router keys, joined',
    () => opening(`${signed(routerClaims())},${signed(routerClaims())}`),
    'router_key_invalid',
  ],
  ['two hosts, the right one first', () => [...changed({}), ['mcp-init-host', 'evil.test']], 'router_key_invalid'],
  ['two hosts, the right one last', () => [['mcp-init-host', 'evil.test'], ...changed({})], 'router_key_invalid'],
  ['two hosts, joined', () => opening(signed(routerClaims()), `${host}, evil.test`), 'router_key_invalid'],
  ['an empty host', () => opening(signed(routerClaims({ host: '' })), ''), 'router_key_invalid'],
  ['another host', () => opening(signed(routerClaims()), 'evil.test'), 'router_key_invalid'],
  ['a host with another port', () => opening(signed(routerClaims()), `${host}:8080`), 'router_key_invalid'],
  ['a host with a dot behind it', () => opening(signed(routerClaims()), `${host}.`), 'router_key_invalid'],
  ['a host behind a user', () => opening(signed(routerClaims()), `${host}@evil.test`), 'router_key_invalid'],
  [
    'a user before the host, signed so',
    () => opening(signed(routerClaims({ host: `a@${host}` })), `a@${host}`),
    'router_key_invalid',
  ],
  [
    'a path behind the host, signed so',
    () => opening(signed(routerClaims({ host: `${host}/x` })), `${host}/x`),
    'router_key_invalid',
  ],
  [
    'a host of 100 kB, signed so far as it goes',
    () => opening(signed(routerClaims({ host: 'a'.repeat(900) })), 'a'.repeat(900)),
    'router_key_invalid',
  ],
  [
    'a host with a letter that lower case makes ASCII',
    () => opening(signed(routerClaims({ host: 'k.test' })), '\xe2\x84\xaa.test'),
    'router_key_invalid',
  ],
  [
    'names of headers in capitals',
    () => [
      ['MCP-INIT-HOST', host],
      ['Router-Key', 'x'],
    ],
    'router_key_invalid',
  ],
]

/** Only Envoy can be sent these: web-standard headers do not take them. */
const envoyAlone: readonly Attack[] = [
  ['a line break in the host', () => opening(signed(routerClaims()), `${host}\r\nx: y`), 'router_key_invalid'],
  [
    'a line break in the host, signed so',
    () => opening(signed(routerClaims({ host: `${host}\n` })), `${host}\nx`),
    'router_key_invalid',
  ],
  ['a zero byte in the host', () => opening(signed(routerClaims()), `${host}\0`), 'router_key_invalid'],
]

describe.each(doors)('an attack on the hairpin through %s', (door) => {
  it.each(door === 'grpc' ? [...attacks, ...envoyAlone] : attacks)('is refused: %s', async (_, lines, code) => {
    const { outcome, status } = await ask(door, { lines: lines() })
    expect([outcome, status]).toEqual([code, 400])
  })

  it.each([
    ['another method', { message: { ...initialize, method: 'tools/list' } }],
    ['a call', { message: { ...initialize, method: 'tools/call', params: { name: 'weather_alerts' } } }],
    ['a notification', { message: { jsonrpc: '2.0', method: 'notifications/initialized' } }],
    ['a response', { message: { jsonrpc: '2.0', id: 1, result: {} } }],
    ['a method that differs in case', { message: { ...initialize, method: 'Initialize' } }],
    ['a stream', { method: 'GET', message: undefined }],
    ['the end of a session', { method: 'DELETE', message: undefined }],
  ])('is refused with a good router key on what is no initialize: %s', async (_, asked) => {
    const lines = [...credential(), ...changed({})]
    const { outcome, status } = await replica[door]({ ...asked, lines })
    expect([outcome, status]).toEqual(['header_forbidden', 400])
  })

  it('is refused where a router key is used again, in the same replica and in another', async () => {
    const lines = changed({})
    expect((await ask(door, { lines })).outcome).toBe('allow')
    expect((await ask(door, { lines })).outcome).toBe('router_key_invalid')
    expect((await ask(door, { lines }, another)).outcome).toBe('router_key_invalid')
    const other = door === 'grpc' ? 'guard' : 'grpc'
    expect((await ask(other, { lines }, another)).outcome).toBe('router_key_invalid')
  })

  it('passes one of many that use the same router key at once, in two replicas', async () => {
    const lines = changed({})
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(door, { lines }, index % 2 === 0 ? replica : another)),
    )
    const outcomes = answers.map(({ outcome }) => outcome).toSorted()
    expect(outcomes).toEqual(['allow', ...Array.from({ length: 19 }, () => 'router_key_invalid')])
  })

  it('is refused for its credential first, and a key that came with a bad one is not used up', async () => {
    const lines = changed({})
    const asked = { message: initialize, lines: [...json, ...lines] }
    expect((await replica[door](asked)).outcome).toBe('token_missing')
    const bad = { message: { ...initialize, jsonrpc: '1.0' }, lines: [...credential(), ...lines] }
    expect((await replica[door](bad)).outcome).toBe('body_malformed')
    expect((await ask(door, { lines })).outcome).toBe('allow')
  })

  it('opens nothing without mcp-init-host: a router key alone is removed, whatever it is', async () => {
    for (const lines of [[['router-key', 'x']], [['router-key', signed(routerClaims())]]] as const) {
      const { outcome, withheld } = await ask(door, { lines })
      expect([outcome, withheld('router-key')]).toEqual(['allow', true])
    }
  })
})

describe.each(doors)('a good router key through %s', (door) => {
  it.each<readonly [string, () => Lines]>([
    ['as Kuadrant writes it', () => changed({})],
    ['with a string as audience', () => changed({ aud: 'mcp-router' })],
    ['without nbf', () => changed({ nbf: undefined })],
    ['without a type in its header', () => opening(signed(routerClaims(), { alg: 'HS256' }))],
    ['that is as good as over', () => opening(signed(routerClaims({}, now() - 29)))],
    ['of a clock that is three seconds ahead', () => opening(signed(routerClaims({}, now() + 3)))],
    ['for a host in another case', () => opening(signed(routerClaims()), host.toUpperCase())],
    ['for a host with a port', () => opening(signed(routerClaims({ host: 'a.test:8080' })), 'a.test:8080')],
    ['for an IPv6 address', () => opening(signed(routerClaims({ host: '[::1]:80' })), '[::1]:80')],
    ['with names of headers in capitals', () => changed({}).map(([name, value]) => [name.toUpperCase(), value])],
    ['with blanks around', () => opening(`${signed(routerClaims())} `, ` ${host}`)],
  ])('lets an initialize pass once, without both headers: %s', async (_, lines) => {
    const { outcome, withheld } = await ask(door, { lines: lines() })
    expect([outcome, withheld('router-key'), withheld('mcp-init-host')]).toEqual(['allow', true, true])
  })
})

describe('a store of single uses that cannot say', () => {
  const failures: readonly (readonly [string, (() => Promise<boolean>) | undefined])[] = [
    ['is not there', undefined],
    ['rejects', () => Promise.reject(new Error('the store is away'))],
    [
      'throws',
      () => {
        throw new Error('the store is away')
      },
    ],
    ['answers nothing', () => Promise.resolve(undefined as unknown as boolean)],
    ['says yes in its own way', () => Promise.resolve('OK' as unknown as boolean)],
    ['never answers', () => new Promise(() => undefined)],
  ]

  it.each(failures)('is a denial, and a good key opens nothing: one that %s', async (_, once) => {
    const frozen = await openReplica(place, once)
    for (const door of doors) {
      const answer = await Promise.race([ask(door, { lines: changed({}) }, frozen), sleep(5000)])
      expect(answer).toMatchObject({ outcome: 'state_unavailable', status: 503 })
    }
    expect(frozen.faults.map(([code]) => code)).toEqual(['state_unavailable', 'state_unavailable'])
    await frozen.close()
  })

  it('is not asked about a key that does not verify', async () => {
    const asked: string[] = []
    const counting = await openReplica(place, async (key) => asked.push(key) > 0)
    for (const door of doors) await ask(door, { lines: changed({ host: 'beta.upstream.test' }) }, counting)
    expect(asked).toEqual([])
    await counting.close()
  })

  it('is asked to remember a digest, for longer than any clock could take the key again', async () => {
    const asked: (readonly [string, number])[] = []
    const remembering = await openReplica(place, async (...about) => asked.push(about) > 0)
    const exp = now() + 30
    await ask('grpc', { lines: changed({ exp, jti: 'the-id' }) }, remembering)
    expect(asked).toEqual([[expect.stringMatching(/^backend-init:[\w-]{43}$/), expect.any(Number)]])
    expect(asked[0]?.[0]).not.toContain('the-id')
    expect(asked[0]?.[1]).toBeGreaterThanOrEqual(exp + 60)
    await remembering.close()
  })
})

describe('where gateway.backendInit is off', () => {
  it.each(doors)('mcp-init-host is refused through %s, whatever comes with it', async (door) => {
    const off = await makePlace({ more: { gateway: { backendInit: false } } })
    const closed = await openReplica(off, memory())
    const own = await off.token('alice')
    for (const lines of [[['mcp-init-host', host]], changed({})] as const) {
      const sent: Lines = [...json, ['authorization', `Bearer ${own}`], ...lines]
      expect((await closed[door]({ message: initialize, lines: sent })).outcome).toBe('header_forbidden')
    }
    await closed.close()
    await off.remove()
  })
})

describe('an authorizer that allows without asking what speaks against a router key', () => {
  const heedless: Authorizer = {
    authorize: async (attempt) => allow(attempt),
    capabilities: () => Promise.reject(new Error('was asked')),
    visible: () => Promise.reject(new Error('was asked')),
  }
  const tokens = createGatewayTokens({ signingKey, once: memory() })
  const gate = createGate({ tokens, backendInit: true, sessions: false })
  const headers = { 'content-type': 'application/json', 'mcp-init-host': host, 'router-key': 'secret-api-key' }

  it('is not obeyed by the Envoy door', async () => {
    const reply = await createCheck({ authorizer: heedless, read: strict, gate })(post(initialize, { headers }))
    expect([statusCode(reply), headersOf(reply)]).toEqual([7, { 'content-type': 'application/json' }])
  })

  it('is not obeyed by the guard', async () => {
    const guard = await createGuard({ authorizer: heedless, gate })
    let reached = false
    const guarded = guard.fetch(async () => {
      reached = true
      return new Response()
    })
    const body = JSON.stringify(initialize)
    const { status } = await guarded(new Request('http://mcp.test/mcp', { method: 'POST', headers, body }))
    expect([status, reached]).toEqual([503, false])
  })
})
