import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGatewayTokens } from '../../src/gateway/tokens.ts'
import { makePlace, type Place } from '../guard/place.ts'
import { craft, hmacSigner } from '../identity/tokens.ts'
import { type Answer, type Lines, openReplica, type Replica } from './doors.ts'
import { memory, routerClaims, sessionClaims, signed, signingKey } from './tokens.ts'

const doors = ['grpc', 'guard'] as const

let place: Place
let bearer: string
let replica: Replica

beforeAll(async () => {
  place = await makePlace({
    profile: 'kuadrant',
    mcp: { batches: true },
    more: { gateway: { sessions: true, backendInit: true } },
  })
  bearer = await place.token('alice', { roles: ['meteorologist'] })
  replica = await openReplica(place, memory())
})
afterAll(async () => {
  await replica.close()
  await place.remove()
})

const json: Lines = [['content-type', 'application/json']]
const toBroker: Lines = [['x-mcp-servername', 'mcpBroker']]
const session = (value: string): Lines => [['mcp-session-id', value]]
const good = (): string => signed(sessionClaims())
const now = (): number => Math.floor(Date.now() / 1000)

function rpc(method: string, params: object = {}): object {
  return { jsonrpc: '2.0', id: 1, method, params }
}

async function ask(door: (typeof doors)[number], lines: Lines, message: unknown = rpc('tools/list')): Promise<Answer> {
  return await replica[door]({ message, lines: [...json, ['authorization', `Bearer ${bearer}`], ...lines] })
}

const bad: readonly (readonly [string, () => Lines])[] = [
  ['none', () => []],
  ['an empty one', () => session('')],
  ['one that is no token', () => session('3f1c8f0e-6f0f-4f4e-9f7e-6f5b9d1c2a3b')],
  ['algorithm none', () => session(craft({ alg: 'none' }, sessionClaims(), () => Buffer.alloc(0)))],
  ['another algorithm', () => session(craft({ alg: 'HS384' }, sessionClaims(), hmacSigner(signingKey, 'HS384')))],
  ['another key', () => session(craft({ alg: 'HS256' }, sessionClaims(), hmacSigner('x'.repeat(48))))],
  ['another issuer', () => session(signed(sessionClaims({ iss: 'mcp-router' })))],
  ['another audience', () => session(signed(sessionClaims({ aud: 'mcp-broker' })))],
  ['a router key', () => session(signed(routerClaims()))],
  ['no end', () => session(signed(sessionClaims({ exp: undefined })))],
  ['no start', () => session(signed(sessionClaims({ nbf: undefined })))],
  ['no time of issue', () => session(signed(sessionClaims({ iat: undefined })))],
  ['no id', () => session(signed(sessionClaims({ jti: undefined })))],
  ['one that ended', () => session(signed(sessionClaims({}, now() - 86_406)))],
  ['one of the future', () => session(signed(sessionClaims({}, now() + 60)))],
  ['two, joined', () => session(`${good()},${good()}`)],
]

describe.each(doors)('a session of the gateway through %s', (door) => {
  it.each(bad)('is asked for where the broker answers, and refused: %s', async (_, lines) => {
    for (const route of [[], toBroker]) {
      const { outcome, status, challenge } = await ask(door, [...route, ...lines()])
      expect([outcome, status, challenge]).toEqual(['session_invalid', 401, 'Bearer'])
    }
  })

  it.each<readonly [string, () => Lines, unknown]>([
    ['a list', () => session(good()), rpc('tools/list')],
    ['a list of the broker', () => [...toBroker, ...session(good())], rpc('tools/list')],
    ['a notification', () => session(good()), { jsonrpc: '2.0', method: 'notifications/initialized' }],
    ['one of a week', () => session(signed(sessionClaims({ exp: now() + 7 * 86_400 }))), rpc('ping')],
    ['initialize, which has none yet', () => [], rpc('initialize')],
    [
      'initialize with one that is none, which is replaced',
      () => [...toBroker, ...session('not-a-session')],
      rpc('initialize'),
    ],
  ])('lets what has a good one pass: %s', async (_, lines, message) => {
    expect((await ask(door, lines(), message)).outcome).toBe('allow')
  })
})

describe.each(doors)('where sessions are asked for, through %s', (door) => {
  it('the session of an upstream is not looked at', async () => {
    const lines: Lines = [['x-mcp-servername', 'weather'], ...session('upstream-session')]
    expect((await ask(door, lines, rpc('tools/call', { name: 'alerts' }))).outcome).toBe('allow')
  })

  it('none is needed from version 2026-07-28 on, and a bad one is refused all the same', async () => {
    const version: Lines = [['mcp-protocol-version', '2026-07-28']]
    expect((await ask(door, version)).outcome).toBe('allow')
    expect((await ask(door, [...version, ...session(good())])).outcome).toBe('allow')
    expect((await ask(door, [...version, ...session('x')])).outcome).toBe('session_invalid')
    const older: Lines = [['mcp-protocol-version', '2025-11-25']]
    expect((await ask(door, older)).outcome).toBe('session_invalid')
  })

  it('streams need one, and ending them', async () => {
    for (const method of ['GET', 'DELETE']) {
      const lines: Lines = [['authorization', `Bearer ${bearer}`]]
      expect((await replica[door]({ method, lines })).outcome).toBe('session_invalid')
      expect((await replica[door]({ method, lines: [...lines, ...session(good())] })).outcome).toBe('allow')
    }
  })

  it('a batch needs one, also where it begins with initialize', async () => {
    const batch = [rpc('initialize'), rpc('tools/list')]
    const version: Lines = [['mcp-protocol-version', '2025-03-26']]
    expect((await ask(door, version, batch)).outcome).toBe('session_invalid')
    expect((await ask(door, [...version, ...session(good())], batch)).outcome).toBe('allow')
  })

  it('one opens nothing by itself: the bearer token comes first', async () => {
    const call = rpc('tools/call', { name: 'weather_alerts' })
    const asked = { message: call, lines: [...json, ...session(good())] }
    expect((await replica[door](asked)).outcome).toBe('token_missing')
    expect((await ask(door, session(good()), rpc('tools/call', { name: 'files_wipe' }))).outcome).toBe('role_missing')
  })

  it("a router's own initialize needs none, as it opens with its router key", async () => {
    const lines: Lines = [
      ['mcp-init-host', 'alpha.upstream.test'],
      ['router-key', signed(routerClaims())],
    ]
    expect((await ask(door, lines, rpc('initialize'))).outcome).toBe('allow')
  })
})

describe('the tokens that a broker or router makes', () => {
  const tokens = createGatewayTokens({ signingKey, once: memory() })

  it.each(doors)('are taken through %s', async (door) => {
    expect((await ask(door, session(await tokens.mintSession()))).outcome).toBe('allow')
    const lines: Lines = [
      ['mcp-init-host', 'alpha.upstream.test'],
      ['router-key', await tokens.mintBackendInit({ host: 'alpha.upstream.test' })],
    ]
    expect((await ask(door, lines, rpc('initialize'))).outcome).toBe('allow')
  })
})
