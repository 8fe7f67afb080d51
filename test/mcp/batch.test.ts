import { expect, it } from 'vitest'
import type { Reading, ReadOptions } from '../../src/mcp/reading.ts'
import { batches, type HeaderFields, outcome, post, strict } from './requests.ts'

const old = { 'mcp-protocol-version': '2025-03-26' }
const call = (name: string): unknown => ({ jsonrpc: '2.0', id: name, method: 'tools/call', params: { name } })
const batch = (elements: readonly unknown[], headers: HeaderFields = old, options = batches): Reading =>
  post(JSON.stringify(elements), headers, options)

it('a batch is read element by element where it is allowed', () => {
  const reading = batch([
    call('a'),
    { jsonrpc: '2.0', method: 'notifications/x' },
    { jsonrpc: '2.0', id: 1, result: {} },
  ])
  expect(reading).toEqual({
    ok: true,
    asks: [
      { action: 'tools/call', target: { type: 'tool', name: 'a', arguments: {} } },
      { action: 'notifications/x', target: { type: 'server' } },
      { action: 'response', target: { type: 'server' } },
    ],
    batch: true,
    virtualServers: [],
    protocolVersion: '2025-03-26',
    brokerAnswers: true,
    withoutRemovals: false,
  })
})

it.each([
  ['where batches are off', [call('a')], old, strict],
  ['without a version', [call('a')], {}, batches],
  ['under a later version', [call('a')], { 'mcp-protocol-version': '2025-06-18' }, batches],
  ['under two versions', [call('a')], { 'mcp-protocol-version': ['2025-03-26', '2025-03-26'] }, batches],
  ['that is empty', [], old, batches],
  ['that is empty, where batches are off', [], {}, strict],
  ['in a batch', [call('a'), [call('b')]], old, batches],
  ['that is too long', Array.from({ length: 257 }, () => call('a')), old, batches],
] as [string, unknown[], HeaderFields, ReadOptions][])('a batch is refused %s', (_, elements, headers, options) => {
  expect(batch(elements, headers, options)).toEqual({
    ok: false,
    code: 'batch_refused',
    detail: expect.any(String),
    action: '',
  })
})

it('a batch may hold 256 messages', () => {
  expect(batch(Array.from({ length: 256 }, () => call('a')))).toMatchObject({ ok: true, batch: true })
})

it.each([
  ['is no message', 7, {}, 'body_malformed'],
  ['is null', null, {}, 'body_malformed'],
  ['has a key in another case', { ...(call('b') as object), Method: 1 }, {}, 'body_ambiguous'],
  [
    'is of another method than the header',
    { jsonrpc: '2.0', id: 1, method: 'ping' },
    { 'mcp-method': 'tools/call' },
    'header_mismatch',
  ],
  ['has another name than the header', call('b'), { 'mcp-name': 'a' }, 'header_mismatch'],
  [
    'has another version than the header',
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'ping',
      params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2025-06-18' } },
    },
    {},
    'header_mismatch',
  ],
  ['is unknown', { jsonrpc: '2.0', id: 1, method: 'tasks/get' }, {}, 'method_unknown'],
  ['has a forbidden header beside it', call('a'), { 'x-mcp-toolname': 'a' }, 'header_forbidden'],
] as [string, unknown, HeaderFields, string][])(
  'a batch is refused whole when one element %s',
  (_, element, headers, code) => {
    expect(outcome(batch([call('a'), element], { ...old, ...headers }))).toBe(code)
    expect(outcome(batch([element, call('a')], { ...old, ...headers }))).toBe(code)
  },
)
