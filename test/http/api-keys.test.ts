import { describe, expect, it } from 'vitest'
import type { Permission } from '../../src/api-keys/api-key.gen.ts'
import type { ApiKeyOrder } from '../../src/api-keys/create.ts'
import { createPermits } from '../../src/api-keys/permits.ts'
import { newSecret } from '../../src/api-keys/secret.ts'
import { permitsOf } from '../../src/http/permits.ts'
import { placeWith } from '../api-keys/place.ts'
import { bearer } from '../authorizer/scenes.ts'
import { evaluation, openDoor } from './door.ts'

const path = '/access/v1/evaluation'
/** What says that the caller is not on this host, so that the key alone is its word. */
const proxied = { 'x-forwarded-for': '203.0.113.9' }

async function doorWith(order: Partial<ApiKeyOrder> = {}) {
  const place = placeWith()
  const key = await place.create({ subject: 'gateway', ...order })
  const permits = permitsOf(createPermits(place))
  const door = await openDoor({ permits })
  const ask = async (headers: Record<string, string>, changes = {}) =>
    await door.post(path, evaluation(changes), { ...proxied, ...headers })
  return { place, key, permits, door, ask, mine: { authorization: `Bearer ${key.secret}` } }
}

const claims: readonly Permission[] = ['authzen:claims']

describe('claims of a caller with an API key', () => {
  it('are believed wherever it comes from, if the key permits it', async () => {
    const { ask, mine } = await doorWith({ permissions: [...claims] })
    expect(await ask(mine)).toMatchObject({ status: 200, json: { decision: true } })
    expect(await ask({})).toMatchObject({ status: 403, json: { error: expect.stringContaining('authzen:claims') } })
  })

  it('are believed for all of several evaluations at once, which is one use', async () => {
    const { place, key, door, mine } = await doorWith({ permissions: [...claims], scope: { usage: { total: 1 } } })
    const document = { ...evaluation(), evaluations: [{}, {}, {}] }
    const answer = await door.post('/access/v1/evaluations', document, { ...proxied, ...mine })
    expect(answer.json.evaluations.map(({ decision }) => decision)).toEqual([true, true, true])
    expect(await place.usage.usageOf(key.id)).toMatchObject({ total: 1 })
    expect((await door.post(path, evaluation(), { ...proxied, ...mine })).status).toBe(429)
  })

  it.each<[string, Partial<ApiKeyOrder>, number]>([
    ['permits nothing', {}, 403],
    ['permits something else', { permissions: ['revocations:write'] }, 403],
    ['is for other addresses', { permissions: [...claims], scope: { addresses: ['192.0.2.7'] } }, 403],
    ['is for other times', { permissions: [...claims], scope: { times: [] } }, 403],
    ['is used up', { permissions: [...claims], scope: { usage: { total: 0 } } }, 429],
    ['has expired', { permissions: [...claims], expiresAt: 1 }, 401],
  ])('are not believed where the key %s', async (_, order, status) => {
    const { ask, mine } = await doorWith(order)
    const answer = await ask(mine)
    expect(answer.status).toBe(status)
    expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
  })

  it('are not believed with a key that nobody knows, was revoked, or cannot be counted', async () => {
    const { place, key, ask, mine } = await doorWith({ permissions: [...claims], scope: { usage: { total: 9 } } })
    expect((await ask({ authorization: `Bearer ${newSecret()}` })).status).toBe(401)
    place.tally.fails = true
    expect((await ask(mine)).status).toBe(503)
    place.tally.fails = false
    expect((await ask(mine)).status).toBe(200)
    await place.revoker.revoke({ target: { of: { kind: 'api-key', id: key.id } } })
    expect((await ask(mine)).status).toBe(401)
  })

  it('are not believed by a token in place of a key', async () => {
    const { ask } = await doorWith()
    expect((await ask({ authorization: `Bearer ${bearer()}` })).status).toBe(403)
  })

  it('need no key where a token is sent, and a bad one changes nothing there', async () => {
    const { ask } = await doorWith()
    const changes = { subject: { type: 'identity', id: 'alice', properties: { token: bearer() } } }
    expect(await ask({ authorization: 'Bearer mcpak_bad' }, changes)).toMatchObject({
      status: 200,
      json: { decision: true },
    })
  })
})

describe('the uses of a key that comes with evaluations', () => {
  it('are those where claims are brought', async () => {
    const { place, key, door, ask, mine } = await doorWith({ permissions: [...claims], scope: { usage: { total: 1 } } })
    const token = { type: 'identity', id: 'alice', properties: { token: bearer() } }
    for (const subject of [token, { type: 'identity', id: 'alice' }, 'alice']) await ask(mine, { subject })
    expect(await place.usage.usageOf(key.id)).toMatchObject({ total: 0 })
    const { subject, ...rest } = evaluation()
    const several = { ...rest, subject: token, evaluations: [{}, { subject }] }
    const answer = await door.post('/access/v1/evaluations', several, { ...proxied, ...mine })
    expect(answer.json.evaluations.map(({ decision }) => decision)).toEqual([true, true])
    expect(await place.usage.usageOf(key.id)).toMatchObject({ total: 1 })
  })
})

describe('what a key permits', () => {
  const requestOf = (authorization: readonly string[], remoteAddress = '192.0.2.7') => ({
    rawHeaders: ['Host', 'x', ...authorization.flatMap((value) => ['AUTHORIZATION', value]), 'x-authorization', 'y'],
    socket: { remoteAddress } as never,
  })

  it('is each permission by itself', async () => {
    const { permits, mine } = await doorWith({ permissions: ['revocations:read'] })
    const request = requestOf([mine.authorization])
    expect(await permits(request, 'revocations:read')).toEqual({ ok: true })
    for (const other of ['revocations:write', 'authzen:claims'] as const) {
      const message = `the API key does not permit \`${other}\``
      expect(await permits(request, other)).toEqual({ ok: false, status: 403, message })
    }
  })

  it.each<[string, (secret: string) => readonly string[], string]>([
    ['no header', () => [], 'no bearer token was presented'],
    ['another scheme', (secret) => [`Basic ${secret}`], 'no bearer token was presented'],
    ['two headers', (secret) => [`Bearer ${secret}`, `Bearer ${secret}`], 'the token is not a well-formed JWT'],
    ['a token of an issuer', () => [`Bearer ${bearer()}`], 'expected an API key'],
  ])('is nothing with %s', async (_, values, message) => {
    const { permits, key } = await doorWith({ permissions: ['revocations:read'] })
    const answer = await permits(requestOf(values(key.secret)), 'revocations:read')
    expect(answer).toEqual({ ok: false, status: 401, message })
  })

  it('is held to the address of the connection, and a refusal is no use', async () => {
    const scope = { addresses: ['192.0.2.0/24'], usage: { total: 1 } }
    const { permits, mine } = await doorWith({ permissions: ['revocations:read'], scope })
    const from = async (address: string) => await permits(requestOf([mine.authorization], address), 'revocations:read')
    expect(await from('198.51.100.1')).toMatchObject({ ok: false, status: 403 })
    expect(await permits(requestOf([mine.authorization]), 'revocations:write')).toMatchObject({ status: 403 })
    expect(await from('192.0.2.9')).toEqual({ ok: true })
    expect(await from('192.0.2.9')).toMatchObject({ ok: false, status: 429 })
  })
})
