import { describe, expect, it, onTestFinished } from 'vitest'
import { createGuard, type GuardPlace } from '../../src/guard/index.ts'
import { makePlace } from './place.ts'
import { bearer, events, handlerOf, messagesOf, post, result, rpcRequest } from './requests.ts'

const servers = [
  { name: 'weather', tools: ['weather_forecast', 'weather_alerts'] },
  { name: 'files', tools: ['files_read', 'files_wipe'] },
]
const answer = { content: [{ type: 'text', text: JSON.stringify({ servers }) }] }

async function guarded(options: GuardPlace, profile: 'strict' | 'kuadrant' = 'strict', mcp: object = {}) {
  const place = await makePlace({ profile, mcp: { ...mcp } })
  const guard = await createGuard({ config: place.config, ...options })
  onTestFinished(async () => {
    await guard.close()
    await place.remove()
  })
  return { guard, place }
}

async function open(headers: Readonly<Record<string, string>> = {}) {
  const { guard, place } = await guarded({}, 'kuadrant')
  const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
  const params = { name: 'discover_tools', arguments: {} }
  const request = rpcRequest('tools/call', params, { ...alice, 'x-mcp-servername': 'mcpBroker', ...headers })
  return { guard, request }
}

const seen = { content: [{ text: JSON.stringify({ servers: servers.slice(0, 1) }) }] }

it('cuts what a broker tells of its tools, in JSON and in events', async () => {
  const { guard, request } = await open()
  const inJson = await guard.fetch(handlerOf(() => result(answer)).fetch)(request.clone())
  expect(await inJson.json()).toMatchObject({ id: 1, result: seen })
  const inEvents = handlerOf(() => events({ jsonrpc: '2.0', id: 1, result: answer }))
  expect(messagesOf(await (await guard.fetch(inEvents.fetch)(request)).text())).toMatchObject([{ id: 1, result: seen }])
})

it('cuts it to the virtual server as well', async () => {
  const { guard, request } = await open({ 'x-mcp-virtualserver': 'team/desk' })
  const response = await guard.fetch(handlerOf(() => result(answer)).fetch)(request)
  const desk = { servers: [{ name: 'weather', tools: ['weather_forecast'] }] }
  expect(await response.json()).toMatchObject({ result: { content: [{ text: JSON.stringify(desk) }] } })
})

it('answers with an error where it cannot tell what is named', async () => {
  const { guard, request } = await open()
  const handler = handlerOf(() => result({ content: [{ type: 'text', text: 'try files_wipe' }] }))
  const response = await guard.fetch(handler.fetch)(request)
  expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('files_wipe')])
})

it('lets the same name through as nothing but an item where no router vouches for the broker', async () => {
  const { guard, request } = await open({ 'x-mcp-servername': '' })
  const response = await guard.fetch(handlerOf(() => expect.unreachable()).fetch)(request)
  expect(response.status).toBeGreaterThanOrEqual(400)
})

const call = (headers: Readonly<Record<string, string>>, name = 'discover_tools') =>
  rpcRequest('tools/call', { name, arguments: {} }, headers)

describe.each(['strict', 'kuadrant'] as const)('behind a guard that is told so, in profile %s, a broker', (profile) => {
  it('answers tools of its own to everybody who is authenticated, and names only what they may use', async () => {
    const { guard, place } = await guarded({ brokerTools: true }, profile)
    const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
    const nobody = bearer(await place.token('nobody'))
    const handler = handlerOf(() => result(answer))
    expect(await (await guard.fetch(handler.fetch)(call(alice))).json()).toMatchObject({ result: seen })
    const nothing = { content: [{ text: JSON.stringify({ servers: [] }) }] }
    expect(await (await guard.fetch(handler.fetch)(call(nobody))).json()).toMatchObject({ result: nothing })
    expect((await guard.fetch(handler.fetch)(call({}))).status).toBe(401)
  })

  it('is let into no batch with them', async () => {
    const { guard, place } = await guarded({ brokerTools: true }, profile, { batches: true })
    const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
    const discover = { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'discover_tools' } }
    for (const batch of [[ping, discover], [discover, ping], [discover], [discover, discover]]) {
      const request = post(JSON.stringify(batch), { ...alice, 'mcp-protocol-version': '2025-03-26' })
      const response = await guard.fetch(handlerOf(() => expect.unreachable()).fetch)(request)
      expect([response.status, await response.json()]).toMatchObject([400, { error: 'batch_refused' }])
    }
  })

  it('has its answers cut also where a stream repeats them', async () => {
    const { guard, place } = await guarded({ brokerTools: true }, profile)
    const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
    const headers = { ...alice, accept: 'text/event-stream', 'last-event-id': '1' }
    const messages = [
      { jsonrpc: '2.0', id: 1, result: answer },
      [{ jsonrpc: '2.0', id: 1, result: answer }],
      { jsonrpc: '2.0', id: 2, result: { content: [{ type: 'text', text: 'no JSON at all' }] } },
    ]
    const response = await guard.fetch(async () => events(...messages))(new Request('http://mcp.test/mcp', { headers }))
    expect(messagesOf(await response.text())).toMatchObject([{ result: seen }, [{ result: seen }], messages[2]])
  })

  it('has them in its lists beside what the caller may use, but not where a claim speaks of tools', async () => {
    const { guard, place } = await guarded({ brokerTools: true }, profile)
    const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
    const tools = ['files_wipe', 'list_tags', 'weather_forecast', 'discover_tools'].map((name) => ({ name }))
    const response = await guard.fetch(async () => result({ tools }))(rpcRequest('tools/list', {}, alice))
    const shown = profile === 'strict' ? tools.slice(1) : [{ name: 'weather_forecast' }]
    expect(await response.json()).toMatchObject({ result: { tools: shown } })
  })
})

it.each(['strict', 'kuadrant'] as const)(
  'has no others, and none before one server or untold, in profile %s',
  async (profile) => {
    const unreachable = handlerOf(() => expect.unreachable())
    for (const [options, name] of [
      [{ brokerTools: true }, 'discover_toolz'],
      [{ brokerTools: true, server: 'weather' }, 'discover_tools'],
      [{}, 'discover_tools'],
    ] as const) {
      const { guard, place } = await guarded(options, profile)
      const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
      expect((await guard.fetch(unreachable.fetch)(call(alice, name))).status).toBe(403)
    }
  },
)

it('lists them in profile kuadrant where no claim speaks of tools, within the virtual server', async () => {
  const place = await makePlace({ profile: 'kuadrant', enforce: false })
  const guard = await createGuard({ config: place.config, brokerTools: true })
  onTestFinished(async () => {
    await guard.close()
    await place.remove()
  })
  const tools = ['weather_forecast', 'files_wipe', 'discover_tools'].map((name) => ({ name }))
  const listed = async (headers: Readonly<Record<string, string>>) => {
    const response = await guard.fetch(async () => result({ tools }))(rpcRequest('tools/list', {}, headers))
    return ((await response.json()) as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name)
  }
  expect(await listed({})).toEqual(['weather_forecast', 'files_wipe', 'discover_tools'])
  expect(await listed({ 'x-mcp-virtualserver': 'team/desk' })).toEqual(['weather_forecast'])
  const authorized = await place.authorized({ tools: { weather: ['forecast'] } })
  expect(await listed({ 'x-mcp-authorized': authorized })).toEqual(['weather_forecast'])
})
