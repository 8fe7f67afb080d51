import { PassThrough } from 'node:stream'
import { StdioServerTransport as StdioV1 } from '@modelcontextprotocol/sdk/server/stdio.js'
import { WebStandardStreamableHTTPServerTransport as HttpV1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { WebStandardStreamableHTTPServerTransport as HttpV2, type Transport } from '@modelcontextprotocol/server'
import { StdioServerTransport as StdioV2, serveStdio } from '@modelcontextprotocol/server/stdio'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { assemble } from '../../src/assembly.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createGuard, type DenialMode, type Guard } from '../../src/guard/index.ts'
import type { DenialOptions } from '../../src/mcp/denial-options.ts'
import { makePlace, type Place } from './place.ts'
import { messagesOf } from './requests.ts'
import { mcpServer } from './sdk-server.ts'
import { serverV1 } from './sdk-v1-server.ts'

let place: Place
let assembly: Awaited<ReturnType<typeof assemble>>
let token: string
beforeAll(async () => {
  place = await makePlace()
  assembly = await assemble(await loadConfig(place.config, { env: {} }))
  token = await place.token('alice', { roles: ['meteorologist'] })
})
afterAll(async () => {
  await assembly.close()
  await place.remove()
})

async function guardOf(denials: DenialMode | Partial<DenialOptions>): Promise<Guard> {
  const guard = await createGuard({ authorizer: assembly.authorizer, denials, read: { batches: true } })
  onTestFinished(() => guard.close())
  return guard
}

type Params = Readonly<Record<string, unknown>>
type Said = { readonly clientName?: string; readonly userAgent?: string; readonly credential?: () => string }

/** A session with a server: what it answers to a request, as it comes over the line. */
interface Session {
  ask(method: string, params: Params): Promise<string>
}

/** Begins a session with a server whose transport is guarded, or with the server bare. */
type Open = (guard: Guard | undefined, said?: Said) => Promise<Session>

const prefix = 'io.modelcontextprotocol/'
const initialize = (version: string, name: string) => ({
  protocolVersion: version,
  capabilities: {},
  clientInfo: { name, version: '1' },
})

const stdio =
  (sdk: 'v1' | 'v2', version: string): Open =>
  async (guard, { clientName = 'test', credential = () => token } = {}) => {
    const [input, output] = [new PassThrough(), new PassThrough()]
    if (sdk === 'v1') {
      const transport = new StdioV1(input, output)
      await serverV1([]).connect((guard?.transport(transport, { credential }) ?? transport) as TransportV1)
    } else {
      const transport = new StdioV2(input, output)
      serveStdio(() => mcpServer([]), { transport: guard?.transport(transport, { credential }) ?? transport })
    }
    const isModern = version === '2026-07-28'
    const clientInfo = { name: clientName, version: '1' }
    const meta = {
      [`${prefix}protocolVersion`]: version,
      [`${prefix}clientInfo`]: clientInfo,
      [`${prefix}clientCapabilities`]: {},
    }
    const lines = linesOf(output)
    const send = (message: Params) => void input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
    const ask = async (method: string, params: Params): Promise<string> => {
      send({ id: 7, method, params: isModern ? { ...params, _meta: meta } : params })
      return await lines()
    }
    if (!isModern) {
      await ask('initialize', initialize(version, clientName))
      send({ method: 'notifications/initialized' })
    }
    return { ask }
  }

/** Answers with the next line that is no notification. */
function linesOf(output: PassThrough): () => Promise<string> {
  let text = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return async () => {
    for (;;) {
      await expect.poll(() => text, { interval: 1, timeout: 5000 }).toContain('\n')
      const end = text.indexOf('\n')
      const line = text.slice(0, end)
      text = text.slice(end + 1)
      if (line.includes('"id"')) return line
    }
  }
}

const http =
  (
    sdk: 'v1' | 'v2',
    { version, enableJsonResponse = false }: { version: string; enableJsonResponse?: boolean },
  ): Open =>
  async (guard, { clientName = 'test', userAgent = 'test/1' } = {}) => {
    const options = { sessionIdGenerator: () => 'session-1', enableJsonResponse }
    const transport = sdk === 'v1' ? new HttpV1(options) : new HttpV2(options)
    const guarded = guard?.transport(transport) ?? transport
    if (sdk === 'v1') await serverV1([]).connect(guarded as TransportV1)
    else await mcpServer([]).connect(guarded as Transport)
    const send = async (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
      const request = new Request('http://mcp.test/mcp', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: `Bearer ${token}`,
          'user-agent': userAgent,
          ...headers,
        },
        body: JSON.stringify(body),
      })
      const response = await transport.handleRequest(request)
      const fields = Object.fromEntries(response.headers)
      return JSON.stringify([response.status, fields]) + (await response.text())
    }
    await send({ jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize(version, clientName) })
    const session = { 'mcp-session-id': 'session-1', 'mcp-protocol-version': version }
    return {
      ask: async (method, params) => await send({ jsonrpc: '2.0', id: 7, method, params }, session),
    }
  }

/** The JSON-RPC message in what came over the line. */
function messageIn(answer: string): unknown {
  const message = answer.includes('data: ') ? messagesOf(answer).at(-1) : JSON.parse(answer.replace(/^\[.*?\}\]/, ''))
  return message
}

const old = '2025-11-25'
const servers: readonly (readonly [name: string, hideLike: DenialOptions['hideLike'], open: Open])[] = [
  ['v1 on stdio', { sdk: 'v1', json: false }, stdio('v1', old)],
  ['v2 on stdio, before 2026-07-28', { sdk: 'v2', json: false }, stdio('v2', old)],
  ['v2 on stdio, 2026-07-28', { sdk: 'v2', json: false }, stdio('v2', '2026-07-28')],
  ['v2 on stdio, 2026-07-28, which v1 does not speak', { sdk: 'v1', json: true }, stdio('v2', '2026-07-28')],
  ['v1 over HTTP', { sdk: 'v1', json: false }, http('v1', { version: old })],
  ['v1 over HTTP, in JSON', { sdk: 'v1', json: true }, http('v1', { version: old, enableJsonResponse: true })],
  ['v2 over HTTP', { sdk: 'v2', json: false }, http('v2', { version: '2025-06-18' })],
]

const calls: readonly (readonly [method: string, hidden: Params, absent: Params])[] = [
  ['tools/call', { name: 'files_wipe', arguments: {} }, { name: 'absent', arguments: {} }],
  ['prompts/get', { name: 'files_summary' }, { name: 'absent' }],
  ['resources/read', { uri: 'files://index' }, { uri: 'absent://index' }],
  ['resources/read', { uri: 'files://by-name/a' }, { uri: 'absent://by-name/a' }],
]

describe.each(servers)('what is hidden by the transport of a server of %s', (_, hideLike, open) => {
  it.each(calls)('is answered byte for byte as what it does not have: %s %j', async (method, hidden, absent) => {
    const bare = await (await open(undefined)).ask(method, absent)
    const guarded = await open(await guardOf({ default: 'hide', hideLike }))
    expect((await guarded.ask(method, hidden)).replaceAll(/files_wipe|files_summary|files(?=:)/g, 'absent')).toBe(bare)
    expect(await guarded.ask(method, absent)).toBe(bare)
    expect(bare).toContain('not found')
  })

  it('is not what is allowed', async () => {
    const { ask } = await open(await guardOf({ default: 'hide', hideLike }))
    const answer = messageIn(await ask('tools/call', { name: 'weather_alerts', arguments: {} }))
    expect(answer).toMatchObject({ id: 7, result: { content: [{ text: 'weather_alerts' }] } })
  })
})

const error = (code: number) => ({ error: { code, data: { reason: 'role_missing', decision_id: expect.any(String) } } })
const text = expect.stringContaining('no role or grant of the subject allows it (role_missing, decision ')
const result = { result: { content: [{ type: 'text', text }], isError: true } }
const modes: readonly (readonly [mode: DenialMode, ofTools: object, ofPrompts: object])[] = [
  ['explicit', error(403), error(403)],
  ['challenge', error(403), error(403)],
  ['rpc', error(403), error(403)],
  ['tool-result', result, error(403)],
  ['coaz', error(-32001), error(-32001)],
]

describe.each(servers)('a denial by the transport of a server of %s', (name, _, open) => {
  it.each(modes)('has the message of mode %s', async (mode, ofTools, ofPrompts) => {
    const { ask } = await open(await guardOf(mode))
    const tool = messageIn(await ask('tools/call', { name: 'files_wipe', arguments: {} }))
    expect(tool).toMatchObject({ jsonrpc: '2.0', id: 7, ...ofTools })
    const isModern = name.includes('2026-07-28') && !name.includes('before')
    const { result: said } = tool as { result?: object }
    if (said !== undefined) expect('resultType' in said).toBe(isModern)
    const prompt = messageIn(await ask('prompts/get', { name: 'files_summary' }))
    expect(prompt).toMatchObject({ jsonrpc: '2.0', id: 7, ...ofPrompts })
  })
})

describe('a denial by a transport', () => {
  const wipe = { name: 'files_wipe', arguments: {} }
  const by = (match: DenialOptions['clients'][number]['match']): Partial<DenialOptions> => ({
    default: 'rpc',
    clients: [{ match, mode: 'coaz' }],
  })

  it.each([
    ['v1', stdio('v1', old)],
    ['v2', stdio('v2', old)],
    ['2026-07-28', stdio('v2', '2026-07-28')],
    ['HTTP', http('v1', { version: old })],
  ] as const)('has the form for the client that `initialize`, or each request, names: %s', async (_, open) => {
    const guard = await guardOf(by({ clientName: 'agent' }))
    const agent = await open(guard, { clientName: 'agent' })
    for (let times = 0; times < 2; times += 1)
      expect(messageIn(await agent.ask('tools/call', wipe))).toMatchObject(error(-32001))
    const other = await open(guard, { clientName: 'another' })
    expect(messageIn(await other.ask('tools/call', wipe))).toMatchObject(error(403))
  })

  it.each([
    ['stdio', '2025-06-18', stdio('v1', '2025-06-18')],
    ['stdio', '2026-07-28', stdio('v2', '2026-07-28')],
    ['HTTP', '2025-06-18', http('v2', { version: '2025-06-18' })],
  ] as const)('has the form for the version of the session: %s, %s', async (_, protocolVersion, open) => {
    const { ask } = await open(await guardOf(by({ protocolVersion })))
    expect(messageIn(await ask('tools/call', wipe))).toMatchObject(error(-32001))
    const other = await open(await guardOf(by({ protocolVersion: old })))
    expect(messageIn(await other.ask('tools/call', wipe))).toMatchObject(error(403))
  })

  it('has the form for the User-Agent of its HTTP request, and none on stdio', async () => {
    const guard = await guardOf(by({ userAgent: 'python-httpx/' }))
    const python = await http('v1', { version: old })(guard, { userAgent: 'python-httpx/0.28.1' })
    expect(messageIn(await python.ask('tools/call', wipe))).toMatchObject(error(-32001))
    const local = await stdio('v1', old)(guard)
    expect(messageIn(await local.ask('tools/call', wipe))).toMatchObject(error(403))
  })

  it('has its form also where no decision could be made', async () => {
    let isBroken = false
    const credential = () => {
      if (isBroken) throw new Error('the vault is shut')
      return token
    }
    const { ask } = await stdio('v1', old)(await guardOf(by({ clientName: 'agent' })), {
      clientName: 'agent',
      credential,
    })
    isBroken = true
    const failed = { error: { code: -32603, data: { reason: 'policy_error' } } }
    expect(messageIn(await ask('tools/call', wipe))).toMatchObject(failed)
  })
})

describe('a batch that a transport denies', () => {
  class Wire {
    readonly sent: object[] = []
    onmessage?: ((message: unknown, extra?: unknown) => void) | undefined
    async start(): Promise<void> {}
    async send(message: object): Promise<void> {
      this.sent.push(message)
    }
    async close(): Promise<void> {}
  }

  async function answersTo(mode: DenialMode, ...names: readonly string[]): Promise<readonly object[]> {
    const wire = new Wire()
    const guarded = (await guardOf(mode)).transport(wire)
    guarded.onmessage = () => expect.unreachable()
    const headers = { authorization: `Bearer ${token}`, 'mcp-protocol-version': '2025-03-26' }
    const extra = { requestInfo: { headers } }
    names.forEach((name, id) => {
      wire.onmessage?.({ jsonrpc: '2.0', id, method: 'tools/call', params: { name } }, extra)
    })
    await expect.poll(() => wire.sent.length).toBe(names.length)
    return wire.sent
  }

  it('says alike, under hide, whatever is hidden', async () => {
    const data = { reason: 'item_unknown', decision_id: expect.any(String) }
    const said = (id: number) => ({
      jsonrpc: '2.0',
      id,
      error: { code: 403, message: 'there is no such item', data },
    })
    expect(await answersTo('hide', 'weather_alerts', 'files_wipe')).toEqual([said(0), said(1)])
    expect(await answersTo('hide', 'weather_alerts', 'absent')).toEqual([said(0), said(1)])
  })

  it('has the explicit form in every other mode', async () => {
    for (const mode of ['explicit', 'challenge', 'rpc', 'tool-result', 'coaz'] as const)
      expect(await answersTo(mode, 'weather_alerts', 'files_wipe')).toMatchObject([
        { id: 0, ...error(403) },
        { id: 1, ...error(403) },
      ])
  })
})
