import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { overlapMs } from '../../../src/revocation/feeds/event-stream.ts'
import { followKeycloakEvents } from '../../../src/revocation/feeds/keycloak-events.ts'
import { issuerName, issuerOptions } from '../../identity/tokens.ts'
import { clientId, clientSecret, json, silent, status } from './fake-keycloak.ts'
import { adminEvent, follow, t0, until, userEvent } from './feeds.ts'
import { recordingRevoker } from './orders.ts'

const logout = (session: string, members: Record<string, unknown> = {}) =>
  userEvent('LOGOUT', { sessionId: session, ...members })

describe('following events', () => {
  it('reads what happened before, and then each that comes, once', async () => {
    const { keycloak, start, revoker, faults } = await follow()
    keycloak.userEvents.push(logout('early'))
    await start()
    expect(revoker.orders).toHaveLength(1)
    keycloak.userEvents.push(logout('late', { time: Date.now() }))
    keycloak.adminEvents.push(adminEvent('DELETE USER_SESSION', 'sessions/other', {}, { time: Date.now() }))
    await until(() => revoker.orders.length === 3, 'three orders')
    await sleep(100)
    expect([revoker.calls, faults]).toEqual([3, []])
  })

  it('begins where the longest-lived token could have been issued', async () => {
    const { keycloak, start, revoker } = await follow()
    const lifeMs = 7200 * 1000
    keycloak.userEvents.push(logout('dead', { time: Date.now() - lifeMs - 400_000 }))
    keycloak.userEvents.push(logout('alive', { time: Date.now() - lifeMs }))
    await start({ maxLifetimeSeconds: 7200 })
    expect(revoker.orders).toMatchObject([{ target: { of: { session: 'alive' } } }])
  })

  it('asks for what takes away alone, and not for the logins', async () => {
    const { keycloak, start } = await follow()
    await start()
    const [users] = keycloak.requests.filter((request) => request.startsWith('/events?'))
    expect(new URLSearchParams(users?.split('?')[1]).getAll('type')).toContain('REVOKE_GRANT')
    expect(users).not.toContain('LOGIN')
  })

  it('names an event alike to everybody who reads it', async () => {
    const [one, other] = [await follow(), await follow()]
    const { id: _, ...unnamed } = logout('b')
    for (const { keycloak, start } of [one, other]) {
      keycloak.userEvents.push({ ...logout('a'), id: 'event-a', time: t0 }, { ...unnamed, time: t0 })
      await start()
    }
    const ids = one.revoker.orders.map(({ id }) => id)
    expect(new Set(ids).size).toBe(2)
    expect(other.revoker.orders.map(({ id }) => id)).toEqual(ids)
  })
})

describe('many events, and late ones', () => {
  it('takes every page', async () => {
    const { keycloak, start, revoker } = await follow()
    for (let at = 0; at < 1200; at++) keycloak.userEvents.push(logout(`s${at}`, { time: t0 + Math.floor(at / 7) }))
    await start()
    expect([revoker.orders.length, revoker.calls]).toEqual([1200, 1200])
  })

  it('takes every one of more events of one moment than a page holds', async () => {
    const { keycloak, start, revoker } = await follow()
    for (let at = 0; at < 1100; at++) keycloak.userEvents.push(logout(`s${at}`, { time: t0 }))
    await start()
    expect([revoker.orders.length, revoker.calls]).toEqual([1100, 1100])
  })

  it('takes one that is committed late, with the time of an earlier moment or of the same', async () => {
    const { keycloak, start, revoker } = await follow()
    const time = Date.now()
    keycloak.userEvents.push(logout('first', { time }))
    await start()
    keycloak.userEvents.push(logout('same', { time }), logout('before', { time: time - overlapMs / 2 }))
    await until(() => revoker.orders.length === 3, 'three orders')
  })

  it('is not led away by an event of a clock that is ahead', async () => {
    const { keycloak, start, revoker } = await follow()
    keycloak.userEvents.push(logout('ahead', { time: Date.now() + 3_600_000 }))
    await start()
    keycloak.userEvents.push(logout('right', { time: Date.now() }))
    await until(() => revoker.orders.length === 2, 'two orders')
    expect(revoker.calls).toBe(2)
  })

  it('asks again for what could not be kept, before anything later', async () => {
    const { keycloak, start, revoker, faults } = await follow()
    keycloak.userEvents.push(logout('a'), logout('b'))
    revoker.fail = true
    await start()
    await until(() => faults.length > 0, 'a fault')
    revoker.fail = false
    await until(() => revoker.orders.length === 2, 'two orders')
    expect(faults).toEqual([`events of issuer \`${issuerName}\`: what an event takes away cannot be kept`])
    expect(revoker.orders).toMatchObject([{ target: { of: { session: 'a' } } }, { target: { of: { session: 'b' } } }])
  })
})

describe('the access token of a feed', () => {
  it('is had once for as long as it serves', async () => {
    const { keycloak, start } = await follow()
    await start()
    await until(() => keycloak.requests.length > 20, 'some requests')
    expect(keycloak.tokens()).toBe(1)
  })

  it('is replaced before it ends', async () => {
    const { keycloak, start, faults } = await follow()
    keycloak.tokenLifeSeconds = 0.3
    await start()
    await until(() => keycloak.tokens() > 2, 'three tokens')
    expect(faults).toEqual([])
  })

  it('is replaced at once where it was ended', async () => {
    const { keycloak, start, revoker, faults } = await follow()
    await start()
    keycloak.logOutAll()
    keycloak.adminEvents.push(adminEvent('ACTION REALM', 'logout-all', {}))
    await until(() => revoker.orders.length === 1, 'an order')
    expect(faults).toEqual([])
  })
})

const listed = new Array(30).fill('[').join('')
const answers = [
  ['401', '/events', status(401), '`/events`: expected status 200, found 401'],
  ['403', '/admin-events', status(403), '`/admin-events`: expected status 200, found 403'],
  ['404', '/events', status(404), '`/events`: expected status 200, found 404'],
  ['500', '/events', status(500), '`/events`: expected status 200, found 500'],
  ['204', '/events', status(204), '`/events`: expected status 200, found 204'],
  ['no JSON', '/events', json('<html>'), '`/events`: expected one strict json value'],
  ['JSON that breaks off', '/events', json(listed), '`/events`: expected one strict json value'],
  ['an object', '/events', json({ events: [] }), 'expected a list of events'],
  ['null', '/admin-events', json(null), 'expected a list of events'],
  ['text in a list', '/events', json(['x']), 'expected every event to be an object with a time'],
  ['an event without time', '/events', json([{ type: 'LOGOUT' }]), 'expected every event to be an object with a time'],
  ['a time that is text', '/events', json([{ time: '1' }]), 'expected every event to be an object with a time'],
  ['the latest first', '/events', json([{ time: t0 + 1 }, { time: t0 }]), 'expected the oldest event first'],
  ['a body without end', '/events', json(`[${' '.repeat(9 * 1024 * 1024)}]`), '`/events`: expected at most'],
  ['silence', '/events', silent, '`/events`: expected an answer in time'],
  [
    'a dead connection',
    '/events',
    (_: unknown, response: { destroy(): void }) => response.destroy(),
    '`/events`: expected an answer in time',
  ],
  ['no token', 'token', status(401), 'token: expected status 200, found 401'],
  [
    'a token that is none',
    'token',
    json({ access_token: 'a\nb', expires_in: 60 }),
    'token: expected an answer with `access_token`',
  ],
  ['a token without a name', 'token', json({}), 'token: expected an answer with `access_token`'],
] as const

describe('a Keycloak that does not answer as it should', () => {
  it.each(answers)('%s: says so once, goes on asking, and takes what comes then', async (_, path, listener, fault) => {
    const { keycloak, start, revoker, faults } = await follow()
    const causes = () => faults.filter((text) => !text.includes('nothing was read'))
    keycloak.instead.set(path, listener)
    await start({}, { timeoutMs: listener === silent ? 100 : 5000 })
    await until(() => keycloak.requests.length > 4, 'further questions')
    expect(causes()).toEqual([expect.stringContaining(fault)])
    expect(faults[0]).toMatch(/^events of issuer `https:\/\/sso\.example\.com\/realms\/mcp`: [^\n]+$/)
    keycloak.instead.clear()
    keycloak.userEvents.push(logout('a', { time: Date.now() }))
    keycloak.adminEvents.push(adminEvent('DELETE USER_SESSION', 'sessions/b', {}, { time: Date.now() }))
    await until(() => revoker.orders.length === 2, 'two orders')
    expect(causes()).toHaveLength(1)
  })
})

describe('a Keycloak that answers badly', () => {
  it('is not followed elsewhere, where the token would go with it', async () => {
    const [{ keycloak, start, faults }, elsewhere] = [await follow(), await follow()]
    for (const path of ['/events', 'token']) {
      keycloak.instead.set(path, status(307, { location: `${elsewhere.keycloak.url}/events` }))
      await start()
    }
    expect(elsewhere.keycloak.requests).toEqual([])
    expect(faults).toHaveLength(2)
  })

  it('keeps what is sound of a list that is not', async () => {
    const { keycloak, start, revoker, faults } = await follow()
    keycloak.instead.set('/events', json([logout('a'), { type: 'LOGOUT' }, logout('b')]))
    await start()
    expect(revoker.orders).toHaveLength(2)
    expect(faults).toHaveLength(1)
  })

  it('does not keep one kind of events from being read because of the other', async () => {
    const { keycloak, start, revoker } = await follow()
    keycloak.instead.set('/events', status(500))
    keycloak.adminEvents.push(adminEvent('DELETE USER_SESSION', 'sessions/b', {}))
    await start()
    expect(revoker.orders).toHaveLength(1)
  })

  it('is told of neither the secret nor a token', async () => {
    const { keycloak, start, faults } = await follow()
    for (const listener of [status(401), json('{'), silent]) {
      for (const path of ['token', '/events', '/events/config']) {
        keycloak.instead.clear()
        keycloak.instead.set(path, listener)
        await (await start({}, { timeoutMs: 50 })).close()
      }
    }
    expect(faults.length).toBeGreaterThan(5)
    for (const word of [clientSecret, encodeURIComponent(clientSecret), 'access-']) {
      expect(faults.join()).not.toContain(word)
      expect(keycloak.requests.join()).not.toContain(word)
    }
  })
})

describe('a realm that does not keep what is to be read', () => {
  const on = { eventsEnabled: true, adminEventsEnabled: true, adminEventsDetailsEnabled: true, enabledEventTypes: [] }
  const settings = [
    [{ ...on, eventsEnabled: false }, 'the realm does not save user events', true],
    [{ ...on, adminEventsEnabled: false }, 'the realm does not save admin events', true],
    [{ ...on, enabledEventTypes: ['LOGIN', 'LOGOUT'] }, 'the realm does not save REVOKE_GRANT, ', true],
    [{}, 'the realm does not save user events', true],
    [{ ...on, adminEventsDetailsEnabled: false }, 'the realm saves admin events without representation', false],
  ] as const
  it.each(settings)('is a fault: %o', async (document, fault, isFatal) => {
    const { keycloak, start, faults } = await follow()
    keycloak.documents.set('/events/config', document)
    const feed = await start()
    expect(faults).toEqual([expect.stringContaining(fault)])
    expect(feed.health().ageMs === Number.POSITIVE_INFINITY).toBe(isFatal)
  })
})

describe('the health of a feed', () => {
  it('is the time since everything was read; that it grows is said once', async () => {
    const { keycloak, start, faults } = await follow()
    const feed = await start({}, { timeoutMs: 50 })
    expect(feed.health().issuer).toBe(issuerName)
    expect(feed.health().ageMs).toBeLessThan(5000)
    keycloak.instead.set('/events', status(500))
    await until(() => faults.length === 2, 'a cause, and that it lasts')
    expect(faults[1]).toMatch(/: nothing was read for \d+ s, so what ended there is not known$/)
    expect(feed.health().ageMs).toBeGreaterThan(100)
    keycloak.instead.clear()
    await until(() => feed.health().ageMs < 50, 'a feed in time')
    expect(faults).toHaveLength(2)
  })

  it('is of no use to a log that fails, which stops nothing', async () => {
    const { keycloak, start, revoker } = await follow()
    keycloak.instead.set('/events', status(500))
    const broken = (): never => {
      throw new Error('no log')
    }
    await start({}, { onFault: broken })
    keycloak.instead.clear()
    keycloak.userEvents.push(logout('a'))
    await until(() => revoker.orders.length === 1, 'an order')
  })
})

describe('a feed that is closed', () => {
  it('asks nothing more, also where an answer is still to come', async () => {
    const { keycloak, start, faults } = await follow()
    const feed = await start()
    keycloak.instead.set('/events', silent)
    await sleep(50)
    await feed.close()
    const asked = keycloak.requests.length
    await sleep(100)
    expect([keycloak.requests.length, faults]).toEqual([asked, []])
  })
})

describe('an address', () => {
  const events = { clientId, clientSecret, intervalMs: 10 }
  it.each([
    ['http://sso.example.com/admin/realms/mcp', 'expected https'],
    ['ftp://127.0.0.1/admin/realms/mcp', 'expected an https address'],
    ['http://user:pass@127.0.0.1/admin/realms/mcp', 'without user and password'],
    ['http://127.0.0.1/realms/mcp', 'ends in `/admin/realms/NAME`'],
    ['http://127.0.0.1/admin/realms/mcp/users', 'ends in `/admin/realms/NAME`'],
    ['http://127.0.0.1/admin/realms/mcp?x=1', 'ends in `/admin/realms/NAME`'],
  ])('%s is refused', (url, message) => {
    const issuer = issuerOptions([], { keycloakEvents: { ...events, url } })
    expect(() => followKeycloakEvents({ issuer, revoker: recordingRevoker() })).toThrow(message)
  })

  it('with a final slash is the same', async () => {
    const { keycloak, start, faults } = await follow()
    await start({ keycloakEvents: { ...events, url: `${keycloak.url}/` } })
    expect(faults).toEqual([])
    expect(keycloak.requests).toContain('/events/config')
  })
})
