import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'

/** A request as it reached the upstream. */
export interface Received {
  readonly method: string
  readonly path: string
  /** Every value of a header, as often as it came. */
  header(name: string): readonly string[]
}

/** An MCP server that remembers what reached it; `/mcp/session` has sessions and a GET stream, every other path none. */
export interface Upstream {
  readonly port: number
  /** What reached it since the last time it was asked. */
  take(): readonly Received[]
  /** Lets the tool `weather_stream`, which says half of its answer first, say the rest. */
  finishStream(): void
  /** Sends an event on the GET streams of all sessions. */
  announce(): Promise<void>
  close(): Promise<void>
}

export const tools = ['weather_forecast', 'weather_alerts', 'weather_stream', 'forecast', 'files_read'] as const

/** Starts the server. */
export async function startUpstream(): Promise<Upstream> {
  let received: Received[] = []
  const gate = new EventEmitter()
  const stateless = toNodeHandler(createMcpHandler(() => newServer(gate)))
  const sessions = createSessions(() => newServer(gate))
  const server = createServer({ keepAlive: true }, (request, response) => {
    received.push(recorded(request))
    const inSession = request.url === '/mcp/session'
    const answer = inSession ? sessions.answer(request, response) : stateless(request as StatelessRequest, response)
    void answer.catch(() => response.destroy())
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
    finishStream: () => void gate.emit('finish'),
    announce: async () => await sessions.announce(),
    close: async () => await close(server),
  }
}

/** The SDK's own type for it, which exactOptionalPropertyTypes keeps apart. */
type StatelessRequest = Parameters<ReturnType<typeof toNodeHandler>>[0]

function recorded({ method = '', url = '', rawHeaders }: IncomingMessage): Received {
  const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1] ?? '']] : []))
  return {
    method,
    path: url,
    header: (wanted) => pairs.flatMap(([name, value]) => (name === wanted && value !== undefined ? [value] : [])),
  }
}

function newServer(gate: EventEmitter): McpServer {
  const server = new McpServer({ name: 'upstream', version: '1' })
  for (const name of tools) {
    server.registerTool(name, { description: name }, async ({ mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken
      if (name === 'weather_stream' && progressToken !== undefined) {
        const finished = once(gate, 'finish')
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
        await finished
      }
      return { content: [{ type: 'text', text: `${name} says hello` }] }
    })
  }
  return server
}

interface Sessions {
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>
  announce(): Promise<void>
}

function createSessions(create: () => McpServer): Sessions {
  const open = new Map<string, { server: McpServer; transport: NodeStreamableHTTPServerTransport }>()
  const begin = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const server = create()
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void open.set(id, { server, transport }),
      onsessionclosed: (id) => void open.delete(id),
    })
    await server.connect(transport)
    return transport
  }
  return {
    async answer(request, response) {
      const id = String(request.headers['mcp-session-id'])
      await (open.get(id)?.transport ?? (await begin())).handleRequest(request, response)
    },
    async announce() {
      for (const { server } of open.values())
        await server.server.notification({ method: 'notifications/tools/list_changed' })
    },
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}
