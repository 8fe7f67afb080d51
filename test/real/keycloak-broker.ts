import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import type { Guard } from '../../src/guard/index.ts'

/** What the realm's client roles name, as `servers` of the data has it. */
export const data = {
  servers: {
    'weather-server': {
      prefix: 'weather_',
      tools: ['forecast', 'set_alert'],
      prompts: ['trip'],
      resources: ['weather://stations'],
    },
    'files-server': { prefix: 'files_', tools: ['read_file', 'delete_file'], templates: ['file:///public/{path}'] },
  },
}

/** A broker of both servers, that knows nothing of people: the guard around it does. */
export interface Broker {
  readonly port: number
  close(): Promise<void>
}

export async function startBroker(guard: Guard): Promise<Broker> {
  const handler = createMcpHandler(broker)
  // Its types of Node's request differ from Node's own under exactOptionalPropertyTypes.
  const server = createServer(toNodeHandler({ fetch: guard.fetch(handler.fetch) }) as RequestListener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      await handler.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function broker(): McpServer {
  const server = new McpServer({ name: 'broker', version: '1' })
  for (const [id, { prefix, tools }] of Object.entries(data.servers)) {
    for (const name of tools) {
      server.registerTool(`${prefix}${name}`, { description: id }, () => ({
        content: [{ type: 'text', text: `${name} of ${id}` }],
      }))
    }
  }
  server.registerPrompt('weather_trip', { description: 'A trip' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'trip of weather-server' } }],
  }))
  const read = (uri: URL) => ({ contents: [{ uri: uri.href, text: uri.href }] })
  server.registerResource('stations', 'weather://stations', {}, read)
  server.registerResource('public', new ResourceTemplate('file:///public/{path}', { list: undefined }), {}, read)
  return server
}

/** Everything that somebody sees. */
export interface Seen {
  readonly tools: readonly string[]
  readonly prompts: readonly string[]
  readonly resources: readonly string[]
  readonly templates: readonly string[]
}

/** A connected client. */
export interface Person {
  sees(): Promise<Seen>
  call(tool: string): Promise<string>
  prompt(name: string): Promise<string>
  read(uri: string): Promise<string>
  close(): Promise<void>
}

/** Connects as whoever holds a token. What is denied rejects with the reason in its message. */
export async function connectWith(token: string, port: number): Promise<Person> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  const headers = { authorization: `Bearer ${token}` }
  const url = new URL(`http://127.0.0.1:${port}/mcp`)
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
  return {
    sees: async () => ({
      tools: (await client.listTools()).tools.map(({ name }) => name).toSorted(),
      prompts: (await client.listPrompts()).prompts.map(({ name }) => name),
      resources: (await client.listResources()).resources.map(({ uri }) => uri),
      templates: (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    }),
    call: async (name) => textOf((await client.callTool({ name, arguments: {} })).content),
    prompt: async (name) => textOf((await client.getPrompt({ name })).messages.map(({ content }) => content)),
    read: async (uri) => textOf((await client.readResource({ uri })).contents),
    close: async () => await client.close(),
  }
}

function textOf(content: unknown): string {
  const [first] = content as readonly { readonly text?: string }[]
  return String(first?.text)
}
