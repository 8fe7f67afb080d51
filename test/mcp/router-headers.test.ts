import { describe, expect, it } from 'vitest'
import type { ReadOptions } from '../../src/mcp/reading.ts'
import { type Case, tested } from './cases.ts'
import { type HeaderFields, kuadrant, outcome, post, rpc, strict, toolCall } from './requests.ts'

const response = '{"jsonrpc":"2.0","id":1,"result":{}}'

describe("the router's headers in profile strict", () => {
  const five = ['x-mcp-servername', 'x-mcp-toolname', 'x-mcp-promptname', 'x-mcp-resourceuri', 'x-mcp-method']
  tested([
    ...five.map((name): Case => [toolCall, { [name]: '' }, 'header_forbidden']),
    ...five.map((name): Case => [response, { [name]: ['a', 'b'] }, 'header_forbidden']),
    [toolCall, { 'x-mcp-toolname': 'forecast', 'mcp-name': 'alerts' }, 'header_forbidden'],
    [rpc('nonsense'), { 'x-mcp-method': 'nonsense' }, 'header_forbidden'],
    [rpc('tools/call', {}), { 'x-mcp-method': 'tools/call' }, 'body_malformed'],
    [toolCall, { 'x-mcp-authorized': 'x', 'router-key': 'x' }, 'read'],
    [toolCall, { 'router-key': 'x', 'mcp-init-host': 'x' }, 'header_forbidden'],
    [rpc('initialize'), { 'router-key': 'x', 'mcp-init-host': 'x' }, 'header_forbidden'],
    [rpc('initialize'), { 'mcp-init-host': [] }, 'read'],
  ])
})

const read = rpc('resources/read', { uri: 'ui://board.html' })
tested(
  [
    [toolCall, { 'x-mcp-method': 'tools/call', 'x-mcp-toolname': 'forecast', 'x-mcp-servername': 'ns/a' }, 'read'],
    [toolCall, { 'x-mcp-method': 'tools/list' }, 'header_mismatch'],
    [toolCall, { 'x-mcp-method': '' }, 'header_mismatch'],
    [toolCall, { 'x-mcp-method': ['tools/call', 'tools/call'] }, 'header_mismatch'],
    [toolCall, { 'x-mcp-toolname': 'alerts' }, 'header_mismatch'],
    [toolCall, { 'x-mcp-toolname': ['forecast', 'forecast'] }, 'header_mismatch'],
    [toolCall, { 'x-mcp-promptname': 'forecast' }, 'header_mismatch'],
    [toolCall, { 'x-mcp-resourceuri': '' }, 'header_mismatch'],
    [toolCall, { 'x-mcp-servername': ['ns/a', 'ns/a'] }, 'header_mismatch'],
    [rpc('prompts/get', { name: 'hello' }), { 'x-mcp-promptname': 'hello' }, 'read'],
    [rpc('prompts/get', { name: 'hello' }), { 'x-mcp-toolname': 'hello' }, 'header_mismatch'],
    [read, { 'x-mcp-resourceuri': ' ui://board.html ' }, 'read'],
    [read, { 'x-mcp-resourceuri': 'ui://board.htm' }, 'header_mismatch'],
    [rpc('resources/subscribe', { uri: 'a:b' }), { 'x-mcp-resourceuri': 'a:b' }, 'read'],
    [rpc('resources/unsubscribe', { uri: 'a:b' }), { 'x-mcp-resourceuri': 'a:b' }, 'read'],
    [rpc('resources/unsubscribe', { uri: 'a:b' }), { 'x-mcp-resourceuri': 'a:c' }, 'header_mismatch'],
    [rpc('resources/unsubscribe'), { 'x-mcp-resourceuri': 'a:b' }, 'header_mismatch'],
    [rpc('tools/list', { name: 'a' }), { 'x-mcp-toolname': 'a' }, 'header_mismatch'],
    [rpc('initialize'), { 'x-mcp-toolname': 'greet', 'x-mcp-method': 'tools/call' }, 'read'],
    [rpc('initialize'), { 'x-mcp-toolname': ['greet', 'greet'] }, 'header_mismatch'],
    ['{"jsonrpc":"2.0","method":"notifications/initialized"}', { 'x-mcp-toolname': 'greet' }, 'read'],
    ['{"jsonrpc":"2.0","method":"notifications/cancelled"}', { 'x-mcp-toolname': 'greet' }, 'header_mismatch'],
    [rpc('initialize'), { 'mcp-method': 'tools/call' }, 'header_mismatch'],
    [response, { 'x-mcp-method': 'response' }, 'header_mismatch'],
  ],
  kuadrant,
)

it.each([
  [undefined, undefined, { brokerAnswers: true }],
  ['mcpBroker', undefined, { brokerAnswers: true }],
  [' ns/a\t', undefined, { brokerAnswers: false, server: 'ns/a' }],
  ['', undefined, { brokerAnswers: false, server: '' }],
  ['MCPBROKER', undefined, { brokerAnswers: false, server: 'MCPBROKER' }],
  [undefined, 'ns/a', { brokerAnswers: true, server: 'ns/a' }],
  ['ns/a', 'ns/a', { brokerAnswers: false, server: 'ns/a' }],
  ['__proto__', undefined, { brokerAnswers: false, server: '__proto__' }],
])('servername %j at a door for %j gives %j', (sent, server, expected) => {
  const headers = sent === undefined ? {} : { 'x-mcp-servername': sent }
  const reading = post(toolCall, headers, kuadrant, { server })
  expect(reading).toMatchObject({ ok: true, ...expected })
  expect('server' in reading).toBe('server' in expected)
})

it.each(['mcpBroker', 'ns/b', '', 'ns/A'])('refuses servername %j at a door for another server', (sent) => {
  expect(outcome(post(toolCall, { 'x-mcp-servername': sent }, kuadrant, { server: 'ns/a' }))).toBe('header_mismatch')
})

it.each(['discover_tools', 'select_tools', 'list_tags', 'filter_tools_by_tags'])(
  "makes the broker's own %s a thing of the server as a whole, only where the router says so",
  (name) => {
    const asked = (headers: HeaderFields, options: ReadOptions, method = 'tools/call'): unknown => {
      const reading = post(rpc(method, { name }), headers, options)
      return reading.ok ? reading.asks[0]?.target : reading.code
    }
    expect(asked({ 'x-mcp-servername': 'mcpBroker' }, kuadrant)).toEqual({ type: 'server', name })
    expect(asked({ 'x-mcp-servername': 'mcpBroker' }, kuadrant, 'prompts/get')).toEqual({
      type: 'prompt',
      name,
      arguments: {},
    })
    expect(asked({ 'x-mcp-servername': 'ns/a' }, kuadrant)).toEqual({ type: 'tool', name, arguments: {} })
    expect(asked({}, kuadrant)).toEqual({ type: 'tool', name, arguments: {} })
    expect(asked({}, strict)).toEqual({ type: 'tool', name, arguments: {} })
  },
)

describe('virtual servers', () => {
  it.each([
    [undefined, undefined, []],
    ['team/desk', undefined, ['team/desk']],
    [undefined, ' a ', ['a']],
    ['team/desk', 'team/desk', ['team/desk', 'team/desk']],
    ['team/desk', 'b', ['team/desk', 'b']],
    [undefined, '', ['']],
    ['', undefined, ['']],
    [undefined, ['a', 'a'], [null]],
    ['team/desk', ['a', 'b'], ['team/desk', null]],
  ])('of door %j and header %j are all kept', (virtualServer, header, virtualServers) => {
    const headers: HeaderFields = header === undefined ? {} : { 'x-mcp-virtualserver': header }
    expect(post(toolCall, headers, strict, { virtualServer })).toMatchObject({ ok: true, virtualServers })
  })
})
