import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { challengeOf, type DenialReason, denialBody, statusOf } from '../../src/mcp/denial.ts'
import { denialForm } from '../../src/mcp/denial-form.ts'
import { type DenialMode, type DenialOptions, explicitDenials } from '../../src/mcp/denial-options.ts'
import { readHttp } from '../../src/mcp/request.ts'
import type { ReasonCode } from '../../src/policy/decision.gen.ts'
import { categoryOf, messageOf, reasons } from '../../src/policy/reasons.ts'
import { type HeaderFields, http, rpc, strict } from './requests.ts'

const codes = Object.keys(reasons) as ReasonCode[]
const modes: readonly DenialMode[] = ['explicit', 'hide', 'rpc', 'challenge', 'tool-result', 'coaz']
const call = rpc('tools/call', { name: 'forecast', arguments: {} })
const prompt = rpc('prompts/get', { name: 'brief' })

function reasonOf(code: ReasonCode): DenialReason {
  return { code, message: messageOf(code), ...(code === 'scope_missing' && { scopes: ['weather:read'] }) }
}

interface Given {
  readonly mode?: DenialMode
  readonly clients?: DenialOptions['clients']
  readonly body?: string
  readonly method?: string
  readonly headers?: HeaderFields
}

function form(code: ReasonCode, given: Given = {}) {
  const { mode = 'explicit', clients = [], body = call, method = 'POST', headers = {} } = given
  const sent = http(method, body, { ...(body === '' ? {} : { 'content-type': 'application/json' }), ...headers })
  const reading = readHttp(sent, {}, strict)
  const options = { ...explicitDenials, default: mode, clients }
  const { headers: fields, ...rest } = denialForm('d-1', reasonOf(code), { headers: sent.headers, reading, options })
  return { ...rest, headers: Object.fromEntries(fields) }
}

function errorIn(body: string): unknown {
  return (JSON.parse(body) as { error: unknown }).error
}

const prescribed: readonly ReasonCode[] = ['header_mismatch', 'version_unsupported']
const isCredential = (code: ReasonCode): boolean => categoryOf(code) === 'credential'
const keepsStatus: Readonly<Record<DenialMode, (code: ReasonCode) => boolean>> = {
  explicit: () => true,
  hide: (code) => categoryOf(code) !== 'policy',
  rpc: (code) => isCredential(code) || prescribed.includes(code),
  challenge: (code) => isCredential(code) || prescribed.includes(code) || code === 'scope_missing',
  'tool-result': (code) => isCredential(code) || prescribed.includes(code),
  coaz: (code) => isCredential(code) || prescribed.includes(code),
}

const unmatched: readonly (readonly [string, Given])[] = [
  ['a notification', { body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }) }],
  ['a response', { body: JSON.stringify({ jsonrpc: '2.0', id: 1, result: {} }) }],
  ['a batch', { body: `[${call}]`, headers: { 'mcp-protocol-version': '2025-03-26' } }],
  ['a stream', { method: 'GET', body: '' }],
  ['the end of a session', { method: 'DELETE', body: '' }],
]

describe.each(modes)('a denial in mode %s', (mode) => {
  it.each(codes)('has HTTP 200 or the status of %s', (code) => {
    const { status, headers, body } = form(code, { mode, body: prompt })
    expect(status).toBe(keepsStatus[mode](code) ? statusOf(code) : 200)
    const challenge = status === 200 ? undefined : challengeOf(reasonOf(code))
    expect(headers['www-authenticate']).toBe(challenge)
    if (status !== 200) expect(body).toBe(denialBody('d-1', reasonOf(code), { text: '1' }))
  })

  it.each(unmatched)('of %s has the status of its reason, as no message could be matched to it', (_, given) => {
    const code = mode === 'hide' ? 'argument_refused' : 'role_missing'
    expect(form(code, { ...given, mode })).toEqual(form(code, given))
    expect(form(code, { ...given, mode }).status).toBe(403)
  })
})

describe('a method that is not known', () => {
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
  const body = rpc('no/such', { _meta: meta })

  it.each(modes)('is HTTP 404 where its request names 2026-07-28, and has its own status: %s', (mode) => {
    const { status, body: answered } = form('method_unknown', { mode, body })
    expect([status, errorIn(answered)]).toMatchObject([
      keepsStatus[mode]('method_unknown') ? 404 : 200,
      { code: -32601 },
    ])
  })

  it.each(modes)('is never HTTP 404 elsewhere: %s', (mode) => {
    const elsewhere: readonly Given[] = [
      { body: rpc('no/such', {}), headers: { 'mcp-protocol-version': '2026-07-28' } },
      { body, headers: { 'mcp-session-id': 's' } },
    ]
    for (const given of elsewhere) {
      const { status, body: answered } = form('method_unknown', { mode, ...given })
      expect([status, errorIn(answered)]).toMatchObject([
        keepsStatus[mode]('method_unknown') ? 400 : 200,
        { code: 400 },
      ])
    }
  })
})

describe('an error under HTTP 200', () => {
  it('is that of explicit', () => {
    const data = { reason: 'role_missing', decision_id: 'd-1' }
    const { body } = form('role_missing', { mode: 'rpc' })
    expect(body).toBe(form('role_missing').body)
    expect(errorIn(body)).toEqual({ code: 403, message: messageOf('role_missing'), data })
  })

  it('has the codes of COAZ in mode coaz', () => {
    expect(errorIn(form('role_missing', { mode: 'coaz' }).body)).toMatchObject({ code: -32001 })
    expect(errorIn(form('policy_error', { mode: 'coaz' }).body)).toMatchObject({ code: -32603 })
    expect(errorIn(form('method_unknown', { mode: 'coaz' }).body)).toMatchObject({ code: 400 })
  })

  it.each<readonly [string | undefined, string]>([
    [undefined, 'application/json'],
    ['application/json, text/event-stream', 'application/json'],
    ['text/event-stream', 'text/event-stream'],
    ['TEXT/*;q=0.5', 'text/event-stream'],
    ['text/event-stream, application/json;q=0', 'text/event-stream'],
    ['text/event-stream, application/json;q=0.1', 'application/json'],
    ['*/*', 'application/json'],
    ['image/png', 'application/json'],
  ])('is in JSON, but for a client that accepts a stream alone: %s', (accept, type) => {
    const { headers, body } = form('role_missing', { mode: 'rpc', headers: accept === undefined ? {} : { accept } })
    const json = form('role_missing').body
    expect(headers).toEqual({ 'content-type': type })
    expect(body).toBe(type === 'application/json' ? json : `event: message\ndata: ${json}\n\n`)
  })
})

describe('a result that says no', () => {
  const text = 'no role or grant of the subject allows it (role_missing, decision d-1)'
  const content = [{ type: 'text', text }]

  it('answers a call of a tool', () => {
    const { body } = form('role_missing', { mode: 'tool-result', headers: { 'mcp-protocol-version': '2025-11-25' } })
    expect(JSON.parse(body)).toEqual({ jsonrpc: '2.0', id: 1, result: { content, isError: true } })
  })

  it('is complete, in the version that asks for it', () => {
    const { body } = form('role_missing', { mode: 'tool-result', headers: { 'mcp-protocol-version': '2026-07-28' } })
    const result = { resultType: 'complete', content, isError: true }
    expect(JSON.parse(body)).toEqual({ jsonrpc: '2.0', id: 1, result })
  })

  it('is an error for what has no such result', () => {
    expect(form('role_missing', { mode: 'tool-result', body: prompt })).toEqual(
      form('role_missing', { mode: 'rpc', body: prompt }),
    )
  })
})

const hiding: readonly ReasonCode[] = [
  'role_missing',
  'item_unknown',
  'item_ambiguous',
  'server_unknown',
  'server_disabled',
  'virtual_server_unknown',
  'virtual_server_excludes',
  'scope_missing',
  'credential_excludes',
]

describe('what is hidden', () => {
  it.each(hiding)('does not tell %s from what is not there', (code) => {
    const { hidden, body } = form(code, { mode: 'hide', headers: { accept: 'application/json' } })
    expect(hidden).toBe(true)
    expect(body).toBe('{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Tool forecast not found"}}')
  })

  it.each(codes.filter((code) => categoryOf(code) === 'policy' && !hiding.includes(code)))(
    'is not what its caller can see, and may not do now: %s',
    (code) => {
      expect(form(code, { mode: 'hide' })).toEqual(form(code, { mode: 'rpc' }))
    },
  )

  it.each(unmatched)('is so for %s too, which no message could answer', (_, given) => {
    for (const code of hiding) {
      const { status, headers, body } = form(code, { ...given, mode: 'hide' })
      expect([status, headers]).toEqual([403, { 'content-type': 'application/json' }])
      const message = messageOf('item_unknown')
      expect(JSON.parse(body)).toEqual({ error: 'item_unknown', message, decision_id: 'd-1' })
    }
  })

  it('is no server', () => {
    const body = rpc('tools/list', {})
    expect(form('virtual_server_unknown', { mode: 'hide', body })).toEqual(
      form('virtual_server_unknown', { mode: 'rpc', body }),
    )
  })

  it('is any of the resources that are listened to', () => {
    const listen = (...uris: readonly string[]) =>
      rpc('subscriptions/listen', { notifications: { resourceSubscriptions: uris } })
    const one = form('role_missing', { mode: 'hide', body: listen('a://b') }).body
    expect(one).toContain('"message":"Resource not found: a://b"')
    const two = form('role_missing', { mode: 'hide', body: listen('a://b', 'a://c') }).body
    expect(two).not.toMatch(/a:\/\//)
  })

  it('repeats no session that no server could have named', () => {
    const headers = { 'mcp-session-id': 'a b', accept: 'application/json' }
    expect(form('role_missing', { mode: 'hide', headers }).headers).toEqual({ 'content-type': 'application/json' })
  })
})

describe('the form for a client', () => {
  const clients: DenialOptions['clients'] = [
    { match: { userAgent: 'python-httpx/', protocolVersion: '2025-11-25' }, mode: 'rpc' },
    { match: { clientName: 'inspector' }, mode: 'challenge' },
    { match: { userAgent: 'python-httpx/' }, mode: 'tool-result' },
  ]
  const meta = (name: unknown) => ({ 'io.modelcontextprotocol/clientInfo': { name, version: '1' } })
  const named = (name: unknown) => rpc('tools/call', { name: 'forecast', _meta: meta(name) })
  const modern = { 'mcp-protocol-version': '2026-07-28' }
  const python = { 'user-agent': 'python-httpx/0.28.1' }

  it.each<readonly [string, Given, DenialMode]>([
    ['nobody knows', {}, 'hide'],
    ['all of an entry fits', { headers: { ...python, 'mcp-protocol-version': '2025-11-25' } }, 'rpc'],
    ['part of an entry fits', { headers: { ...python, ...modern } }, 'tool-result'],
    ['two entries fit', { headers: { ...python, ...modern }, body: named('inspector') }, 'challenge'],
    ['names itself', { headers: modern, body: named('inspector') }, 'challenge'],
    ['names itself otherwise', { headers: modern, body: named('Inspector') }, 'hide'],
    ['names itself by no name', { headers: modern, body: named(['inspector']) }, 'hide'],
    ['has two agents', { headers: { 'user-agent': ['python-httpx/1', 'python-httpx/1'] } }, 'hide'],
    ['names itself at the start', { body: rpc('initialize', { clientInfo: { name: 'inspector' } }) }, 'challenge'],
    ['names itself elsewhere', { body: rpc('tools/call', { name: 'a', clientInfo: { name: 'inspector' } }) }, 'hide'],
  ])('that %s', (_, given, mode) => {
    const chosen = form('role_missing', { ...given, mode: 'hide', clients })
    expect(chosen).toEqual(form('role_missing', { ...given, mode }))
  })

  it('is chosen also where the request was refused', () => {
    const given = { headers: { ...python, 'mcp-protocol-version': '2025-11-25' }, body: rpc('no/such', {}) }
    expect(form('method_unknown', { ...given, mode: 'explicit', clients }).status).toBe(200)
  })
})

describe('every form', () => {
  it('is one whole message of the id, whatever was asked and accepted', () => {
    const text = fc.string({ unit: 'binary' })
    const asked = fc.record({
      mode: fc.constantFrom(...modes),
      code: fc.constantFrom(...codes),
      name: text,
      id: fc.oneof(text, fc.integer()),
      accept: fc.oneof(text, fc.constantFrom('text/event-stream', 'application/json', '*/*')),
      session: text,
    })
    fc.assert(
      fc.property(asked, ({ mode, code, name, id, accept, session }) => {
        const body = JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } })
        const denial = form(code, { mode, body, headers: { accept, 'mcp-session-id': session } })
        const isStream = denial.headers['content-type'] === 'text/event-stream'
        const message = isStream ? /^event: message\ndata: (.*)\n\n$/.exec(denial.body)?.[1] : denial.body
        expect(JSON.parse(message ?? '')).toMatchObject({ jsonrpc: '2.0', id })
        expect(Object.values(denial.headers).join('')).toMatch(/^[ -~]*$/)
      }),
    )
  })
})
