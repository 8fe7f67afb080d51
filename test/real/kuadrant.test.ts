import { expect, test } from 'vitest'
import { errorIn, type HeaderLines, type HttpAnswer, mcpHeaders, reasonIn, send, toolCall } from './http-client.ts'
import { real, usePlace } from './place.ts'

const place = usePlace({ documented: () => undefined }, { profile: 'kuadrant' })
const forged: HeaderLines = [
  ['x-mcp-authorized', 'forged'],
  ['X-MCP-Authorized', 'forged too'],
  ['x-mcp-verified-sub', 'root'],
  ['router-key', 'forged'],
]

real('profile kuadrant, where the broker answers', () => {
  const brokers: readonly (readonly [string, string, HeaderLines])[] = [
    ['a list', message('tools/list'), routed('mcpBroker', ['x-mcp-method', 'tools/list'])],
    ['a list that no router marked', message('tools/list'), []],
    ['initialize', initialize(), routed('mcpBroker', ['x-mcp-method', 'initialize'])],
  ]
  test.each(brokers)('%s gets the token', async (_, body, lines) => {
    expect((await post(body, [...lines, ...forged])).status).toBe(200)
    const [request, ...more] = place().upstream.take()
    expect(more).toEqual([])
    const [token = '', ...others] = request?.header('x-mcp-authorized') ?? []
    expect([(await place().service.verify(token)).sub, others]).toEqual(['alice', []])
    expect([...(request?.header('x-mcp-verified-sub') ?? []), ...(request?.header('router-key') ?? [])]).toEqual([])
    // What the router says stays for the broker.
    expect(request?.header('x-mcp-servername')).toEqual(lines.length > 0 ? ['mcpBroker'] : [])
  })

  test('a tool of the broker is no item, and gets the token', async () => {
    await post(toolCall('discover_tools'), routed('mcpBroker', ['x-mcp-method', 'tools/call']))
    const [request] = place().upstream.take()
    await place().service.verify(request?.header('x-mcp-authorized')[0] ?? '')
    const unmarked = await post(toolCall('discover_tools'), [])
    expect([unmarked.status, reasonIn(unmarked)]).toEqual([403, 'item_unknown'])
    expect(place().upstream.take()).toEqual([])
  })
})

real('profile kuadrant, where an upstream answers', () => {
  test('a call goes there under its upstream name, without any x-mcp-authorized', async () => {
    const lines = routed('weather', ['x-mcp-toolname', 'forecast'], ['x-mcp-method', 'tools/call'])
    const answer = await post(toolCall('forecast'), [...lines, ...forged])
    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('forecast says hello')])
    const [request] = place().upstream.take()
    expect(request?.header('x-mcp-authorized')).toEqual([])
    expect(request?.header('x-mcp-toolname')).toEqual(['forecast'])
    expect([...(request?.header('x-mcp-verified-sub') ?? []), ...(request?.header('router-key') ?? [])]).toEqual([])
  })

  test("the router's own initialize passes with the tool it is for", async () => {
    const lines = routed('weather', ['x-mcp-toolname', 'forecast'], ['x-mcp-method', 'initialize'])
    expect((await post(initialize(), [...lines, ...forged])).status).toBe(200)
    expect(
      place()
        .upstream.take()
        .map(({ header }) => header('x-mcp-authorized')),
    ).toEqual([[]])
  })

  const disagreeing: readonly (readonly [string, HeaderLines])[] = [
    ['x-mcp-toolname of another tool', routed('weather', ['x-mcp-toolname', 'alerts'])],
    ['x-mcp-toolname twice', routed('weather', ['x-mcp-toolname', 'forecast'], ['x-mcp-toolname', 'forecast'])],
    ['x-mcp-method of another method', routed('weather', ['x-mcp-method', 'tools/list'])],
    ['x-mcp-promptname', routed('weather', ['x-mcp-promptname', 'forecast'])],
    ['two servers', [...routed('weather'), ...routed('files')]],
  ]
  test.each(disagreeing)('%s beside a call is refused', async (_, lines) => {
    const answer = await post(toolCall('forecast', 9), lines)
    expect(answer.status).toBe(400)
    expect(errorIn(answer)).toMatchObject({ id: 9, error: { code: -32020, data: { reason: 'header_mismatch' } } })
    expect(place().upstream.take()).toEqual([])
  })

  test('what the caller may not use there is refused', async () => {
    const answer = await post(toolCall('read'), routed('files', ['x-mcp-toolname', 'read']))
    expect([answer.status, reasonIn(answer)]).toEqual([403, 'role_missing'])
    expect(place().upstream.take()).toEqual([])
  })

  test('a body is needed', async () => {
    const lines = routed('weather', ['x-mcp-toolname', 'forecast'], ['x-mcp-method', 'tools/call'])
    expect(reasonIn(await post('', lines))).toBe('body_missing')
    expect(place().upstream.take()).toEqual([])
  })
})

function routed(server: string, ...more: HeaderLines): HeaderLines {
  return [['x-mcp-servername', server], ...more]
}

function message(method: string, params: object = {}): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
}

function initialize(): string {
  const clientInfo = { name: 'test', version: '1' }
  return message('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
}

async function post(body: string, lines: HeaderLines): Promise<HttpAnswer> {
  const headers = [...mcpHeaders(await place().installation.token()), ...lines]
  return await send(place().envoy.port('documented'), { headers, body })
}
