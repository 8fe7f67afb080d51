import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addBackChannelLogoutRoute } from '../../src/http/back-channel-logout.ts'
import { createAuthenticator, type KeyedAuthenticator } from '../../src/identity/authenticator.ts'
import { presets } from '../../src/identity/claims.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'
import { createBackChannelLogout } from '../../src/revocation/feeds/back-channel-logout.ts'
import { followKeycloakEvents, type KeycloakFeed } from '../../src/revocation/feeds/keycloak-events.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createRevoker, type Revoker } from '../../src/revocation/revoker.ts'
import { memoryLedger } from '../revocation/ledger.ts'
import { eventually } from './envoy-process.ts'
import { type Keycloak, keycloakProgram, startKeycloak, type Tokens } from './keycloak.ts'
import { patient } from './keycloak-place.ts'

/** How often events are asked for here, in milliseconds. */
const intervalMs = 100

/** Somebody who hears of revocations by one feed alone. */
interface Listener {
  readonly authenticator: KeyedAuthenticator
  readonly revoker: Revoker
}

interface Place {
  readonly keycloak: Keycloak
  readonly byLogout: Listener
  readonly byEvents: Listener
  readonly faults: string[]
  readonly feed: KeycloakFeed
}

const undo: (() => Promise<void> | void)[] = []
let place: Place | undefined

beforeAll(async () => {
  if (keycloakProgram !== undefined) place = await openPlace()
}, 120_000)

afterAll(async () => {
  if (place !== undefined) process.stdout.write(`${table()}\n`)
  for (const step of undo.toReversed()) await step()
}, 30_000)

/** An act that ends what a token says, and by which feeds that is heard. */
interface Act {
  readonly what: string
  readonly of?: string
  readonly heardBy: 'both' | 'events'
  /** Whether the token ends as a whole, or loses a grant alone. */
  readonly ends?: false
  readonly prepare?: (keycloak: Keycloak) => Promise<void>
  readonly act: (keycloak: Keycloak, tokens: Tokens) => Promise<unknown>
}

const sidOf = ({ access_token: token }: Tokens): string => String(decodeJwt(token)['sid'])
const subOf = ({ access_token: token }: Tokens): string => String(decodeJwt(token).sub)
const refreshed = ({ refresh_token: token = '' }: Tokens) => ({ client_id: 'mcp-cli', refresh_token: token })

const acts: readonly Act[] = [
  {
    what: 'the user logs out',
    heardBy: 'both',
    act: async ({ post }, tokens) => await post('logout', refreshed(tokens)),
  },
  {
    what: 'an admin ends the session',
    heardBy: 'both',
    act: async ({ admin }, tokens) => await admin('DELETE', `/sessions/${sidOf(tokens)}`),
  },
  {
    what: 'an admin logs the user out',
    heardBy: 'both',
    act: async ({ admin }, tokens) => await admin('POST', `/users/${subOf(tokens)}/logout`),
  },
  {
    what: 'an admin logs everybody out',
    heardBy: 'events',
    act: async ({ admin }) => await admin('POST', '/logout-all'),
  },
  {
    what: 'not-before of the realm',
    heardBy: 'events',
    act: async ({ admin }) => await admin('PUT', '', { notBefore: Math.floor(Date.now() / 1000) }),
  },
  {
    what: 'the access token is revoked',
    heardBy: 'events',
    act: async ({ post }, { access_token: token }) => await post('revoke', { client_id: 'mcp-cli', token }),
  },
  {
    what: 'the refresh token is revoked',
    heardBy: 'events',
    act: async ({ post }, { refresh_token: token = '' }) => await post('revoke', { client_id: 'mcp-cli', token }),
  },
  {
    what: 'a role is taken from the user',
    heardBy: 'events',
    ends: false,
    act: async (keycloak, tokens) => await takeRole(keycloak, `/users/${subOf(tokens)}`, 'tool:forecast'),
  },
  {
    what: 'a role is taken from a group',
    of: 'bob',
    heardBy: 'events',
    ends: false,
    prepare: async ({ admin, idOf }) => {
      await admin('PUT', `/users/${await idOf('/users', 'bob')}/groups/${await idOf('/groups', 'forecasters')}`)
    },
    act: async (keycloak) => {
      await takeRole(
        keycloak,
        `/groups/${await keycloak.idOf('/groups', 'forecasters')}`,
        'resource:weather://stations',
      )
    },
  },
  {
    what: 'the user leaves a group',
    of: 'bob',
    heardBy: 'events',
    act: async ({ admin, idOf }, tokens) =>
      await admin('DELETE', `/users/${subOf(tokens)}/groups/${await idOf('/groups', 'forecasters')}`),
  },
  {
    what: 'a role is deleted',
    heardBy: 'events',
    act: async ({ admin, idOf }) =>
      await admin('DELETE', `/clients/${await idOf('/clients', 'files-server')}/roles/tool:delete_file`),
  },
  {
    what: 'the user is disabled',
    heardBy: 'events',
    act: async ({ admin }, tokens) => await admin('PUT', `/users/${subOf(tokens)}`, { enabled: false }),
  },
  {
    what: 'the user is deleted',
    of: 'bob',
    heardBy: 'events',
    act: async ({ admin }, tokens) => await admin('DELETE', `/users/${subOf(tokens)}`),
  },
]

interface Heard {
  readonly what: string
  readonly logoutMs: number | undefined
  readonly eventsMs: number
}

const heard: Heard[] = []

describe.runIf(keycloakProgram !== undefined)('what ends a token in Keycloak is heard', patient, () => {
  test.each(acts)('$what: by $heardBy', async ({ what, of = 'alice', heardBy, ends = true, prepare, act }) => {
    const { keycloak, byLogout, byEvents, faults } = opened()
    await prepare?.(keycloak)
    const tokens = await goodTokens(of)
    const begun = performance.now()
    const timed = async (listener: Listener): Promise<number> =>
      await eventually(async () => {
        const standing = await standingOf(listener, tokens)
        return standing === (ends ? 'ended' : 'less') ? performance.now() - begun : undefined
      }, what)
    const eventsTimed = timed(byEvents)
    const logoutTimed = heardBy === 'both' ? timed(byLogout) : undefined
    await act(keycloak, tokens)
    const [eventsMs, logoutMs] = await Promise.all([eventsTimed, logoutTimed])
    if (logoutMs === undefined) expect(await standingOf(byLogout, tokens)).toBe('whole')
    heard.push({ what, eventsMs, logoutMs })
    expect(faults).toEqual([])
  })

  test('and the feed is in time', () => {
    expect(opened().feed.health()).toMatchObject({ late: false })
  })
})

/** Tokens that are good for everybody: what was ended a moment ago ends what is issued within the second too. */
async function goodTokens(user: string): Promise<Tokens> {
  const { keycloak, byLogout, byEvents } = opened()
  const login = { grant_type: 'password', client_id: 'mcp-cli', username: user, password: user }
  return await eventually(async () => {
    const tokens = await keycloak.token(login)
    const standings = [await standingOf(byLogout, tokens), await standingOf(byEvents, tokens)]
    if (standings.every((standing) => standing === 'whole')) return tokens
    await sleep(300)
    return undefined
  }, `good tokens of ${user}`)
}

async function standingOf({ authenticator }: Listener, { access_token: token }: Tokens): Promise<string> {
  const outcome = await authenticator.authenticate({ kind: 'token', token })
  if (!outcome.ok) return outcome.code === 'token_revoked' ? 'ended' : outcome.code
  const said = (decodeJwt(token)['resource_access'] ?? {}) as Readonly<Record<string, { readonly roles: string[] }>>
  const isWhole = Object.entries(said).every(
    ([server, { roles }]) => outcome.subject.grants[server]?.length === roles.length,
  )
  return isWhole ? 'whole' : 'less'
}

async function takeRole({ admin, idOf }: Keycloak, holder: string, name: string): Promise<void> {
  const client = await idOf('/clients', 'weather-server')
  const mapped = `${holder}/role-mappings/clients/${client}`
  const roles = (await admin('GET', mapped)) as readonly { readonly id: string; readonly name: string }[]
  await admin(
    'DELETE',
    mapped,
    roles.filter((role) => role.name === name).map(({ id }) => ({ id, name })),
  )
}

async function openPlace(): Promise<Place> {
  const keycloak = await startKeycloak()
  undo.push(keycloak.stop)
  const issuer = issuerOptionsOf(keycloak)
  const [byLogout, byEvents] = [await listen(issuer), await listen(issuer)]
  const faults: string[] = []
  await tellLogouts(keycloak, await serveLogouts(byLogout, faults))
  const feed = followKeycloakEvents({ issuer, revoker: byEvents.revoker, onFault: (text) => void faults.push(text) })
  undo.push(feed.close)
  await feed.first
  return { keycloak, byLogout, byEvents, faults, feed }
}

function issuerOptionsOf({ issuer }: Keycloak): IssuerOptions {
  const url = issuer.replace('/realms/', '/admin/realms/')
  return {
    issuer,
    keys: { kind: 'discovery' },
    algorithms: ['RS256'],
    audiences: ['mcp-gateway'],
    clockToleranceSeconds: 5,
    maxLifetimeSeconds: 600,
    claims: presets.keycloak,
    backChannelLogout: { audiences: ['mcp-cli'] },
    keycloakEvents: { url, clientId: 'mcp-authz', clientSecret: 'authz-secret', intervalMs },
  }
}

async function listen(issuer: IssuerOptions): Promise<Listener> {
  const ledger = memoryLedger()
  const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 0 })
  const authenticator = createAuthenticator({ issuers: [issuer], revocations })
  await authenticator.load()
  undo.push(revocations.close, authenticator.close)
  return { authenticator, revoker: createRevoker({ ledger, longestLife: () => issuer.maxLifetimeSeconds }) }
}

async function serveLogouts({ authenticator, revoker }: Listener, faults: string[]): Promise<number> {
  const used = new Set<string>()
  const app = express()
  const logOut = createBackChannelLogout({
    verify: authenticator.statement,
    revoker,
    once: async (key) => used.size !== used.add(key).size,
    onRefused: (detail) => void faults.push(detail),
  })
  addBackChannelLogoutRoute(app, logOut)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** Has Keycloak tell our port of the sessions of a client that end. */
async function tellLogouts({ admin, idOf }: Keycloak, port: number): Promise<void> {
  const path = `/clients/${await idOf('/clients', 'mcp-cli')}`
  const client = (await admin('GET', path)) as { readonly attributes: object }
  const attributes = {
    ...client.attributes,
    'backchannel.logout.url': `http://127.0.0.1:${port}/backchannel-logout`,
    'backchannel.logout.session.required': 'true',
  }
  await admin('PUT', path, { ...client, attributes })
}

function opened(): Place {
  if (place === undefined) throw new Error('the place is not open')
  return place
}

function table(): string {
  const rows = heard.map(({ what, logoutMs, eventsMs }) => {
    const byLogout = logoutMs === undefined ? 'never' : `${Math.round(logoutMs)} ms`
    return [what.padEnd(32), byLogout.padStart(20), `${Math.round(eventsMs)} ms`.padStart(10)].join('')
  })
  const head = `${'from the act to the denial'.padEnd(32)}${'back-channel'.padStart(20)}${'events'.padStart(10)}`
  return [head, ...rows, `events are asked for every ${intervalMs} ms`].join('\n')
}
