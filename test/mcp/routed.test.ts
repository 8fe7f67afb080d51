import { expect, it } from 'vitest'
import type { DoorKnowledge, Reading, ReadOptions } from '../../src/mcp/reading.ts'
import { type HeaderFields, headersOnly, kuadrant, outcome, post, strict, toolCall } from './requests.ts'

it.each([
  [{}, strict],
  [{ 'content-length': '92' }, strict],
  [{ 'content-type': 'text/plain', 'content-encoding': 'gzip' }, strict],
  [{ 'x-envoy-auth-partial-body': 'true' }, strict],
  [{ 'x-mcp-method': 'ping' }, kuadrant],
  [{ 'x-mcp-method': 'ping' }, { ...headersOnly, profile: 'strict' }],
] as [HeaderFields, ReadOptions][])('a POST without a byte at hand is refused as missing: %j', (headers, options) => {
  expect(post('', headers, options)).toMatchObject({ ok: false, code: 'body_missing' })
})

const routed = (headers: HeaderFields, door: DoorKnowledge = {}): Reading => post('', headers, headersOnly, door)

it("a POST without a byte is decided by the router's headers alone where that is configured", () => {
  const headers = {
    'content-length': '92',
    'x-mcp-method': 'tools/call',
    'x-mcp-toolname': 'greet',
    'x-mcp-servername': 'ns/a',
    'x-mcp-annotation-hints': 'readOnly=true',
    'x-mcp-verified-sub': 'alice',
    'mcp-name': 'greet',
    'mcp-method': 'tools/call',
  }
  expect(routed(headers)).toEqual({
    ok: true,
    asks: [{ action: 'tools/call', target: { type: 'tool', name: 'greet' } }],
    batch: false,
    server: 'ns/a',
    virtualServers: [],
    brokerAnswers: false,
    withoutRemovals: true,
  })
})

it.each([
  [
    { 'x-mcp-method': 'prompts/get', 'x-mcp-promptname': 'p' },
    { type: 'prompt', name: 'p' },
  ],
  [
    { 'x-mcp-method': 'resources/read', 'x-mcp-resourceuri': 'a:b' },
    { type: 'resource', name: 'a:b' },
  ],
  [
    { 'x-mcp-method': 'resources/subscribe', 'x-mcp-resourceuri': 'a:b' },
    { type: 'resource', name: 'a:b' },
  ],
  [{ 'x-mcp-method': 'tools/list', 'x-mcp-servername': 'mcpBroker' }, { type: 'server' }],
  [{ 'x-mcp-method': 'resources/unsubscribe', 'x-mcp-servername': 'ns/a' }, { type: 'server' }],
  [{ 'x-mcp-method': 'resources/unsubscribe', 'x-mcp-resourceuri': 'a:b', 'mcp-name': 'a:b' }, { type: 'server' }],
  [{ 'x-mcp-method': 'initialize', 'x-mcp-toolname': 'greet', 'x-mcp-servername': 'ns/a' }, { type: 'server' }],
  [
    { 'x-mcp-method': 'tools/call', 'x-mcp-toolname': 'discover_tools', 'x-mcp-servername': 'mcpBroker' },
    { type: 'server', name: 'discover_tools' },
  ],
] as [HeaderFields, unknown][])("the router's headers %j ask for %j", (headers, target) => {
  expect(routed(headers)).toMatchObject({ ok: true, asks: [{ target }], withoutRemovals: true })
})

const call = { 'x-mcp-method': 'tools/call', 'x-mcp-toolname': 'greet' }
it.each([
  [{}, 'body_missing'],
  [{ 'x-mcp-toolname': 'greet' }, 'body_missing'],
  [{ 'x-mcp-method': 'tools/call' }, 'body_missing'],
  [{ 'x-mcp-method': 'tools/call', 'x-mcp-promptname': 'greet' }, 'body_missing'],
  [{ 'x-mcp-method': 'completion/complete', 'x-mcp-promptname': 'greet' }, 'body_missing'],
  [{ 'x-mcp-method': 'subscriptions/listen' }, 'body_missing'],
  [{ ...call, 'content-type': 'text/plain' }, 'content_type'],
  [{ ...call, 'content-type': [] }, 'content_type'],
  [{ ...call, 'content-encoding': 'gzip' }, 'content_type'],
  [{ ...call, 'x-envoy-auth-partial-body': 'true' }, 'body_partial'],
  [{ ...call, 'x-mcp-authorized': '' }, 'header_forbidden'],
  [{ ...call, 'x-mcp-authz-filter': ['a', 'b'] }, 'header_forbidden'],
  [{ ...call, 'mcp-init-host': 'x', 'mcp-name': 'other' }, 'header_forbidden'],
  [{ ...call, 'router-key': 'x' }, 'header_forbidden'],
  [{ ...call, 'mcp-name': 'other' }, 'header_mismatch'],
  [{ ...call, 'mcp-method': 'tools/list' }, 'header_mismatch'],
  [{ ...call, 'x-mcp-promptname': 'greet' }, 'header_mismatch'],
  [{ ...call, 'x-mcp-method': ['tools/call', 'tools/list'] }, 'header_mismatch'],
  [{ ...call, 'x-mcp-toolname': ['greet', 'greet'] }, 'header_mismatch'],
  [{ ...call, 'x-mcp-servername': ['a', 'b'] }, 'header_mismatch'],
  [{ 'x-mcp-method': 'tools/list', 'x-mcp-toolname': 'greet' }, 'header_mismatch'],
  [{ 'x-mcp-method': 'resources/unsubscribe', 'x-mcp-resourceuri': 'a:b', 'mcp-name': 'a:c' }, 'header_mismatch'],
  [{ 'x-mcp-method': 'resources/unsubscribe', 'x-mcp-resourceuri': ['a:b', 'a:b'] }, 'header_mismatch'],
  [{ ...call, 'mcp-protocol-version': '1' }, 'version_unsupported'],
  [{ 'x-mcp-method': 'nonsense' }, 'method_unknown'],
  [{ 'x-mcp-method': '' }, 'method_unknown'],
  [{ 'x-mcp-method': 'tasks/get' }, 'method_unknown'],
] as [HeaderFields, string][])("the router's headers %j are refused: %s", (headers, code) => {
  expect(outcome(routed(headers))).toBe(code)
})

it.each(['', 'forged', ['a', 'b']])('x-authorized-tools is forbidden there where it is internal: %j', (value) => {
  const headers = { ...call, 'x-authorized-tools': value }
  expect(outcome(post('', headers, { ...headersOnly, authorizedTools: true }))).toBe('header_forbidden')
  expect(outcome(post('', headers, { ...headersOnly, authorizedTools: false }))).toBe('read')
  expect(outcome(routed(headers))).toBe('read')
})

it("a POST without a byte is refused where the router's server is not the door's", () => {
  expect(outcome(routed({ ...call, 'x-mcp-servername': 'ns/b' }, { server: 'ns/a' }))).toBe('header_mismatch')
})

it('a POST is read from its body where there is one after all', () => {
  const reading = post(toolCall, { 'x-mcp-authorized': 'forged' }, headersOnly)
  expect(reading).toMatchObject({ ok: true, withoutRemovals: false })
})
