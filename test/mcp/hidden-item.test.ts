import { McpServer as McpServerV1, ResourceTemplate as TemplateV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport as TransportV1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { Transport as TransportOfV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { createMcpHandler, McpServer, ResourceTemplate } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { denialForm } from '../../src/mcp/denial-form.ts'
import { explicitDenials, type HideLike } from '../../src/mcp/denial-options.ts'
import { readHttp } from '../../src/mcp/request.ts'
import { messageOf } from '../../src/policy/reasons.ts'
import { strict } from './requests.ts'

type Send = (request: Request) => Promise<Response>
type Params = Readonly<Record<string, unknown>>
const url = 'weather://stations/{id}'

/** What an SDK server with a tool, a prompt, a resource and a template answers, by its own means. */
function sendV2(): Send {
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'v2', version: '1' })
    server.registerTool('there', {}, () => ({ content: [] }))
    server.registerPrompt('there', {}, () => ({ messages: [] }))
    server.registerResource('there', 'weather://there', {}, () => ({ contents: [] }))
    const template = new ResourceTemplate(url, { list: undefined, complete: { id: () => [] } })
    server.registerResource('station', template, {}, () => ({ contents: [] }))
    return server
  })
  return async (request) => await handler.fetch(request)
}

function sendV1(options: { enableJsonResponse?: boolean; session?: string } = {}): Send {
  const { session, enableJsonResponse = false } = options
  const server = new McpServerV1({ name: 'v1', version: '1' })
  server.registerTool('there', {}, () => ({ content: [] }))
  server.registerPrompt('there', {}, () => ({ messages: [] }))
  server.registerResource('there', 'weather://there', {}, () => ({ contents: [] }))
  const template = new TemplateV1(url, { list: undefined, complete: { id: () => [] } })
  server.registerResource('station', template, {}, () => ({ contents: [] }))
  const generator = session === undefined ? {} : { sessionIdGenerator: () => session }
  const transport = new TransportV1({ ...generator, enableJsonResponse })
  const connected = server.connect(transport as TransportOfV1)
  return async (request) => {
    await connected
    return await transport.handleRequest(request)
  }
}

const names = ['nothing', '', 'a "b" \\ é 😀', '__proto_', '\u2028']
const uris = ['weather://nothing', 'WEATHER://Nothing/../a b', 'HTTP://Example.COM:80/%7e', 'no uri', '']
const calls: readonly (readonly [method: string, params: Params])[] = [
  ...names.map((name) => ['tools/call', { name, arguments: {} }] as const),
  ...names.map((name) => ['prompts/get', { name }] as const),
  ...uris.map((uri) => ['resources/read', { uri }] as const),
  ...names.map((name) => ['completion/complete', completion({ type: 'ref/prompt', name })] as const),
  ...uris.map((uri) => ['completion/complete', completion({ type: 'ref/resource', uri })] as const),
]

function completion(ref: Params): Params {
  return { ref, argument: { name: 'id', value: '' } }
}

const ids = [7, '"seven"', 0]

function requestOf(method: string, params: Params, version: string, more: Readonly<Record<string, string>> = {}) {
  const prefix = 'io.modelcontextprotocol/'
  const modern = { [`${prefix}protocolVersion`]: version, [`${prefix}clientInfo`]: { name: 'c', version: '1' } }
  const isModern = version === '2026-07-28'
  const _meta = { ...modern, [`${prefix}clientCapabilities`]: {} }
  const name = params['name'] ?? params['uri']
  const mirrored = { 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': base64(name) }) }
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': version,
    ...(isModern ? mirrored : {}),
    ...more,
  }
  return (id: unknown) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: isModern ? { ...params, _meta } : params })
    return { headers, body }
  }
}

function base64(text: string): string {
  return `=?base64?${Buffer.from(text).toString('base64')}?=`
}

/** Status, headers and bytes of what the server answers, but for the header that is between two hops. */
async function answerOf(send: Send, asked: { headers: Record<string, string>; body: string }): Promise<unknown> {
  const response = await send(new Request('http://mcp.test/mcp', { method: 'POST', ...asked }))
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'connection'))
  return { status: response.status, headers, body: await response.text() }
}

function hidden({ headers, body }: { headers: Record<string, string>; body: string }, hideLike: HideLike): unknown {
  const fields = new Map(Object.entries(headers).map(([name, value]) => [name, [value]]))
  const reading = readHttp({ method: 'POST', headers: fields, body: Buffer.from(body) }, {}, strict)
  expect(reading.ok).toBe(true)
  const options = { ...explicitDenials, default: 'hide', hideLike } as const
  const reason = { code: 'role_missing', message: messageOf('role_missing') } as const
  const form = denialForm('d-1', reason, { headers: fields, reading, options })
  return { status: form.status, headers: Object.fromEntries(form.headers), body: form.body }
}

const servers: readonly (readonly [name: string, version: string, like: HideLike, send: () => Send])[] = [
  ['v2', '2026-07-28', { sdk: 'v2', json: false }, sendV2],
  ['v2, which alone speaks it', '2026-07-28', { sdk: 'v1', json: true }, sendV2],
  ['v2', '2025-11-25', { sdk: 'v2', json: false }, sendV2],
  ['v2', '2025-06-18', { sdk: 'v2', json: false }, sendV2],
  ['v1', '2025-11-25', { sdk: 'v1', json: false }, sendV1],
  ['v1, in JSON', '2025-06-18', { sdk: 'v1', json: true }, () => sendV1({ enableJsonResponse: true })],
]

describe.each(servers)('what is hidden like SDK %s in version %s', (_, version, like, send) => {
  it.each(calls)('is answered byte for byte as what is not there: %s %j', async (method, params) => {
    const [id] = ids
    const asked = requestOf(method, params, version)(id)
    expect(hidden(asked, like)).toEqual(await answerOf(send(), asked))
  })

  it.each(ids)('repeats the id %j', async (id) => {
    const asked = requestOf('tools/call', { name: 'nothing' }, version)(id)
    expect(hidden(asked, like)).toEqual(await answerOf(send(), asked))
  })
})

describe('what is hidden in a session', () => {
  it('is answered byte for byte as what is not there, session included', async () => {
    const send = sendV1({ session: 'session-1' })
    const clientInfo = { name: 'test', version: '1' }
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
    await answerOf(send, requestOf('initialize', params, '2025-11-25')(1))
    const session = { 'mcp-session-id': 'session-1' }
    const asked = requestOf('tools/call', { name: 'nothing' }, '2025-11-25', session)(2)
    expect(hidden(asked, { sdk: 'v1', json: false })).toEqual(await answerOf(send, asked))
  })
})
