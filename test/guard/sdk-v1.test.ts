import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'
import { bearer, messagesOf, rpcRequest } from './requests.ts'

let place: Place
let guard: Guard
let alice: Record<string, string>

beforeAll(async () => {
  place = await makePlace()
  guard = await createGuard({ config: place.config })
  alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
})
afterAll(async () => {
  guard.close()
  await place.remove()
})

/** A server of SDK v1 with a session, as brokers of the 2025 versions keep them. */
async function session(): Promise<{ send: (request: Request) => Promise<Response>; id: string; called: string[] }> {
  const called: string[] = []
  const server = new McpServer({ name: 'v1', version: '1' })
  for (const name of ['weather_alerts', 'files_wipe']) {
    server.registerTool(name, {}, () => {
      called.push(name)
      return { content: [] }
    })
  }
  const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => 'session-1' })
  await server.connect(transport)
  const send = guard.fetch((request, options?: { parsedBody?: unknown }) => transport.handleRequest(request, options))
  const clientInfo = { name: 'test', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const response = await send(rpcRequest('initialize', params, alice))
  await response.text()
  return { send, id: response.headers.get('mcp-session-id') ?? '', called }
}

it('guards the web-standard transport of SDK v1 and its sessions', async () => {
  const { send, id, called } = await session()
  const headers = { ...alice, 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
  expect(id).toBe('session-1')
  const list = messagesOf(await (await send(rpcRequest('tools/list', {}, headers, 2))).text())
  expect(list).toMatchObject([{ id: 2, result: { tools: [{ name: 'weather_alerts' }] } }])
  expect((await send(rpcRequest('tools/call', { name: 'files_wipe' }, headers, 3))).status).toBe(403)
  await (await send(rpcRequest('tools/call', { name: 'weather_alerts' }, headers, 4))).text()
  expect(called).toEqual(['weather_alerts'])
  const stream = await send(
    new Request('http://mcp.test/mcp', { headers: { ...headers, accept: 'text/event-stream' } }),
  )
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  await stream.body?.cancel()
  const without = new Request('http://mcp.test/mcp', { headers: { 'mcp-session-id': id, accept: 'text/event-stream' } })
  expect((await send(without)).status).toBe(401)
  expect((await send(new Request('http://mcp.test/mcp', { method: 'DELETE', headers }))).status).toBe(200)
})
