import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { toNodeHandler } from '@modelcontextprotocol/node'
import {
  createMcpHandler,
  fromJsonSchema,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
  ResourceTemplate,
  type ServerContext,
  type ServerNotifier,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import { binary, constantTools, defaultsSchema, enumsSchema, image, richSchema, textOf } from './conformance-content.ts'
import { registerRounds, stateCodec } from './conformance-rounds.ts'
import { createTasks, registerTaskTools, tasksExtension } from './conformance-tasks.ts'

/** A server that has everything the official conformance suite asks for, as a web-standard handler. */
export interface ConformanceServer {
  readonly fetch: (request: Request) => Promise<Response>
  close(): Promise<void>
}

/** Makes one: 2026-07-28 without sessions, older versions with one transport for each session. */
export function createConformanceServer(): ConformanceServer {
  // Assigned before the first request comes: the handler makes its servers request by request.
  const changes: { notify?: ServerNotifier } = {}
  const tasks = createTasks()
  const modern = createMcpHandler(
    ({ requestInfo }) =>
      requestInfo !== undefined && tasks.isFor(requestInfo)
        ? tasks.server()
        : everything(() => changes.notify, tasksExtension),
    { legacy: 'reject' },
  )
  changes.notify = modern.notify
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  const legacy = async (request: Request): Promise<Response> => {
    const session = request.headers.get('mcp-session-id')
    if (session !== null) return await (sessions.get(session)?.handleRequest(request) ?? noSuchSession())
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await everything(() => undefined, {}).connect(transport)
    return await transport.handleRequest(request)
  }
  return {
    async fetch(request) {
      const foreign =
        hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
        originValidationResponse(request, localhostAllowedOrigins())
      if (foreign !== undefined) return foreign
      return (await isLegacyRequest(request)) ? await legacy(request) : await modern.fetch(request)
    },
    async close() {
      for (const transport of sessions.values()) await transport.close()
      await modern.close()
    },
  }
}

/** A handler on a loopback port. */
export interface Listening {
  readonly port: number
  close(): Promise<void>
}

/** Serves a web-standard handler by Node's server. */
export async function listenTo(handler: (request: Request) => Promise<Response>): Promise<Listening> {
  // Its types of Node's request differ from Node's own under exactOptionalPropertyTypes.
  return await listening(createServer(toNodeHandler({ fetch: handler }) as RequestListener))
}

/** Opens a server on a port of its own. */
export async function listening(server: Server): Promise<Listening> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function noSuchSession(): Response {
  const error = { code: -32001, message: 'Session not found' }
  return Response.json({ jsonrpc: '2.0', id: null, error }, { status: 404 })
}

function everything(
  notifier: () => ServerNotifier | undefined,
  extensions: Record<string, Record<string, never>>,
): McpServer {
  const server = new McpServer(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
        completions: {},
        extensions,
      },
      requestState: { verify: stateCodec.verify },
    },
  )
  registerTools(server, notifier)
  registerRounds(server)
  registerTaskTools(server)
  registerPrompts(server)
  registerResources(server)
  server.server.setRequestHandler('completion/complete', () => ({
    completion: { values: ['paris', 'park'], total: 2 },
  }))
  server.server.setRequestHandler('resources/subscribe', () => ({}))
  server.server.setRequestHandler('resources/unsubscribe', () => ({}))
  return server
}

function registerTools(server: McpServer, notifier: () => ServerNotifier | undefined): void {
  for (const [name, content] of Object.entries(constantTools)) {
    server.registerTool(name, { description: name }, () => ({ content: [...content] }))
  }
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'rich', inputSchema: fromJsonSchema(richSchema) },
    () => done('ok'),
  )
  const region = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } as const
  server.registerTool('mirrored_header', { description: 'SEP-2243', inputSchema: fromJsonSchema(region) }, () =>
    done('ok'),
  )
  const greeted = { type: 'object', properties: { name: { type: 'string' } } } as const
  server.registerTool(
    'greet',
    { description: 'greets', inputSchema: fromJsonSchema<{ name: string }>(greeted) },
    ({ name }) => done(`Hello, ${name}!`),
  )
  server.registerTool('test_error_handling', { description: 'always fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  server.registerTool('test_tool_with_progress', { description: 'reports progress' }, progress)
  server.registerTool('test_tool_with_logging', { description: 'logs' }, log)
  server.registerTool('test_logging_tool', { description: 'logs' }, log)
  server.registerTool('test_trigger_tool_change', { description: 'changes the tools' }, () => {
    notifier()?.toolsChanged()
    return done('changed')
  })
  server.registerTool('test_trigger_prompt_change', { description: 'changes the prompts' }, () => {
    notifier()?.promptsChanged()
    return done('changed')
  })
  server.registerTool('test_reconnection', { description: 'closes its stream' }, async ({ http }) => {
    http?.closeSSE?.()
    await sleep(100)
    return done('closed')
  })
  registerAsking(server)
}

/** Tools of the older versions, which ask the client while they run. */
function registerAsking(server: McpServer): void {
  const inputSchema = (key: string) =>
    fromJsonSchema<Record<string, string>>({
      type: 'object',
      properties: { [key]: { type: 'string' } },
      required: [key],
    })
  server.registerTool(
    'test_sampling',
    { description: 'samples', inputSchema: inputSchema('prompt') },
    async (args, ctx) => {
      const messages = [{ role: 'user', content: textOf(args['prompt'] ?? '') }]
      const { content } = await ctx.mcpReq.send({
        method: 'sampling/createMessage',
        params: { messages, maxTokens: 100 },
      })
      return done(`LLM response: ${JSON.stringify(content)}`)
    },
  )
  const ask = async ({ mcpReq }: ServerContext, message: string, requestedSchema: object) => {
    const { action, content } = await mcpReq.send({
      method: 'elicitation/create',
      params: { message, requestedSchema },
    })
    return `action=${action}, content=${JSON.stringify(content ?? {})}`
  }
  const person = { username: { type: 'string' }, email: { type: 'string' } }
  const schema = { type: 'object', properties: person, required: ['username', 'email'] }
  server.registerTool(
    'test_elicitation',
    { description: 'asks', inputSchema: inputSchema('message') },
    async (args, ctx) => done(`User response: ${await ask(ctx, args['message'] ?? '', schema)}`),
  )
  for (const [name, requested] of [
    ['test_elicitation_sep1034_defaults', defaultsSchema],
    ['test_elicitation_sep1330_enums', enumsSchema],
  ] as const) {
    server.registerTool(name, { description: 'asks' }, async (ctx) =>
      done(`Elicitation completed: ${await ask(ctx, 'Please choose', requested)}`),
    )
  }
}

async function progress({ mcpReq }: ServerContext): Promise<ReturnType<typeof done>> {
  const progressToken = mcpReq._meta?.progressToken
  for (const step of [0, 50, 100]) {
    if (progressToken !== undefined) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: step, total: 100 } })
    }
    if (step !== 100) await sleep(50)
  }
  return done('Tool with progress executed successfully')
}

async function log({ mcpReq }: ServerContext): Promise<ReturnType<typeof done>> {
  for (const text of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await mcpReq.log('info', text)
    await sleep(50)
  }
  return done('Tool with logging executed successfully')
}

function registerPrompts(server: McpServer): void {
  const user = <Content>(content: Content) => ({ role: 'user' as const, content })
  const argsSchema = (...keys: string[]) =>
    fromJsonSchema<Record<string, string>>({
      type: 'object',
      properties: Object.fromEntries(keys.map((key) => [key, { type: 'string', description: key }])),
      required: keys,
    })
  server.registerPrompt('test_simple_prompt', { description: 'simple' }, () => ({
    messages: [user(textOf('This is a simple prompt for testing.'))],
  }))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'arguments', argsSchema: argsSchema('arg1', 'arg2') },
    ({ arg1, arg2 }) => ({ messages: [user(textOf(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))] }),
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'resource', argsSchema: argsSchema('resourceUri') },
    ({ resourceUri: uri = '' }) => {
      const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' }
      const please = textOf('Please process the embedded resource above.')
      return { messages: [user({ type: 'resource' as const, resource }), user(please)] }
    },
  )
  server.registerPrompt('test_prompt_with_image', { description: 'image' }, () => ({
    messages: [user(image), user(textOf('Please analyze the image above.'))],
  }))
}

function registerResources(server: McpServer): void {
  const plain = { description: 'static', mimeType: 'text/plain' }
  const text = 'This is the content of the static text resource.'
  server.registerResource('static-text', 'test://static-text', plain, ({ href: uri }) => ({
    contents: [{ uri, mimeType: 'text/plain', text }],
  }))
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'static', mimeType: 'image/png' },
    ({ href: uri }) => ({ contents: [{ uri, ...binary }] }),
  )
  server.registerResource('watched-resource', 'test://watched-resource', plain, ({ href: uri }) => ({
    contents: [{ uri, mimeType: 'text/plain', text: 'Watched resource content' }],
  }))
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined })
  const json = { description: 'by id', mimeType: 'application/json' }
  server.registerResource('template', template, json, ({ href: uri }, { id }) => {
    const data = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` })
    return { contents: [{ uri, mimeType: 'application/json', text: data }] }
  })
}

function done(text: string): { content: { type: 'text'; text: string }[] } {
  return { content: [textOf(text)] }
}
