import { once } from 'node:events'
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server'
import type { Guard } from '../../src/guard/index.ts'
import type { Upstream } from './upstream.ts'

/** A running broker. */
export interface Broker {
  readonly port: number
  close(): Promise<void>
}

/**
 * One MCP endpoint for several servers: lists are joined, a prefix says whose a tool or prompt is. It knows nothing of
 * people and permissions; the guard around its handler does.
 */
export async function startBroker(upstreams: readonly Upstream[], guard: Guard): Promise<Broker> {
  const handler = createMcpHandler(() => federation(upstreams))
  const guarded = { fetch: guard.fetch(handler.fetch) }
  // Its types of Node's request differ from Node's own under exactOptionalPropertyTypes.
  const server = createServer(toNodeHandler(guarded) as RequestListener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      await handler.close()
      await closed(server)
    },
  }
}

function federation(upstreams: readonly Upstream[]): Server {
  const capabilities = { tools: {}, prompts: {}, resources: {} }
  const server = new Server({ name: 'demo-broker', version: '1.0.0' }, { capabilities })
  const owner = (name: string): Upstream =>
    upstreams.find(({ prefix }) => name.startsWith(prefix)) ?? unknown(`no server has \`${name}\``)
  server.setRequestHandler('tools/list', async () => ({
    tools: await joined(upstreams, async ({ client, prefix }) => prefixed(prefix, (await client.listTools()).tools)),
  }))
  server.setRequestHandler('tools/call', async ({ params }) => {
    const { client, prefix } = owner(params.name)
    return await client.callTool({ ...params, name: params.name.slice(prefix.length) })
  })
  server.setRequestHandler('prompts/list', async () => ({
    prompts: await joined(promptersOf(upstreams), async ({ client, prefix }) =>
      prefixed(prefix, (await client.listPrompts()).prompts),
    ),
  }))
  server.setRequestHandler('prompts/get', async ({ params }) => {
    const { client, prefix } = owner(params.name)
    return await client.getPrompt({ ...params, name: params.name.slice(prefix.length) })
  })
  serveResources(server, upstreams)
  return server
}

/** URIs have no prefix: whose one is, the scheme says here. */
function serveResources(server: Server, upstreams: readonly Upstream[]): void {
  server.setRequestHandler('resources/list', async () => ({
    resources: await joined(upstreams, async ({ client }) => (await client.listResources()).resources),
  }))
  server.setRequestHandler('resources/templates/list', async () => ({
    resourceTemplates: await joined(
      upstreams,
      async ({ client }) => (await client.listResourceTemplates()).resourceTemplates,
    ),
  }))
  server.setRequestHandler('resources/read', async ({ params: { uri } }) => {
    const prefix = uri.startsWith('memory:') ? 'memory_' : 'everything_'
    const found = upstreams.find((upstream) => upstream.prefix === prefix) ?? unknown(`no server has \`${uri}\``)
    return await found.client.readResource({ uri })
  })
}

async function joined<T>(upstreams: readonly Upstream[], list: (upstream: Upstream) => Promise<T[]>): Promise<T[]> {
  return (await Promise.all(upstreams.map(list))).flat()
}

function prefixed<T extends { name: string }>(prefix: string, items: readonly T[]): T[] {
  return items.map((item) => ({ ...item, name: `${prefix}${item.name}` }))
}

function promptersOf(upstreams: readonly Upstream[]): readonly Upstream[] {
  return upstreams.filter(({ client }) => client.getServerCapabilities()?.prompts !== undefined)
}

function unknown(message: string): never {
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, message)
}

async function closed(server: HttpServer): Promise<void> {
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}
