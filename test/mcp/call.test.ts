import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readCall } from '../../src/mcp/request.ts'
import { kuadrant, outcome, post, rpc, strict, toolCall } from './requests.ts'

const read = (method: string, params?: string, options = strict): string =>
  outcome(readCall(params === undefined ? { method } : { method, params }, {}, options))

it('reads what the same body would be read as, save the id', () => {
  const door = { server: 's', virtualServer: 'v' }
  for (const options of [strict, kuadrant]) {
    const { rpcId, ...expected } = { rpcId: undefined, ...post(toolCall, {}, options, door) }
    expect(rpcId).toEqual({ text: '1' })
    const call = { method: 'tools/call', params: '{"name":"forecast","arguments":{}}' }
    expect(readCall(call, door, options)).toEqual(expected)
  }
})

it.each([
  ['ping', undefined, 'read'],
  ['tools/call', undefined, 'body_malformed'],
  ['tools/call', '', 'body_malformed'],
  ['tools/call', 'null', 'body_malformed'],
  ['tools/call', '[]', 'body_malformed'],
  ['tools/call', '{"name":"a"', 'body_malformed'],
  ['tools/call', '{"name":"a"},"id":1', 'body_malformed'],
  ['tools/call', '{"name":"a"},"method":"ping","x":{}', 'body_malformed'],
  ['tools/call', '{"name":"a"}}{"name":"b"', 'body_malformed'],
  ['tools/call', '{"name":"a"} // ', 'body_malformed'],
  ['tools/call', '\ufeff{"name":"a"}', 'body_malformed'],
  ['tools/call', '{"name":"\ud800"}', 'body_malformed'],
  ['tools/call', '{"name":"a","name":"a"}', 'body_ambiguous'],
  ['tools/call', '{"name":"a","NAME":"b"}', 'body_ambiguous'],
  ['tools/call', ' {"name":"a"}\n', 'read'],
  ['tools/call","params":{"name":"a"},"x":"', undefined, 'method_unknown'],
  ['\ud800', undefined, 'body_malformed'],
  ['GET', undefined, 'method_unknown'],
  ['DELETE', undefined, 'method_unknown'],
  ['response', undefined, 'method_unknown'],
  ['tasks/get', '{"taskId":"t"}', 'method_unknown'],
  ['ping', '{"_meta":{"io.modelcontextprotocol/protocolVersion":"1"}}', 'version_unsupported'],
])('%j with %j: %s', (method, params, expected) => {
  expect(read(method, params)).toBe(expected)
})

it('limits the params by bytes and by depth as a body is limited', () => {
  const name = 'é'.repeat(10)
  const params = JSON.stringify({ name })
  expect(read('tools/call', params, { ...strict, maxBodyBytes: 31 })).toBe('read')
  expect(read('tools/call', params, { ...strict, maxBodyBytes: 30 })).toBe('body_too_large')
  const deep = '{"name":"a","arguments":{}}'
  expect(read('tools/call', deep, { ...strict, maxDepth: 3 })).toBe('read')
  expect(read('tools/call', deep, { ...strict, maxDepth: 2 })).toBe('body_malformed')
  const both = '{"name":"a","arguments":{"b":1,"b":2}}'
  for (const maxDepth of [2, 3]) {
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${both}}`
    expect(read('tools/call', both, { ...strict, maxDepth })).toBe(outcome(post(body, {}, { ...strict, maxDepth })))
  }
})

it('agrees with a body on every method and params', () => {
  const method = fc.constantFrom('tools/call', 'prompts/get', 'resources/read', 'completion/complete', 'ping', 'x', '"')
  const member = fc.constantFrom('name', 'uri', 'ref', 'Name', '_meta', '__proto__')
  const params = fc.oneof(fc.dictionary(member, fc.oneof(fc.string(), fc.jsonValue())), fc.jsonValue())
  fc.assert(
    fc.property(method, params, (name, value) => {
      expect(read(name, JSON.stringify(value))).toBe(outcome(post(rpc(name, value))))
    }),
  )
})
