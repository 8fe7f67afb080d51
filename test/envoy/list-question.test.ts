import { type Client, status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Attempt, Outcome } from '../../src/authorizer/attempt.ts'
import { readListQuestion, writeListQuestion } from '../../src/envoy/list-question.ts'
import { createEnvoyDoor, type EnvoyDoor } from '../../src/envoy/server.ts'
import { allow, bearerGood, recording, strict } from './authorizers.ts'
import { check, connect } from './clients.ts'
import { bodyOf, json, leaving, openExchange, requestOf, seeing } from './exchanges.ts'
import { decodeCheckResponse, type HttpFields, headersOf, post, removals, statusCode } from './messages.ts'

let door: EnvoyDoor
let client: Client
let asked: ReturnType<typeof seeing>

/** Like an authorizer that knows the caller; whoever asks with `Bearer bad` is denied. */
function decide(attempt: Attempt): Outcome {
  if (!bearerGood(attempt).decision.allow) return bearerGood(attempt)
  const expiresAt = Math.floor(Date.now() / 1000) + 60
  return { ...allow(attempt), subject: { id: 'alice', grants: {}, roles: [], expiresAt } }
}

beforeAll(async () => {
  asked = seeing()
  const authorizer = { ...recording(decide), visible: asked.visible }
  door = await createEnvoyDoor({ authorizer, read: strict, address: '127.0.0.1:0' })
  client = connect(door.address)
})
afterAll(async () => {
  client.close()
  await door.drain({ deadlineMs: 0 })
})

const filtered = { mcp_list_filter: 'ext_proc', mcp_server: 'weather' }
const message = (method: string, id: unknown = 1) => ({ jsonrpc: '2.0', id, method, params: paramsOf(method) })
const paramsOf = (method: string) => (method === 'tools/call' ? { name: 'forecast' } : {})

async function checked(method: string, http: HttpFields = {}, context: Record<string, string> = filtered) {
  return await check(client, post(message(method), http, context))
}

function questionIn(reply: Buffer): string | undefined {
  return decodeCheckResponse(reply).dynamic_metadata?.fields['list_filter']?.stringValue
}

describe('a check where lists are filtered', () => {
  it.each(['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'])(
    'of %s says how, and routes to the filter',
    async (method) => {
      const reply = await checked(method, { headers: { 'x-mcp-virtualserver': 'team/desk' } })
      expect(headersOf(reply)['x-mcp-authz-filter']).toBe('list')
      expect(removals(reply)).not.toContain('x-mcp-authz-filter')
      const said = JSON.parse(questionIn(reply) ?? '') as Record<string, unknown>
      expect(said).toMatchObject({ server: 'weather', virtualServers: ['team/desk'], id: '1' })
      expect(said['expiresAt']).toBeGreaterThan(Date.now() / 1000)
    },
  )

  it.each(['tools/call', 'ping', 'initialize'])('of %s routes past the filter, whatever was forged', async (method) => {
    const reply = await checked(method, { headers: { 'x-mcp-authz-filter': 'list' } })
    expect(headersOf(reply)['x-mcp-authz-filter']).toBe('none')
    expect(questionIn(reply)).toBe('none')
  })

  it('of a GET, which may say again what was listed, routes to the filter', async () => {
    const headers = { authorization: 'Bearer good', accept: 'text/event-stream' }
    const reply = await check(client, post({}, { method: 'GET', raw_body: Buffer.alloc(0), headers }, filtered))
    expect(headersOf(reply)['x-mcp-authz-filter']).toBe('list')
    expect(questionIn(reply)).toContain('"virtualServers":[]')
  })

  it('that denies says nothing of lists', async () => {
    const reply = await checked('tools/list', { headers: { authorization: 'Bearer bad' } })
    expect(statusCode(reply)).toBe(16)
    expect(questionIn(reply)).toBeUndefined()
    expect(headersOf(reply)).not.toHaveProperty('x-mcp-authz-filter')
  })

  it('is as ever where nothing filters', async () => {
    const reply = await checked('tools/list', {}, { mcp_server: 'weather' })
    expect(headersOf(reply)).not.toHaveProperty('x-mcp-authz-filter')
    expect(removals(reply)).toContain('x-mcp-authz-filter')
    expect(questionIn(reply)).toBeUndefined()
  })
})

it('what the check says is what the filter asks by', async () => {
  const question = questionIn(await checked('tools/list', { headers: { 'x-mcp-virtualserver': 'team/desk' } }))
  const exchange = openExchange(client)
  await exchange.send(requestOf('alice', question))
  await exchange.send(json)
  const list = { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'wipe' }, { name: 'forecast' }], ttlMs: 1e9 } }
  const { result } = JSON.parse(leaving(await exchange.send(bodyOf(JSON.stringify(list))))) as typeof list
  expect(await exchange.end()).toBe(status.OK)
  expect(result.tools).toEqual([{ name: 'forecast' }])
  expect(result.ttlMs).toBeLessThanOrEqual(60_000)
  expect(asked.queries).toMatchObject([{ type: 'tool', server: 'weather', virtualServers: ['team/desk'] }])
})

describe('the question', () => {
  it('is read as it was written', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 50 })
    const optional = fc.option(text, { nil: undefined })
    const query = fc.record({
      server: optional,
      virtualServers: fc.array(fc.option(fc.string({ unit: 'binary' }))),
      rpcId: fc.option(fc.record({ text }), { nil: undefined }),
      address: optional,
      brokerTool: optional,
      expiresAt: fc.option(fc.integer({ min: 0 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(query, (asking) => {
        expect(readListQuestion(writeListQuestion(asking))).toEqual(asking)
      }),
    )
  })

  it('leaves an id out that is too long to be carried along', () => {
    const nothing = { server: undefined, address: undefined, brokerTool: undefined, expiresAt: undefined }
    const asking = { ...nothing, virtualServers: [] }
    const long = { ...asking, rpcId: { text: `"${'a'.repeat(2000)}"` } }
    expect(readListQuestion(writeListQuestion(long))).toEqual({ ...asking, rpcId: undefined })
  })

  it('is never read from what nobody wrote', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const reading = readListQuestion(text)
        if (reading !== undefined && reading !== 'none') expect(JSON.parse(text)).toHaveProperty('virtualServers')
        if (reading === 'none') expect(text).toBe('none')
      }),
    )
  })
})
