import { describe, expect, it } from 'vitest'
import { presets } from '../../../src/identity/claims.ts'
import { issuerName } from '../../identity/tokens.ts'
import type { Json } from './fake-keycloak.ts'
import { adminEvent, alice, before, everybody, follow, t0, userEvent } from './feeds.ts'

const session = { target: { of: { kind: 'session', session: 's1', issuer: issuerName } } }
const token = { target: { of: { kind: 'token', jti: 'onrtro:1', issuer: issuerName } } }
const ends = { target: { of: alice }, before }
const endsAll = { target: { of: everybody }, before }

describe('what a user event takes away', () => {
  const cases: readonly (readonly [string, Json, readonly object[]])[] = [
    ['a logout: the session', userEvent('LOGOUT', { userId: 'alice', sessionId: 's1' }), [session]],
    ['a logout that names no session: all of the person', userEvent('LOGOUT', { userId: 'alice' }), [ends]],
    [
      'an access token revoked: that token',
      userEvent('REVOKE_GRANT', { userId: 'alice', details: { token_id: 'onrtro:1' } }),
      [token],
    ],
    [
      'a refresh token revoked: the session',
      userEvent('REVOKE_GRANT', { userId: 'alice', sessionId: 's1', details: { refresh_token_id: 'r1' } }),
      [session],
    ],
    [
      'both named: both',
      userEvent('REVOKE_GRANT', { sessionId: 's1', details: { token_id: 'onrtro:1' } }),
      [token, session],
    ],
    [
      'a consent revoked: all of the person',
      userEvent('REVOKE_GRANT', { userId: 'alice', details: { revoked_client: 'mcp-cli' } }),
      [ends],
    ],
    [
      'a lockout for good: all of the person',
      userEvent('USER_DISABLED_BY_PERMANENT_LOCKOUT', { userId: 'alice' }),
      [ends],
    ],
    ['an account deleted by its owner: all of the person', userEvent('DELETE_ACCOUNT', { userId: 'alice' }), [ends]],
    ['a lockout for a while: nothing', userEvent('USER_DISABLED_BY_TEMPORARY_LOCKOUT', { userId: 'alice' }), []],
    ['a login: nothing', userEvent('LOGIN', { userId: 'alice', sessionId: 's1' }), []],
    ['a logout that names nobody: nothing', userEvent('LOGOUT', { userId: 7, sessionId: '' }), []],
  ]
  it.each(cases)('%s', async (_, event, orders) => {
    const { keycloak, start, told, faults } = await follow()
    keycloak.userEvents.push(event)
    await start()
    expect(told()).toEqual(orders.map((order) => ({ ...order, reason: `Keycloak ${event['type']}` })))
    expect(faults).toEqual([])
  })
})

const person = 'users/alice'
const cases: readonly (readonly [string, Json, readonly object[]])[] = [
  ['a session ended', adminEvent('DELETE USER_SESSION', 'sessions/s1', { offline: false }), [session]],
  ['a session ended that is not named', adminEvent('DELETE USER_SESSION', undefined), [endsAll]],
  ['a person logged out', adminEvent('ACTION USER', `${person}/logout`), [ends]],
  ['a person disabled', adminEvent('UPDATE USER', person, { username: 'a', enabled: false }), [ends]],
  ['a person deleted', adminEvent('DELETE USER', person, { username: 'a' }), [ends]],
  ['a consent taken back', adminEvent('DELETE USER', `${person}/consents/mcp-cli`), [ends]],
  ['a person edited', adminEvent('UPDATE USER', person, { firstName: 'A' }), []],
  ['a person enabled', adminEvent('UPDATE USER', person, { enabled: true }), []],
  ['a person edited, without what was sent', adminEvent('UPDATE USER', person), [ends]],
  ['a password reset', adminEvent('ACTION USER', `${person}/reset-password`), []],
  ['a group left', adminEvent('DELETE GROUP_MEMBERSHIP', `${person}/groups/g1`, { name: 'g' }), [ends]],
  ['a group joined', adminEvent('CREATE GROUP_MEMBERSHIP', `${person}/groups/g1`, { name: 'g' }), []],
  ['a group deleted', adminEvent('DELETE GROUP', 'groups/g1'), [endsAll]],
  ['a group moved', adminEvent('UPDATE GROUP', 'groups/g0/children', { id: 'g1' }), [endsAll]],
  ['a group made', adminEvent('CREATE GROUP', 'groups/g1'), []],
  ['a role deleted', adminEvent('DELETE CLIENT_ROLE', 'clients/c1/roles/tool:forecast'), [endsAll]],
  ['a role deleted by id', adminEvent('DELETE REALM_ROLE', 'roles-by-id/r1'), [endsAll]],
  ['a role taken out of another', adminEvent('DELETE REALM_ROLE', 'roles/auditor/composites', []), [endsAll]],
  ['a role renamed', adminEvent('UPDATE REALM_ROLE', 'roles/auditor', { name: 'auditors' }), [endsAll]],
  ['a role edited', adminEvent('UPDATE CLIENT_ROLE', 'clients/c/roles/a/b', { name: 'a/b', description: 'x' }), []],
  ['a role edited by id', adminEvent('UPDATE REALM_ROLE', 'roles-by-id/r1', { name: 'auditor' }), [endsAll]],
  ['a scope narrowed', adminEvent('DELETE CLIENT_SCOPE_MAPPING', 'clients/c/scope-mappings/realm', []), [endsAll]],
  ['a client deleted', adminEvent('DELETE CLIENT', 'clients/c1', { clientId: 'c' }), [endsAll]],
  ['a client disabled', adminEvent('UPDATE CLIENT', 'clients/c1', { enabled: false }), [endsAll]],
  ['a client edited', adminEvent('UPDATE CLIENT', 'clients/c1', { enabled: true, notBefore: 0 }), []],
  ['a part of a client removed', adminEvent('DELETE CLIENT', 'clients/c1/default-client-scopes/s1'), []],
  [
    'not-before of a client',
    adminEvent('UPDATE CLIENT', 'clients/c1', { notBefore: 1234 }),
    [{ target: { of: everybody }, before: 1234 }],
  ],
  [
    'not-before of the realm',
    adminEvent('UPDATE REALM', undefined, { realm: 'mcp', notBefore: 1234 }),
    [{ target: { of: everybody }, before: 1234 }],
  ],
  ['the realm edited', adminEvent('UPDATE REALM', undefined, { displayName: 'x', notBefore: 0 }), []],
  ['the realm disabled', adminEvent('UPDATE REALM', undefined, { enabled: false }), [endsAll]],
  ['the realm edited, without what was sent', adminEvent('UPDATE REALM', undefined), [endsAll]],
  ['everybody logged out', adminEvent('ACTION REALM', 'logout-all', {}), [endsAll]],
  ['the events cleared', adminEvent('DELETE REALM', 'events'), []],
  ['an identity provider removed', adminEvent('DELETE IDENTITY_PROVIDER', 'identity-provider/instances/x'), []],
  ['what was sent with a member twice', doubled(), [ends]],
]

describe('what an admin event takes away', () => {
  it.each(cases)('%s', async (_, event, orders) => {
    const { keycloak, start, told, faults } = await follow()
    keycloak.adminEvents.push(event)
    await start()
    const reason = `Keycloak ${event['operationType']} ${event['resourceType']}`
    expect(told()).toEqual(orders.map((order) => ({ ...order, reason })))
    expect(faults).toEqual([])
  })

  it('is not-before of the realm where that is pushed, and all until then where it cannot be had', async () => {
    for (const [realm, order] of [
      [{ notBefore: 1234 }, { target: { of: everybody }, before: 1234 }],
      [undefined, endsAll],
    ] as const) {
      const { keycloak, start, told } = await follow()
      if (realm !== undefined) keycloak.documents.set('', realm)
      keycloak.adminEvents.push(adminEvent('ACTION REALM', 'push-revocation', {}))
      await start()
      expect(told()).toMatchObject([order])
    }
  })
})

function doubled(): Json {
  return adminEvent('UPDATE USER', person, undefined, { representation: '{"enabled":false,"enabled":true}' })
}

const forecast = { id: 'r1', name: 'tool:forecast', composite: false, clientRole: true, containerId: 'c1' }
const auditor = { id: 'r2', name: 'auditor', composite: false, clientRole: false, containerId: 'realm' }
const known = {
  '/roles-by-id/r1': forecast,
  '/roles-by-id/r2': auditor,
  '/clients/c1': { clientId: 'weather-server' },
}
const taken = (path: string, sent?: unknown): Json => adminEvent('DELETE CLIENT_ROLE_MAPPING', path, sent)
const ofAlice = `${person}/role-mappings/clients/c1`
const grant = (from: object) => ({ target: { grant: 'tool:forecast', server: 'weather-server', from }, before })

async function toldOf(event: Json, documents: Json = known, preset: 'keycloak' | 'generic' = 'keycloak') {
  const { keycloak, start, told } = await follow()
  for (const [path, document] of Object.entries(documents)) keycloak.documents.set(path, document)
  keycloak.adminEvents.push(event)
  await start({ claims: presets[preset] })
  return told().map((order) => ({ ...order, reason: undefined }))
}

describe('a role taken from somebody', () => {
  it('is the grant of a client role, on the server that is named as the client', async () => {
    expect(await toldOf(taken(ofAlice, [forecast]))).toEqual([grant(alice)])
  })

  it('is the role of a realm role', async () => {
    const event = adminEvent('DELETE REALM_ROLE_MAPPING', `${person}/role-mappings/realm`, [auditor])
    expect(await toldOf(event)).toEqual([{ target: { role: 'auditor', from: alice }, before }])
  })

  it('is each of several', async () => {
    const orders = await toldOf(taken(ofAlice, [{ id: 'r1' }, { id: 'r2' }]))
    expect(orders).toEqual([grant(alice), { target: { role: 'auditor', from: alice }, before }])
  })

  it('is taken from everybody where a group loses it', async () => {
    expect(await toldOf(taken('groups/g1/role-mappings/clients/c1', [forecast]))).toEqual([grant(everybody)])
  })
})

describe('a role that cannot be told alone', () => {
  const broad: readonly (readonly [string, Json, Json])[] = [
    ['the role holds others, whatever was sent', { ...known, '/roles-by-id/r1': { ...forecast, composite: true } }, {}],
    ['the role is not there any more', { '/clients/c1': known['/clients/c1'] }, {}],
    ['the client is not there any more', { '/roles-by-id/r1': forecast }, {}],
    ['the client has no name', { ...known, '/clients/c1': { clientId: '' } }, {}],
    ['what was sent is not kept', known, { representation: undefined }],
    ['what was sent is no list', known, { representation: '{}' }],
    ['what was sent is empty', known, { representation: '[]' }],
    ['one of several cannot be told', known, { representation: '[{"id":"r1"},{"id":"r9"}]' }],
    ['a role has no id', known, { representation: '[{"name":"tool:forecast"}]' }],
  ]
  it.each(broad)('is all that the person was given where %s', async (_, documents, members) => {
    const event = { ...taken(ofAlice, [{ id: 'r1', name: 'tool:forecast', composite: false }]), ...members }
    expect(await toldOf(event, documents)).toEqual([ends])
  })

  it('is all that the person was given where tokens carry roles in another way', async () => {
    expect(await toldOf(taken(ofAlice, [forecast]), known, 'generic')).toEqual([ends])
  })

  it('is nothing where it is given', async () => {
    expect(await toldOf(adminEvent('CREATE CLIENT_ROLE_MAPPING', ofAlice, [forecast]))).toEqual([])
  })

  it('names no path that an id does not stay in', async () => {
    const { keycloak, start, told } = await follow()
    keycloak.adminEvents.push(taken(ofAlice, [{ id: '../../../x' }]))
    await start()
    expect(told()).toMatchObject([ends])
    expect(keycloak.requests).toContain('/roles-by-id/..%2F..%2F..%2Fx')
  })
})

describe('the second that an order has', () => {
  const times: readonly (readonly [number, number])[] = [
    [250, 1],
    [0, 0],
    [1, 1],
    [999, 1],
  ]
  it.each(times)('at %i ms ends what was issued up to %i s later', async (ms, seconds) => {
    const { keycloak, start, revoker } = await follow()
    const second = Math.floor(t0 / 1000)
    keycloak.userEvents.push(userEvent('DELETE_ACCOUNT', { userId: 'alice', time: second * 1000 + ms }))
    await start()
    expect(revoker.orders[0]?.before).toBe(second + seconds)
  })
})
