import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DoorKnowledge, Reading } from '../../src/mcp/reading.ts'
import { readHttp } from '../../src/mcp/request.ts'
import {
  batches,
  type HeaderFields,
  headersOnly,
  http,
  kuadrant,
  outcome,
  post,
  rpc,
  strict,
  toolCall,
} from './requests.ts'

const empty = new Uint8Array()

it('never throws and never reads what is not JSON-RPC, whatever the bytes are', () => {
  const options = fc.constantFrom(strict, kuadrant, headersOnly, batches)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), options, (bytes, chosen) => {
      expect(post(bytes, {}, chosen).ok).toBe(false)
    }),
  )
})

it('never throws on any JSON value, with any headers', () => {
  const names = fc.constantFrom('mcp-name', 'mcp-method', 'mcp-protocol-version', 'x-mcp-servername', 'x-mcp-toolname')
  const headers = fc.dictionary(names, fc.array(fc.string({ unit: 'binary' }), { maxLength: 2 }))
  const member = fc.constantFrom('jsonrpc', 'id', 'method', 'params', 'result', '__proto__', 'Method')
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('2.0', 'tools/call', 'subscriptions/listen', { name: 'a' }))
  fc.assert(
    fc.property(fc.dictionary(member, value), headers, (message, fields) => {
      for (const options of [strict, kuadrant])
        expect(post(JSON.stringify(message), fields, options)).toHaveProperty('ok')
    }),
  )
})

it('reads a call', () => {
  expect(post(toolCall)).toEqual({
    ok: true,
    asks: [{ action: 'tools/call', target: { type: 'tool', name: 'forecast', arguments: {} } }],
    batch: false,
    virtualServers: [],
    rpcId: { text: '1' },
    brokerAnswers: true,
    withoutRemovals: false,
  })
})

it('keeps what the door knows in profile strict', () => {
  expect(post(toolCall, {}, strict, { server: 'weather' })).toMatchObject({ server: 'weather', brokerAnswers: true })
})

it.each(['PUT', 'PATCH', 'HEAD', 'OPTIONS', 'post', 'get', 'Delete', '', 'POST '])(
  'does not know the HTTP method %j',
  (method) => {
    const request = http(method, toolCall, { 'content-type': 'application/json' })
    expect(readHttp(request, {}, strict)).toMatchObject({ ok: false, code: 'method_unknown', action: '' })
  },
)

it('refuses a body at the first byte over the limit', () => {
  const options = { ...strict, maxBodyBytes: toolCall.length }
  expect(outcome(post(toolCall, {}, options))).toBe('read')
  expect(outcome(post(`${toolCall} `, {}, options))).toBe('body_too_large')
})

it('gives the first rule that is broken', () => {
  const garbage = '{"a":1,"a":'
  const options = { ...strict, maxBodyBytes: 5 }
  const wrong = { 'content-type': 'text/plain', 'content-length': '3', 'x-mcp-method': 'x', 'mcp-name': 'y' }
  const json = { 'content-type': 'application/json' }
  expect(outcome(post('', wrong, options))).toBe('body_missing')
  expect(outcome(post(garbage, wrong, options))).toBe('content_type')
  expect(outcome(post(garbage, { ...wrong, ...json }, options))).toBe('body_partial')
  const whole = { ...wrong, ...json, 'content-length': '11' }
  expect(outcome(post(garbage, whole, options))).toBe('body_too_large')
  expect(outcome(post(garbage, whole, strict))).toBe('body_malformed')
  const late = { 'x-mcp-method': 'x', 'mcp-name': 'y', 'mcp-protocol-version': 'z' }
  expect(outcome(post('[{"a":1,"a":2}]', late))).toBe('body_ambiguous')
  expect(outcome(post('[{"Method":1}]', late))).toBe('batch_refused')
  expect(outcome(post('{"Method":1}', late))).toBe('body_ambiguous')
  expect(outcome(post('{"method":1}', late))).toBe('body_malformed')
  expect(outcome(post(rpc('nonsense'), late))).toBe('header_forbidden')
  expect(outcome(post(rpc('nonsense'), late, kuadrant))).toBe('header_mismatch')
  expect(outcome(post(rpc('nonsense'), { 'mcp-protocol-version': 'z' }))).toBe('version_unsupported')
  expect(outcome(post(rpc('nonsense')))).toBe('method_unknown')
})

it('names the method in a refusal wherever it could be read', () => {
  expect(post(toolCall, { 'mcp-name': 'x' })).toMatchObject({ code: 'header_mismatch', action: 'tools/call' })
  expect(post(rpc('nonsense'))).toMatchObject({ code: 'method_unknown', action: 'nonsense' })
  expect(post('{')).toMatchObject({ code: 'body_malformed', action: '' })
})

describe('the id of a request', () => {
  const withId = (id: string, method = '"tools/list"'): Reading =>
    post(`{"jsonrpc":"2.0","method":${method},"id": ${id} }`)

  it.each(['1', '9007199254740993', '-0', '1.50', '1e400', '""', '"a"', '"\\u0061\\n\\""', '"😀"'])(
    'is kept as it stood: %s',
    (id) => {
      expect(withId(id)).toMatchObject({ ok: true, rpcId: { text: id } })
    },
  )

  it('is kept in a refusal of what could be read', () => {
    const rpcId = { text: '7.0' }
    const message = (rest: string): Reading => post(`{"id":7.0,"jsonrpc":"2.0",${rest}}`)
    expect(message('"method":"nonsense"')).toMatchObject({ code: 'method_unknown', rpcId })
    expect(message('"method":"tools/call"')).toMatchObject({ code: 'body_malformed', rpcId })
    expect(message('"method":"ping","Params":{}')).toMatchObject({ code: 'body_ambiguous', rpcId })
    expect(message('"method":"ping","result":{}')).toMatchObject({ code: 'body_ambiguous', rpcId })
    expect(post('{"id":7.0,"method":"ping"}', { 'mcp-name': 'x' })).toMatchObject({ code: 'body_malformed', rpcId })
    expect(post(rpc('ping'), { 'mcp-name': 'x' })).toMatchObject({ code: 'header_mismatch', rpcId: { text: '1' } })
  })

  it.each([
    [{ 'content-type': 'text/plain' }, toolCall, 'content_type'],
    [{ 'content-encoding': 'gzip' }, toolCall, 'content_type'],
    [{ 'content-length': '3' }, toolCall, 'body_partial'],
    [{ 'x-envoy-auth-partial-body': 'true' }, toolCall, 'body_partial'],
    [{}, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}', 'body_ambiguous'],
    [{}, '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 'body_ambiguous'],
  ])('is kept where the headers %j or the keys of the body are refused: %s', (headers, body, code) => {
    expect(post(body, headers)).toMatchObject({ code, rpcId: { text: '1' } })
  })

  it.each([
    ['a notification', '{"jsonrpc":"2.0","method":"notifications/x"}'],
    ['a response', '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ['an id object', '{"jsonrpc":"2.0","id":{"id":1},"method":"ping"}'],
    ['a method that is no string', '{"jsonrpc":"2.0","id":1,"method":1}'],
    ['two ids', '{"jsonrpc":"2.0","id":1,"method":"ping","id":1}'],
    ['three ids', '{"jsonrpc":"2.0","id":1,"method":"ping","id":1,"id":1}'],
    ['a response with a key twice', '{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}'],
    ['an id of null beside a key twice', '{"jsonrpc":"2.0","id":null,"method":"ping","method":"ping"}'],
    ['an id elsewhere than on top', '{"jsonrpc":"2.0","method":"ping","params":{"id":1,"a":1,"a":2}}'],
    ['text that is cut', '{"jsonrpc":"2.0","id":1,"method":"ping"'],
    ['an array', `[${rpc('ping')}]`],
  ])('is absent for %s', (_, body) => {
    expect(post(body)).not.toHaveProperty('rpcId')
  })
})

describe('GET and DELETE', () => {
  const read = (
    method: string,
    headers: HeaderFields = {},
    body: Uint8Array = empty,
    options = strict,
    door: DoorKnowledge = {},
  ): Reading => readHttp(http(method, body, headers), door, options)
  const five = { 'x-mcp-servername': ['a', 'b'], 'x-mcp-toolname': 'x', 'x-mcp-method': 'tools/call' }

  it.each(['GET', 'DELETE'])('%s without a body asks for a thing of the server as a whole', (method) => {
    for (const options of [strict, kuadrant, headersOnly])
      expect(read(method, { ...five, 'content-length': '0', 'content-type': 'text/plain' }, empty, options)).toEqual({
        ok: true,
        asks: [{ action: method, target: { type: 'server' } }],
        batch: false,
        virtualServers: [],
        brokerAnswers: true,
        withoutRemovals: false,
      })
  })

  it('keep what the door knows, the virtual server, the version and the session', () => {
    const named = { 'x-mcp-virtualserver': 'v', 'mcp-protocol-version': '2025-06-18', 'x-mcp-servername': 'b' }
    const headers = { ...named, 'mcp-session-id': ' s-1 ' }
    expect(read('GET', headers, empty, kuadrant, { server: 'a', virtualServer: 'd' })).toMatchObject({
      server: 'a',
      virtualServers: ['d', 'v'],
      protocolVersion: '2025-06-18',
      session: 's-1',
    })
    expect(read('GET', { 'mcp-session-id': '' }, empty, strict)).not.toHaveProperty('session')
  })

  const refusals: readonly (readonly [string, HeaderFields, string, string])[] = [
    ['a body', {}, ' ', 'body_ambiguous'],
    ['a content-length', { 'content-length': '5' }, '', 'body_ambiguous'],
    ['an empty content-length', { 'content-length': '' }, '', 'body_ambiguous'],
    ['two content-lengths', { 'content-length': ['0', '0'] }, '', 'body_ambiguous'],
    ['a partial body', { 'x-envoy-auth-partial-body': 'true' }, '', 'body_partial'],
    ['Mcp-Method', { 'mcp-method': 'GET' }, '', 'header_mismatch'],
    ['Mcp-Name', { 'mcp-name': '' }, '', 'header_mismatch'],
    ['two sessions', { 'mcp-session-id': ['s-1', 's-1'] }, '', 'header_mismatch'],
    ['two versions', { 'mcp-protocol-version': ['2025-06-18', '2025-06-18'] }, '', 'header_mismatch'],
    ['a version never published', { 'mcp-protocol-version': '1' }, '', 'version_unsupported'],
  ]
  it.each(refusals)('are refused with %s', (_, headers, body, code) => {
    expect(read('GET', headers, new TextEncoder().encode(body))).toMatchObject({ code, action: 'GET' })
    expect(read('DELETE', headers, new TextEncoder().encode(body))).toMatchObject({ code, action: 'DELETE' })
  })
})

describe('the id of a request', () => {
  const idOf = (params: unknown, headers = {}) => post(rpc('no/such', params), headers).rpcId
  const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }

  it('comes with the version that its _meta names, except in a session', () => {
    expect(idOf(meta)).toEqual({ text: '1', version: '2026-07-28' })
    expect([idOf({}), idOf(meta, { 'mcp-session-id': 's' })]).toEqual([{ text: '1' }, { text: '1' }])
  })

  it('belongs to no malformed message where 2026-07-28 does not know the method', () => {
    expect(outcome(post(rpc('resources/subscribe', meta)))).toBe('method_unknown')
    expect(outcome(post(rpc('resources/subscribe', {})))).toBe('body_malformed')
    expect(outcome(post(rpc('resources/subscribe', { ...meta, uri: 'a://b' })))).toBe('read')
  })
})
