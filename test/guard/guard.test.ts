import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { assemble } from '../../src/assembly.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError, createGuard, type Decision, type Guard } from '../../src/guard/index.ts'
import { catalogue, issuer, makePlace, type Place } from './place.ts'
import { bearer, result, rpcRequest } from './requests.ts'

let place: Place
let guard: Guard
let alice: string
const decisions: Decision[] = []

beforeAll(async () => {
  place = await makePlace()
  guard = await createGuard({ config: place.config, record: (decision) => decisions.push(decision) })
  alice = await place.token('alice', { roles: ['meteorologist'] })
})
afterAll(async () => {
  guard.close()
  await place.remove()
})

const alerts = { method: 'tools/call', params: { name: 'weather_alerts' } }
const code = ({ reasons }: Decision): string | undefined => reasons[0]?.code

describe('decide', () => {
  it('takes a credential in every form', async () => {
    const claims = { sub: 'alice', realm_access: { roles: ['meteorologist'] } }
    const authorized = await place.authorized({ tools: { weather: ['alerts'] } })
    const good = [
      alice,
      { token: alice },
      { claims },
      { authorization: `Bearer ${alice}` },
      { authorization: [`Bearer ${alice}`] },
      { authorized },
      { authorized: [authorized] },
    ]
    for (const credential of good) expect((await guard.decide({ credential, ...alerts })).allow).toBe(true)
    const bad = [
      '',
      'x',
      { token: '' },
      { claims: {} },
      { authorization: [] },
      { authorization: alice },
      { authorization: [`Bearer ${alice}`, `Bearer ${alice}`] },
      { authorized: '' },
      { authorized: [authorized, authorized] },
      { authorized: alice },
    ]
    for (const credential of bad) expect((await guard.decide({ credential, ...alerts })).allow).toBe(false)
    const none = [
      undefined,
      null,
      7,
      {},
      [],
      { password: 'x' },
      { token: 7 },
      { token: null },
      { authorized: 7 },
      { authorized: {} },
      { authorization: [7] },
      { claims: null },
    ]
    for (const credential of none)
      expect((await guard.decide({ credential: credential as never, ...alerts })).allow).toBe(false)
  })

  it('gives the decision, and records it', async () => {
    const decision = await guard.decide({ credential: alice, method: 'tools/call', params: { name: 'files_wipe' } })
    expect(decision).toMatchObject({
      allow: false,
      reasons: [{ code: 'role_missing', required: 'tool:wipe on files' }],
      subject: 'alice',
      action: 'tools/call',
      resource: { type: 'tool', server: 'files', name: 'wipe' },
    })
    expect(decisions).toContainEqual(decision)
  })

  it('knows a server and a virtual server by the attempt', async () => {
    const call = { credential: alice, method: 'tools/call', params: { name: 'alerts' } }
    expect(code(await guard.decide(call))).toBe('item_unknown')
    expect(code(await guard.decide({ ...call, server: 'weather' }))).toBeUndefined()
    expect(code(await guard.decide({ ...call, server: 'ghost' }))).toBe('server_unknown')
    const desk = { credential: alice, virtualServer: 'team/desk', method: 'tools/call' }
    expect(code(await guard.decide({ ...desk, params: { name: 'weather_forecast' } }))).toBeUndefined()
    expect(code(await guard.decide({ ...desk, params: { name: 'weather_alerts' } }))).toBe('virtual_server_excludes')
    expect(code(await guard.decide({ ...desk, ...alerts, virtualServer: '' }))).toBe('virtual_server_unknown')
  })

  it('denies params that are no JSON values', async () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    for (const params of [circle, { n: 1n }, 'x', 7, null, () => 1]) {
      const decision = await guard.decide({ credential: alice, method: 'tools/call', params: params as never })
      expect(code(decision)).toBe('body_malformed')
    }
  })
})

describe('capabilities', () => {
  const nothing = { tools: {}, prompts: {}, resources: {}, templates: {} }

  it('are what the credential may use, under a virtual server where one is named', async () => {
    expect(await guard.capabilities(alice)).toEqual({
      tools: { weather: ['alerts', 'forecast'] },
      prompts: { weather: ['brief'] },
      resources: { weather: ['weather://stations'] },
      templates: { weather: ['weather://stations/{id}'] },
    })
    expect(await guard.capabilities({ token: alice }, 'team/desk')).toEqual({
      ...nothing,
      tools: { weather: ['forecast'] },
      prompts: { weather: ['brief'] },
    })
  })

  it('are four empty keys where the credential or the virtual server is denied', async () => {
    expect(await guard.capabilities('x')).toEqual(nothing)
    expect(await guard.capabilities(alice, 'nowhere')).toEqual(nothing)
  })

  it("are the caller's to change", async () => {
    const mine = await guard.capabilities(alice)
    mine.tools['files'] = ['wipe']
    mine.tools['weather']?.push('all')
    expect((await guard.capabilities(alice)).tools).toEqual({ weather: ['alerts', 'forecast'] })
  })
})

describe('a guard before one server', () => {
  it("takes and lists that server's own names", async () => {
    const before = await createGuard({ config: place.config, server: 'weather' })
    const fetch = before.fetch(async () =>
      result({ tools: [{ name: 'alerts' }, { name: 'weather_alerts' }, { name: 'read' }] }),
    )
    const list = await fetch(rpcRequest('tools/list', {}, bearer(alice)))
    expect(await list.json()).toMatchObject({ result: { tools: [{ name: 'alerts' }] } })
    const call = async (name: string) => (await fetch(rpcRequest('tools/call', { name }, bearer(alice)))).status
    expect([await call('alerts'), await call('weather_alerts')]).toEqual([200, 403])
    expect(code(await before.decide({ credential: alice, method: 'ping', server: 'files' }))).toBe('header_mismatch')
    before.close()
  })

  it('puts its virtual server on every request, beside that of the request', async () => {
    const data = {
      ...catalogue,
      virtual_servers: { a: { tools: ['weather_alerts'] }, b: { tools: ['weather_alerts', 'weather_forecast'] } },
    }
    const other = await makePlace({ data })
    const token = await other.token('alice', { roles: ['meteorologist'] })
    const before = await createGuard({ config: other.config, virtualServer: 'b' })
    expect((await before.capabilities(token)).tools).toEqual({ weather: ['alerts', 'forecast'] })
    expect((await before.capabilities(token, 'a')).tools).toEqual({ weather: ['alerts'] })
    const call = { credential: token, method: 'tools/call', params: { name: 'weather_forecast' } }
    expect(code(await before.decide(call))).toBeUndefined()
    expect(code(await before.decide({ ...call, virtualServer: 'a' }))).toBe('virtual_server_excludes')
    const fetch = before.fetch(async () => result({}))
    const request = rpcRequest(
      'tools/call',
      { name: 'weather_forecast' },
      { ...bearer(token), 'x-mcp-virtualserver': 'a' },
    )
    expect((await fetch(request)).status).toBe(403)
    before.close()
    await other.remove()
  })
})

describe('createGuard', () => {
  it('refuses a configuration that cannot be used', async () => {
    await expect(createGuard({ config: `${place.config}.missing` })).rejects.toThrow(ConfigError)
    const other = await makePlace()
    await writeFile(other.config, 'issuers: []\n')
    await expect(createGuard({ config: other.config })).rejects.toThrow(ConfigError)
    await other.remove()
  })

  it('takes an authorizer that exists, and with it its profile and limits', async () => {
    const assembly = await assemble(await loadConfig(place.config, { env: {} }), { guard: true })
    const over = await createGuard({ authorizer: assembly.authorizer, read: { ...assembly.read, maxBodyBytes: 50 } })
    const fetch = over.fetch(async () => result({}))
    expect((await over.decide({ credential: alice, method: 'ping' })).allow).toBe(true)
    expect((await fetch(rpcRequest('ping', {}, bearer(alice)))).status).toBe(413)
    const routed = await createGuard({ authorizer: assembly.authorizer, profile: 'kuadrant' })
    const request = rpcRequest('ping', {}, { ...bearer(alice), 'x-mcp-servername': 'weather' })
    expect((await routed.fetch(async () => result({}))(request)).status).toBe(200)
    assembly.close()
  })

  it('serves new data when its files change, and the old when they cannot be used', async () => {
    const other = await makePlace()
    const warnings: string[] = []
    const watching = await createGuard({ config: other.config, onWarning: (text) => warnings.push(text) })
    const claims = { sub: 'bob', iss: issuer, realm_access: { roles: ['reader'] } }
    const tools = async () => (await watching.capabilities({ claims })).tools
    expect(await tools()).toEqual({ files: ['read'] })
    await other.writeCatalogue({ ...catalogue, roles: { reader: { files: ['tool:*'] } } })
    await vi.waitFor(async () => expect(await tools()).toEqual({ files: ['read', 'wipe'] }), 5000)
    await other.writeCatalogue({ servers: { files: { tools: 'all' } } })
    await vi.waitFor(() => expect(warnings).toHaveLength(1), 5000)
    expect(await tools()).toEqual({ files: ['read', 'wipe'] })
    watching.close()
    await other.remove()
  })

  it('says which insecure switches are on', async () => {
    const other = await makePlace()
    const text = `issuers: [{issuer: x, jwks: {file: jwks.json}, audiences: [a]}]\ninsecure: {httpIssuers: true}\n`
    await writeFile(other.config, text)
    const warnings: string[] = []
    const insecure = await createGuard({ config: other.config, onWarning: (warning) => warnings.push(warning) })
    expect(warnings.join('\n')).toContain('insecure.httpIssuers is on')
    insecure.close()
    await other.remove()
  })
})
