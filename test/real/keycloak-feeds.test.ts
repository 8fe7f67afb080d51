import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createAuthenticator, type KeyedAuthenticator } from '../../src/identity/authenticator.ts'
import { presets } from '../../src/identity/claims.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'
import { type BackChannelLogout, createBackChannelLogout } from '../../src/revocation/feeds/back-channel-logout.ts'
import { followKeycloakEvents } from '../../src/revocation/feeds/keycloak-events.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createRevoker, type Revoker } from '../../src/revocation/revoker.ts'
import { memoryLedger } from '../revocation/ledger.ts'
import { eventually } from './envoy-process.ts'
import { install } from './installation.ts'
import type { Tokens } from './keycloak.ts'
import { acts } from './keycloak-acts.ts'
import { data } from './keycloak-broker.ts'
import { patient, real, useKeycloakPlace } from './keycloak-place.ts'

/** How often events are asked for here, in milliseconds. */
const intervalMs = 100
/** How long it is waited for what is measured, in milliseconds: the machine may be busy with other tests. */
const waitMs = 20_000
const client = { clientId: 'mcp-authz', clientSecretFile: 'keycloak-secret.txt', intervalMs }
const issuer = {
  audiences: ['mcp-gateway'],
  backChannelLogout: { audiences: ['mcp-cli'] },
  keycloakEvents: client,
}
const files = { 'keycloak-secret.txt': 'authz-secret\n' }

const place = useKeycloakPlace(issuer, files)

/** Somebody beside the service who hears of revocations by one feed alone. */
interface Listener {
  readonly authenticator: KeyedAuthenticator
  readonly revoker: Revoker
}

interface Listeners {
  readonly byLogout: Listener
  readonly byEvents: Listener
  readonly faults: readonly string[]
}

interface Heard {
  readonly what: string
  readonly logoutMs: number | undefined
  readonly eventsMs: number
  readonly callMs: number
}

const heard: Heard[] = []

real('a service that was down', patient, () => {
  test('knows what happened meanwhile before it is ready', async () => {
    const { keycloak, logIn } = place()
    const installation = await install({ issuers: [{ issuer: keycloak.issuer, ...issuer }], data, files })
    onTestFinished(installation.remove)
    await (await installation.start()).stop()
    const { access_token: token, refresh_token: refresh = '' } = await logIn('alice')
    await keycloak.post('logout', { client_id: 'mcp-cli', refresh_token: refresh })
    const service = await installation.start()
    onTestFinished(service.stop)
    expect(await evaluated(service.http, token)).toMatchObject({
      decision: false,
      context: { reasons: [{ code: 'token_revoked' }] },
    })
  })
})

real('what ends a token in Keycloak', patient, () => {
  const listeners = useListeners()
  test.each(acts)('$what: is heard by $heardBy, and calls through Envoy are denied', async (each) => {
    const { what, of = 'alice', heardBy, tool = 'weather_forecast', reason = 'token_revoked', prepare, act } = each
    const { byLogout, byEvents, faults } = listeners()
    const { keycloak, call } = place()
    await prepare?.(keycloak)
    const tokens = await goodTokens(of, tool, listeners())
    const begun = performance.now()
    const timed = async (standing: () => Promise<string>, wanted: string): Promise<number> =>
      await eventually(
        async () => ((await standing()) === wanted ? performance.now() - begun : undefined),
        what,
        waitMs,
      )
    const ended = reason === 'token_revoked' ? 'ended' : 'less'
    const [eventsMs, logoutMs, callMs] = await Promise.all([
      timed(async () => await standingOf(byEvents, tokens), ended),
      heardBy === 'both' ? timed(async () => await standingOf(byLogout, tokens), ended) : undefined,
      timed(async () => await call(tokens.access_token, tool), reason),
      act(keycloak, tokens),
    ])
    if (logoutMs === undefined) expect(await standingOf(byLogout, tokens)).toBe('whole')
    heard.push({ what, eventsMs, logoutMs, callMs })
    expect(faults).toEqual([])
  })
})

async function evaluated(http: string, token: string): Promise<unknown> {
  const subject = { type: 'user', id: String(decodeJwt(token).sub), properties: { token } }
  const resource = { type: 'tool', id: 'weather_forecast' }
  const body = JSON.stringify({ subject, action: { name: 'tools/call' }, resource })
  const headers = { 'content-type': 'application/json' }
  return await (await fetch(`http://${http}/access/v1/evaluation`, { method: 'POST', headers, body })).json()
}

/** Tokens that are good for everybody: what was ended a moment ago ends what is issued within the second too. */
async function goodTokens(user: string, tool: string, { byLogout, byEvents }: Listeners): Promise<Tokens> {
  return await eventually(
    async () => {
      const tokens = await place().logIn(user)
      const standings = [await standingOf(byLogout, tokens), await standingOf(byEvents, tokens)]
      const answer = await place().call(tokens.access_token, tool)
      if (answer === 'ok' && standings.every((standing) => standing === 'whole')) return tokens
      await sleep(300)
      return undefined
    },
    `good tokens of ${user}`,
    waitMs,
  )
}

async function standingOf({ authenticator }: Listener, { access_token: token }: Tokens): Promise<string> {
  const outcome = await authenticator.authenticate({ kind: 'token', token })
  if (!outcome.ok) return outcome.code === 'token_revoked' ? 'ended' : outcome.code
  const said = (decodeJwt(token)['resource_access'] ?? {}) as Readonly<Record<string, { readonly roles: string[] }>>
  const { grants } = outcome.subject
  return Object.entries(said).every(([server, { roles }]) => grants[server]?.length === roles.length) ? 'whole' : 'less'
}

/** Opens the two of them for the tests that follow; at the end everything that was measured is printed. */
function useListeners(): () => Listeners {
  const undo: (() => Promise<void> | void)[] = []
  let opened: Listeners | undefined
  beforeAll(async () => {
    const options = issuerOptionsOf(place().keycloak.issuer)
    const [byLogout, byEvents] = [await listen(options, undo), await listen(options, undo)]
    const faults: string[] = []
    const onFault = (text: string): void => void faults.push(text)
    await tellBoth(byLogout, onFault, undo)
    const feed = followKeycloakEvents({ issuer: options, revoker: byEvents.revoker, onFault })
    undo.push(feed.close)
    await feed.first
    opened = { byLogout, byEvents, faults }
  }, 30_000)
  afterAll(async () => {
    process.stdout.write(`${table()}\n`)
    for (const step of undo.toReversed()) await step()
  })
  return () => {
    if (opened === undefined) throw new Error('nobody listens')
    return opened
  }
}

function issuerOptionsOf(name: string): IssuerOptions {
  const url = name.replace('/realms/', '/admin/realms/')
  return {
    issuer: name,
    keys: { kind: 'discovery' },
    algorithms: ['RS256'],
    audiences: ['mcp-gateway'],
    clockToleranceSeconds: 5,
    maxLifetimeSeconds: 600,
    claims: presets.keycloak,
    backChannelLogout: issuer.backChannelLogout,
    keycloakEvents: { url, clientId: 'mcp-authz', clientSecret: 'authz-secret', intervalMs },
  }
}

async function listen(options: IssuerOptions, undo: (() => void)[]): Promise<Listener> {
  const ledger = memoryLedger()
  const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 0 })
  const authenticator = createAuthenticator({ issuers: [options], revocations })
  await authenticator.load()
  undo.push(revocations.close, authenticator.close)
  return { authenticator, revoker: createRevoker({ ledger, longestLife: () => options.maxLifetimeSeconds }) }
}

/** Keycloak tells one address for each client: what comes there is for the listener and for the service. */
async function tellBoth(
  { authenticator, revoker }: Listener,
  onRefused: (detail: string) => void,
  undo: (() => void)[],
): Promise<void> {
  const used = new Set<string>()
  const first = async (key: string): Promise<boolean> => used.size !== used.add(key).size
  const logOut = createBackChannelLogout({ verify: authenticator.statement, revoker, once: first, onRefused })
  const port = await serveLogouts(logOut, undo)
  await place().keycloak.tellLogouts(`http://127.0.0.1:${port}/`)
}

async function serveLogouts(logOut: BackChannelLogout, undo: (() => void)[]): Promise<number> {
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const type = request.headers['content-type'] ?? ''
    const url = `http://${place().service.http}/backchannel-logout`
    const [own, { status }] = await Promise.all([
      logOut(type, body),
      fetch(url, { method: 'POST', headers: { 'content-type': type }, body }),
    ])
    response.writeHead(Math.max(own.status, status)).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function table(): string {
  const cells = ({ what, logoutMs, eventsMs, callMs }: Heard) => [what, ms(logoutMs), ms(eventsMs), ms(callMs)]
  const rows = [['from the act to the order', 'back-channel', 'events', 'denied by Envoy'], ...heard.map(cells)]
  const lines = rows.map(([what = '', ...others]) => what.padEnd(32) + others.map((cell) => cell.padStart(17)).join(''))
  return [...lines, `events are asked for every ${intervalMs} ms`].join('\n')
}

function ms(value: number | undefined): string {
  return value === undefined ? 'not told' : `${Math.round(value)} ms`
}
