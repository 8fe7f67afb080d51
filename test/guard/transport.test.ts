import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as StdioClientTransportV1 } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { catalogue, makePlace, type Place } from './place.ts'
import { bearer, messagesOf } from './requests.ts'
import { type AnyClient, clients, clientV1, clientV2 } from './sdk-clients.ts'
import { listen } from './sdk-server.ts'
import { serverV1 } from './sdk-v1-server.ts'

let place: Place
let guard: Guard
beforeEach(async () => {
  place = await makePlace({ mcp: { batches: true } })
  guard = await createGuard({ config: place.config })
})
afterEach(async () => {
  await guard.close()
  await place.remove()
})

const roles = ['meteorologist']

const names = async (client: AnyClient): Promise<readonly string[]> =>
  (await client.listTools()).tools.map(({ name }) => name)

/** A server of SDK v1 over Streamable HTTP with sessions, guarded by its transport alone. */
async function openV1(): Promise<{ readonly url: URL; readonly used: string[] }> {
  const used: string[] = []
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const begin = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    })
    // Their class and their interface differ under exactOptionalPropertyTypes.
    await serverV1(used).connect(guard.transport(transport, { changesEveryMs: 20 }) as Transport)
    return transport
  }
  const server = createServer((request, response) => {
    const known = sessions.get(String(request.headers['mcp-session-id']))
    void Promise.resolve(known ?? begin()).then((transport) => transport.handleRequest(request, response))
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: await listen(server), used }
}

describe('a server of SDK v1 whose transport is guarded', () => {
  it.each(clients.slice(1))('shows a client of %s its own, and lets nothing else through', async (_, connect) => {
    const { url, used } = await openV1()
    const client = await connect(url, bearer(await place.token('alice', { roles })))
    expect(await names(client)).toEqual(['weather_forecast', 'weather_alerts'])
    expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'weather_brief' }])
    expect((await client.listResources()).resources).toMatchObject([{ uri: 'weather://stations' }])
    await client.callTool({ name: 'weather_alerts', arguments: {} })
    const refused = client.callTool({ name: 'files_wipe', arguments: {} })
    await expect(refused).rejects.toMatchObject({ code: 403, data: { reason: 'role_missing' } })
    await expect(client.readResource({ uri: 'files://index' })).rejects.toMatchObject({ code: 403 })
    expect(used).toEqual(['weather_alerts'])
  })

  it('answers nobody who has no token', async () => {
    const { url } = await openV1()
    await expect(clientV1(url, {})).rejects.toThrow(/no bearer token/)
  })

  it('decides a batch as a whole', async () => {
    const { url, used } = await openV1()
    const headers = { ...bearer(await place.token('alice', { roles })), ...json, 'mcp-protocol-version': '2025-03-26' }
    const opened = await post(url, headers, initialize)
    const session = { ...headers, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
    await opened.text()
    const good = await post(url, session, [call(2, 'weather_alerts'), call(3, 'weather_forecast')])
    expect(messagesOf(await good.text())).toMatchObject([{ result: {} }, { result: {} }])
    expect(used.splice(0)).toEqual(['weather_alerts', 'weather_forecast'])
    const bad = await post(url, session, [call(4, 'weather_alerts'), call(5, 'files_wipe')])
    const error = { code: 403, data: { reason: 'role_missing' } }
    expect(messagesOf(await bad.text())).toMatchObject([
      { id: 4, error },
      { id: 5, error },
    ])
    expect(used).toEqual([])
  })
})

describe('a session of SDK v1 whose transport is guarded', () => {
  it('cuts lists for whoever asks, also where a session is taken over', async () => {
    const { url } = await openV1()
    const headers = { ...json, ...bearer(await place.token('alice', { roles })) }
    const opened = await post(url, headers, initialize)
    await opened.text()
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
    const bob = bearer(await place.token('bob', { roles: ['reader'] }))
    const seen = await (await post(url, { ...json, ...session, ...bob }, list)).text()
    expect(messagesOf(seen)).toMatchObject([{ result: { tools: [{ name: 'files_read' }] } }])
    expect(seen).not.toContain('weather')
  })

  it('tells a session that is open when its person may use something else', { timeout: 20_000 }, async () => {
    const { url } = await openV1()
    const client = await clientV2(url, bearer(await place.token('alice', { roles })), 'legacy')
    const told = Promise.withResolvers<void>()
    client.setNotificationHandler('notifications/tools/list_changed', () => told.resolve())
    client.setNotificationHandler('notifications/prompts/list_changed', () => expect.unreachable())
    expect(client.getServerCapabilities()).toMatchObject({ tools: { listChanged: true } })
    expect(await names(client)).toEqual(['weather_forecast', 'weather_alerts'])
    const { weather } = catalogue.servers
    await place.writeCatalogue({ ...catalogue, servers: { weather: { ...weather, tools: ['alerts'] } } })
    await told.promise
    expect(await names(client)).toEqual(['weather_alerts'])
  })
})

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
}

function call(id: number, name: string): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } }
}

async function post(url: URL, headers: Readonly<Record<string, string>>, body: unknown): Promise<Response> {
  return await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

const stdio = (version: 'v1' | 'v2', token: string) => ({
  command: process.execPath,
  args: [fileURLToPath(new URL(`stdio-server-${version}.ts`, import.meta.url)), place.config],
  env: { MCP_TOKEN: token },
})

type Connect = (version: 'v1' | 'v2', token: string) => Promise<AnyClient>

const connectV2 =
  (mode: 'auto' | 'legacy') =>
  async (version: 'v1' | 'v2', token: string): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new StdioClientTransport(stdio(version, token)))
    onTestFinished(() => client.close())
    return client
  }

const stdioClients: readonly (readonly [string, 'v1' | 'v2', Connect])[] = [
  ['SDK v2, 2026-07-28, to a server of v2', 'v2', connectV2('auto')],
  ['SDK v2, 2025-11-25, to a server of v2', 'v2', connectV2('legacy')],
  [
    'SDK v1 to a server of v1',
    'v1',
    async (version, token) => {
      const client = new ClientV1({ name: 'test', version: '1' })
      await client.connect(new StdioClientTransportV1(stdio(version, token)) as Transport)
      onTestFinished(() => client.close())
      return client as unknown as AnyClient
    },
  ],
]

describe.each(stdioClients)('stdio: %s', (_, version, connect) => {
  it('shows what the token of the process opens, and lets nothing else through', { timeout: 20_000 }, async () => {
    const client = await connect(version, await place.token('alice', { roles }))
    expect(await names(client)).toEqual(['weather_forecast', 'weather_alerts'])
    expect(await client.callTool({ name: 'weather_alerts', arguments: {} })).toMatchObject({ content: [{}] })
    const refused = client.callTool({ name: 'files_wipe', arguments: {} })
    await expect(refused).rejects.toMatchObject({ code: 403, data: { reason: 'role_missing' } })
  })

  it('ends when its token does', { timeout: 20_000 }, async () => {
    const client = await connect(version, await place.token('alice', { roles, expiresIn: 0 }))
    expect(await names(client)).toEqual(['weather_forecast', 'weather_alerts'])
    await expect.poll(() => client.listTools().catch(({ code }) => code as number), { timeout: 15_000 }).toBe(401)
  })
})

describe('a subscription of 2026-07-28 over stdio', () => {
  it('is told what changed, under its own id, and nothing else', { timeout: 20_000 }, async () => {
    const client = await connectV2('auto')('v2', await place.token('alice', { roles }))
    const told = Promise.withResolvers<void>()
    client.setNotificationHandler('notifications/tools/list_changed', () => told.resolve())
    client.setNotificationHandler('notifications/prompts/list_changed', () => expect.unreachable())
    const subscription = await client.listen({ toolsListChanged: true, promptsListChanged: true })
    const { weather } = catalogue.servers
    await place.writeCatalogue({ ...catalogue, servers: { weather: { ...weather, tools: ['alerts'] } } })
    await told.promise
    expect(await names(client)).toEqual(['weather_alerts'])
    await subscription.close()
  })
})
