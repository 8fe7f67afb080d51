import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server'

/** A server of 2026-07-28, stateless. `tools` may change; `toolsChanged` says so. */
export function modernServer(tools: string[]): { readonly listener: RequestListener; toolsChanged(): void } {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'modern', version: '1' }, { capabilities: { tools: { listChanged: true } } })
    for (const name of tools) server.registerTool(name, {}, () => ({ content: [{ type: 'text', text: name }] }))
    server.registerPrompt('brief', {}, () => ({ messages: [] }))
    const read = (uri: URL) => ({ contents: [{ uri: uri.href, text: 'text' }] })
    server.registerResource('stations', 'weather://stations', {}, read)
    server.registerResource('station', new ResourceTemplate('weather://{id}', { list: undefined }), {}, read)
    return server
  })
  return { listener: toNodeHandler(handler) as RequestListener, toolsChanged: () => handler.notify.toolsChanged() }
}

/** A server of 2025-11-25 that counts for each session. */
export interface SessionServer {
  readonly listener: RequestListener
  /** The sessions that are open. */
  readonly sessions: Map<string, { readonly server: McpServerV1; readonly transport: StreamableHTTPServerTransport }>
  /** How many were ever opened. */
  opened(): number
}

/** @param gate - what the tool `wait` waits for */
export function sessionServer(gate: Promise<unknown> = Promise.resolve()): SessionServer {
  const sessions: SessionServer['sessions'] = new Map()
  let opened = 0
  const open = async () => {
    const server = countingServer(gate)
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        opened += 1
        sessions.set(id, { server, transport })
      },
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await server.connect(transport as Parameters<typeof server.connect>[0])
    return transport
  }
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = request.method === 'POST' ? await json(request) : undefined
    const id = request.headers['mcp-session-id']
    const known = sessions.get(String(id))?.transport
    if (id !== undefined && known === undefined) response.writeHead(404).end()
    else await (known ?? (await open())).handleRequest(request, response, body)
  }
  return { listener: (request, response) => void serve(request, response), sessions, opened: () => opened }
}

function countingServer(gate: Promise<unknown>): McpServerV1 {
  const server = new McpServerV1({ name: 'sessions', version: '1' })
  let count = 0
  server.registerTool('count', {}, () => ({ content: [{ type: 'text', text: String(++count) }] }))
  server.registerTool('wait', {}, async () => {
    await gate
    return { content: [{ type: 'text', text: 'done' }] }
  })
  return server
}

export interface RawRequest {
  readonly id?: string | number
  readonly method: string
  readonly params?: Readonly<Record<string, unknown>>
}

/** What a raw server answers: a result, a whole response, or nothing at all. */
export type RawAnswer = (
  request: RawRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
) => Record<string, unknown> | undefined | Promise<Record<string, unknown> | undefined>

/**
 * A server of 2025-11-25 without sessions that answers as it is told; undefined leaves the request as it is. `seen` gets
 * every request. With the capability `own` it answers `initialize` too.
 */
export function rawServer(
  answer: RawAnswer,
  capabilities: Record<string, unknown> = { tools: {} },
  seen: (RawRequest & { readonly headers: IncomingMessage['headers'] })[] = [],
): RequestListener {
  const serve = async (incoming: IncomingMessage, response: ServerResponse) => {
    const request = incoming.method === 'POST' ? ((await json(incoming)) as RawRequest) : undefined
    if (request?.id === undefined) {
      response.writeHead(request === undefined ? 405 : 202).end()
      return
    }
    seen.push({ ...request, headers: incoming.headers })
    const result = await (builtIn(request, capabilities) ?? answer(request, incoming, response))
    if (result === undefined) return
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: request.id, ...result }))
  }
  return (incoming, response) => void serve(incoming, response)
}

function builtIn({ method }: RawRequest, capabilities: Record<string, unknown>): Record<string, unknown> | undefined {
  if (method === 'server/discover') return { error: { code: -32601, message: 'unknown' } }
  if (method === 'ping') return { result: {} }
  if (method !== 'initialize' || capabilities['own'] === true) return undefined
  return { result: { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 'raw', version: '1' } } }
}
