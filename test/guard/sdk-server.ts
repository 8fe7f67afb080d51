import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import type { Guard } from '../../src/guard/index.ts'

/** A real MCP server of SDK v2 behind a guard, on a loopback port. */
export interface Served {
  readonly url: URL
  /** What of the server was used, in order: `tool:NAME`, `prompt:NAME`, `read:URI`. */
  readonly used: string[]
  /** MCP methods that reached the handler. */
  readonly reached: string[]
  /** The server itself says that its tools are others. */
  announce(): void
  close(): Promise<void>
}

const tools = ['weather_forecast', 'weather_alerts', 'files_read', 'files_wipe']

export async function serve(guard: Guard): Promise<Served> {
  const used: string[] = []
  const reached: string[] = []
  const handler = createMcpHandler(() => mcpServer(used))
  const guarded = guard.fetch(async (request, options?: Parameters<typeof handler.fetch>[1]) => {
    if (request.method === 'POST') reached.push(((await request.clone().json()) as { method?: string }).method ?? '')
    return await handler.fetch(request, options)
  })
  // Its types of Node's request differ from Node's own under exactOptionalPropertyTypes.
  const server = createServer(toNodeHandler({ fetch: guarded }) as RequestListener)
  return {
    url: await listen(server),
    used,
    reached,
    announce: () => handler.notify.toolsChanged(),
    async close() {
      await handler.close()
      server.closeAllConnections()
      server.close()
    },
  }
}

export async function listen(server: Server): Promise<URL> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
}

export function mcpServer(used: string[]): McpServer {
  const server = new McpServer({ name: 'both', version: '1.0.0' }, { capabilities: { resources: { subscribe: true } } })
  for (const name of tools) {
    server.registerTool(name, { description: name }, () => {
      used.push(`tool:${name}`)
      return { content: [{ type: 'text', text: name }] }
    })
  }
  for (const name of ['weather_brief', 'files_summary']) {
    server.registerPrompt(name, { description: name }, () => {
      used.push(`prompt:${name}`)
      return { messages: [{ role: 'user', content: { type: 'text', text: name } }] }
    })
  }
  const read = (uri: URL) => {
    used.push(`read:${uri.href}`)
    return { contents: [{ uri: uri.href, text: 'text' }] }
  }
  server.registerResource('stations', 'weather://stations', {}, read)
  server.registerResource('index', 'files://index', {}, read)
  const template = (text: string) => new ResourceTemplate(text, { list: undefined })
  server.registerResource('station', template('weather://stations/{id}'), {}, read)
  server.registerResource('file', template('files://by-name/{name}'), {}, read)
  return server
}
