import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Case, tested } from './cases.ts'
import { outcome, post, rpc, toolCall } from './requests.ts'

const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`
const response = '{"jsonrpc":"2.0","id":1,"result":{}}'
const version = (value: unknown): string =>
  rpc('tools/list', { _meta: { 'io.modelcontextprotocol/protocolVersion': value } })

const call = (name: string): string => rpc('tools/call', { name })
tested([
  [toolCall, { 'mcp-method': 'tools/call', 'mcp-name': 'forecast' }, 'read'],
  [toolCall, { 'mcp-method': '\ttools/call ', 'mcp-name': ' forecast ' }, 'read'],
  ...['tools/list', 'TOOLS/CALL', '', 'tools/call,tools/call', base64('tools/call')].map(
    (method): Case => [toolCall, { 'mcp-method': method }, 'header_mismatch'],
  ),
  [toolCall, { 'mcp-method': ['tools/call', 'tools/call'] }, 'header_mismatch'],
  ...['alerts', 'Forecast', '', 'forecast,forecast', 'forecast\u00a0'].map(
    (name): Case => [toolCall, { 'mcp-name': name }, 'header_mismatch'],
  ),
  [toolCall, { 'mcp-name': ['forecast', 'forecast'] }, 'header_mismatch'],
  [toolCall, { 'mcp-name': base64('forecast') }, 'read'],
  [call('wéttér 😀'), { 'mcp-name': base64('wéttér 😀') }, 'read'],
  [call('\ufeffa'), { 'mcp-name': base64('\ufeffa') }, 'read'],
  [call(''), { 'mcp-name': base64('') }, 'read'],
  [call(' a '), { 'mcp-name': base64(' a ') }, 'read'],
  [call(' a '), { 'mcp-name': ' a ' }, 'header_mismatch'],
  [call(base64('a')), { 'mcp-name': base64('a') }, 'header_mismatch'],
  [call(base64('a')), { 'mcp-name': base64(base64('a')) }, 'read'],
  ...[
    '=?base64?Zm9yZWNhc3Q?=',
    '=?base64?Zm9yZWNhc3R=?=',
    '=?base64?Zm9y ZWNhc3Q=?=',
    '=?base64?Zm9yZWNhc3Q=',
    '=?base64?=',
  ].map((name): Case => [toolCall, { 'mcp-name': name }, 'header_mismatch']),
  [call('a'), { 'mcp-name': '=?base64?YR==?=' }, 'header_mismatch'],
  [call('\ufffd'), { 'mcp-name': '=?base64?/w==?=' }, 'header_mismatch'],
  [rpc('prompts/get', { name: 'brief' }), { 'mcp-name': 'brief' }, 'read'],
  [rpc('resources/read', { uri: 'a:b' }), { 'mcp-name': 'a:b' }, 'read'],
  [rpc('resources/read', { uri: 'a:b', name: 'x' }), { 'mcp-name': 'x' }, 'header_mismatch'],
  [rpc('resources/subscribe', { uri: 'a:b' }), { 'mcp-name': 'a:b' }, 'read'],
  [rpc('resources/unsubscribe', { uri: 'a:b' }), { 'mcp-name': 'a:c' }, 'header_mismatch'],
  [rpc('tools/list', { name: 'x' }), { 'mcp-name': 'x' }, 'header_mismatch'],
  [rpc('completion/complete', { ref: { type: 'ref/prompt', name: 'x' } }), { 'mcp-name': 'x' }, 'header_mismatch'],
  [rpc('tasks/get', { taskId: 't' }), { 'mcp-name': 't' }, 'method_unknown'],
  [rpc('tasks/get', { taskId: 't' }), { 'mcp-name': 'u' }, 'header_mismatch'],
  [rpc('tasks/get', { taskId: 7 }), { 'mcp-name': '7' }, 'header_mismatch'],
  [rpc('nonsense'), { 'mcp-method': 'ping' }, 'header_mismatch'],
  [response, { 'mcp-method': 'response' }, 'header_mismatch'],
  [response, { 'mcp-name': '' }, 'header_mismatch'],
  [response, {}, 'read'],
  [toolCall, { 'mcp-session-id': 's-1' }, 'read'],
  [toolCall, { 'mcp-session-id': '' }, 'read'],
  [toolCall, { 'mcp-session-id': ['s-1', 's-1'] }, 'header_mismatch'],
  [toolCall, { 'mcp-session-id': ['', 's-1'] }, 'header_mismatch'],
  [toolCall, { 'mcp-session-id': 's\udce9' }, 'header_mismatch'],
  [response, { 'mcp-session-id': ['s-1', 's-2'] }, 'header_mismatch'],
])

it('refuses any Mcp-Name that is not the one of the body', () => {
  const names = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), fc.boolean())
  fc.assert(
    fc.property(names, ([name, other, encoded]) => {
      const sent = encoded ? base64(other) : other
      const body = rpc('tools/call', { name })
      const trimmed = encoded ? other : other.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
      fc.pre(encoded || !other.startsWith('=?base64?'))
      expect(outcome(post(body, { 'mcp-name': sent }))).toBe(trimmed === name ? 'read' : 'header_mismatch')
    }),
  )
})

describe('the protocol version', () => {
  const header = 'mcp-protocol-version'
  tested([
    ...['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28', ' 2026-07-28 '].map(
      (value): Case => [toolCall, { [header]: value }, 'read'],
    ),
    ...['', '2024-10-07', '2099-01-01', 'draft', '2025-06-18,2025-06-18', '2025-06-18 x'].map(
      (value): Case => [toolCall, { [header]: value }, 'version_unsupported'],
    ),
    [toolCall, { [header]: ['2025-06-18', '2025-06-18'] }, 'header_mismatch'],
    [version('2026-07-28'), {}, 'read'],
    [version('2026-07-28'), { [header]: '2026-07-28' }, 'read'],
    [version('2026-07-28'), { [header]: '2025-11-25' }, 'header_mismatch'],
    [version('2099-01-01'), { [header]: '2099-01-01' }, 'version_unsupported'],
    [version('2099-01-01'), {}, 'version_unsupported'],
    [version(null), {}, 'version_unsupported'],
    [version(['2026-07-28']), {}, 'version_unsupported'],
    [version(['2026-07-28']), { [header]: '2026-07-28' }, 'header_mismatch'],
    [rpc('initialize', { protocolVersion: '2099-01-01' }), {}, 'read'],
    [rpc('tools/list', { _meta: null }), { [header]: '2026-07-28' }, 'read'],
    [rpc('nonsense'), { [header]: '2099-01-01' }, 'version_unsupported'],
  ])

  it('is part of the reading', () => {
    expect(post(version('2026-07-28'))).toMatchObject({ ok: true, protocolVersion: '2026-07-28' })
    expect(post(toolCall, { [header]: ' 2025-06-18' })).toMatchObject({ ok: true, protocolVersion: '2025-06-18' })
    expect(post(toolCall)).not.toHaveProperty('protocolVersion')
  })
})
