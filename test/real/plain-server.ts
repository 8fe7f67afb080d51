import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server'

/** An MCP server that knows nothing of authorization, at as many paths as there are ways to answer. */
export interface PlainServer {
  readonly port: number
  /** Methods that reached it since the last time it was asked, each with its headers. */
  take(): readonly { readonly method: string; readonly headers: IncomingMessage['headers'] }[]
  /** What `/raw` answers from now on. */
  answerWith(answer: (request: IncomingMessage, response: ServerResponse) => void): void
  close(): Promise<void>
}

export const everything = {
  tools: ['forecast', 'alerts', 'wipe'],
  prompts: ['brief', 'summary'],
  resources: ['weather://stations', 'weather://secret'],
  templates: ['weather://stations/{id}', 'weather://people/{id}'],
} as const

/** Paths with a server of the SDK, and how it answers there. */
export const paths = ['/json', '/sse', '/session', '/session-json'] as const

/** Starts the server. */
export async function startPlainServer(): Promise<PlainServer> {
  let received: { method: string; headers: IncomingMessage['headers'] }[] = []
  let raw: Parameters<PlainServer['answerWith']>[0] = (_, response) => void response.end()
  const handlers = {
    '/json': stateless('json'),
    '/sse': stateless('sse'),
    '/session': sessions(false),
    '/session-json': sessions(true),
    '/raw': async (request: IncomingMessage, response: ServerResponse) => raw(request, response),
  }
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const message = body === '' ? undefined : (JSON.parse(body) as { method?: string })
      received.push({ method: message?.method ?? String(request.method), headers: request.headers })
      const handler = handlers[request.url as keyof typeof handlers]
      await handler(request, response, message)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = received
      received = []
      return taken
    },
    answerWith(answer) {
      raw = answer
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void>

function stateless(responseMode: 'json' | 'sse'): Handler {
  const handler = toNodeHandler(createMcpHandler(newServer, { responseMode }))
  return async (request, response, body) => await handler(request as Parameters<typeof handler>[0], response, body)
}

function sessions(enableJsonResponse: boolean): Handler {
  const open = new Map<string, NodeStreamableHTTPServerTransport>()
  const begin = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport({
      enableJsonResponse,
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void open.set(id, transport),
    })
    await newServer().connect(transport)
    return transport
  }
  return async (request, response, body) => {
    const id = String(request.headers['mcp-session-id'])
    await (open.get(id) ?? (await begin())).handleRequest(request, response, body)
  }
}

function newServer(): McpServer {
  const server = new McpServer({ name: 'plain', version: '1' })
  const read = (uri: URL) => ({ contents: [{ uri: uri.href, text: 'text' }] })
  for (const name of everything.tools) {
    server.registerTool(name, { description: name }, () => ({
      content: [{ type: 'text', text: `${name} says hello` }],
    }))
  }
  for (const name of everything.prompts) {
    server.registerPrompt(name, { description: name }, () => ({
      messages: [{ role: 'user', content: { type: 'text', text: name } }],
    }))
  }
  for (const uri of everything.resources) server.registerResource(uri, uri, {}, read)
  for (const uri of everything.templates)
    server.registerResource(uri, new ResourceTemplate(uri, { list: undefined }), {}, read)
  return server
}
