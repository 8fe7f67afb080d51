import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/authorizer/attempt.ts'
import { answer, refusal, wantsToken } from '../../src/envoy/answer.ts'
import { explicitDenials } from '../../src/mcp/denial-options.ts'
import type { Read, Reading, ReadOptions } from '../../src/mcp/reading.ts'
import type { ReasonCode } from '../../src/policy/decision.gen.ts'
import { categoryOf, reasons } from '../../src/policy/reasons.ts'
import { allow, deny } from './authorizers.ts'
import { decodeCheckResponse, headersOf, removals, statusCode } from './messages.ts'

const call: Read = {
  ok: true,
  asks: [{ action: 'tools/call', target: { type: 'tool', name: 'forecast' } }],
  batch: false,
  virtualServers: [],
  brokerAnswers: true,
  withoutRemovals: false,
  rpcId: { text: '7' },
}

interface Given {
  profile?: ReadOptions['profile']
  headersOnly?: boolean
  method?: string
  headers?: string[]
  reading?: Reading
}

function asked(given: Given = {}) {
  const { profile = 'strict', headersOnly = false, method = 'POST', headers = [], reading = call } = given
  const sent = new Map(headers.map((name) => [name, ['forged']]))
  return { profile, headersOnly, reading, request: { method, headers: sent, body: new Uint8Array(0) } }
}

function allowing(given: Given = {}): Buffer {
  const question = asked(given)
  const mint = wantsToken(question.profile, question.reading)
  const attempt = { credential: { kind: 'authorization', values: [] }, reading: question.reading, mint } as const
  const { bytes, fault } = answer(allow(attempt), question)
  expect(fault).toBeUndefined()
  expect(decodeCheckResponse(bytes)).toHaveProperty('ok_response')
  return bytes
}

function denying(code: ReasonCode, reading: Reading = call): Buffer {
  const outcome = deny(code, { credential: { kind: 'authorization', values: [] }, reading })
  return answer(outcome, asked({ reading })).bytes
}

const five = ['x-mcp-method', 'x-mcp-promptname', 'x-mcp-resourceuri', 'x-mcp-servername', 'x-mcp-toolname']
const internal = ['x-mcp-annotation-hints', 'x-mcp-authz-filter', 'x-mcp-verified-sub']
const kuadrantOnly = ['mcp-init-host', 'router-key']

describe('an allowed request in profile strict', () => {
  it('carries the capability token on', () => {
    expect(headersOf(allowing())).toEqual({ 'x-mcp-authorized': 'minted.token.here' })
  })

  it('loses every internal header, sent or not', () => {
    expect(removals(allowing()).toSorted()).toEqual([...internal, ...five].toSorted())
  })

  it('loses mcp-init-host and router-key when it has them', () => {
    expect(removals(allowing({ headers: ['router-key'] }))).toContain('router-key')
    expect(removals(allowing({ headers: kuadrantOnly }))).toEqual(expect.arrayContaining(kuadrantOnly))
  })

  it('keeps x-mcp-virtualserver and never names x-mcp-authorized for removal', () => {
    const names = removals(allowing({ headers: ['x-mcp-virtualserver', 'x-mcp-authorized'] }))
    expect(names).not.toContain('x-mcp-virtualserver')
    expect(names).not.toContain('x-mcp-authorized')
  })

  it('is denied where the token is missing or empty', () => {
    for (const token of [undefined, '']) {
      const outcome = { decision: allow({ credential: { kind: 'token', token: '' }, reading: call }).decision }
      const given = token === undefined ? outcome : { ...outcome, capabilityToken: token }
      const { bytes, fault } = answer(given, asked())
      expect(fault).toBe('mint_failed')
      expect(statusCode(bytes)).toBe(7)
      expect(decodeCheckResponse(bytes).denied_response?.status.code).toBe(503)
    }
  })
})

describe('an allowed request in profile kuadrant', () => {
  const profile = 'kuadrant'
  const upstream: Read = { ...call, server: 'ns/weather', brokerAnswers: false }

  it('carries the token to the broker, and keeps what the router says', () => {
    const bytes = allowing({ profile, headers: [...five, ...kuadrantOnly] })
    expect(headersOf(bytes)).toEqual({ 'x-mcp-authorized': 'minted.token.here' })
    expect(removals(bytes).toSorted()).toEqual([...internal, ...kuadrantOnly].toSorted())
  })

  it('carries no token to an upstream, nor the one the client made up', () => {
    const bytes = allowing({ profile, reading: upstream })
    expect(headersOf(bytes)).toEqual({})
    expect(removals(bytes)).toContain('x-mcp-authorized')
  })

  it('names nothing for removal where the reading says so', () => {
    const reading = { ...call, withoutRemovals: true }
    const headers = [...five, ...kuadrantOnly]
    expect(removals(allowing({ profile, reading, headers }))).toEqual([])
    const bytes = allowing({ profile, reading: { ...upstream, withoutRemovals: true }, headers })
    expect(removals(bytes)).toEqual([])
    expect(headersOf(bytes)).toEqual({})
  })
})

describe.each(['strict', 'kuadrant'] as const)('a stream or session request in profile %s', (profile) => {
  it.each(['GET', 'DELETE'])('loses the five router headers: %s', (method) => {
    const reading: Read = { ...call, asks: [{ action: method, target: { type: 'server' } }] }
    const bytes = allowing({ profile, method, reading, headers: five })
    expect(removals(bytes)).toEqual(expect.arrayContaining(five))
    expect(headersOf(bytes)).toEqual({ 'x-mcp-authorized': 'minted.token.here' })
  })
})

describe('a stream behind a filter that fails on removals', () => {
  const reading: Read = { ...call, asks: [{ action: 'GET', target: { type: 'server' } }] }
  const get = { profile: 'kuadrant', headersOnly: true, method: 'GET', reading } as const

  it('names none where there is nothing to remove', () => {
    expect(removals(allowing({ ...get, headers: ['accept'] }))).toEqual([])
  })

  it('names what is there: it must not reach an upstream, whatever the filter makes of it', () => {
    expect(removals(allowing({ ...get, headers: ['x-mcp-toolname', 'router-key', 'accept'] })).toSorted()).toEqual([
      'router-key',
      'x-mcp-toolname',
    ])
  })
})

describe('a denial', () => {
  it.each(Object.keys(reasons) as ReasonCode[])('for %s is status 7 or 16 with the HTTP status of its kind', (code) => {
    const bytes = denying(code)
    const reply = decodeCheckResponse(bytes)
    const category = categoryOf(code)
    expect(statusCode(bytes)).toBe(category === 'credential' ? 16 : 7)
    const statuses = { credential: 401, request: code === 'body_too_large' ? 413 : 400, policy: 403, service: 503 }
    expect(reply.denied_response?.status.code).toBe(code === 'usage_exceeded' ? 429 : statuses[category])
    expect(reply).not.toHaveProperty('ok_response')
    const headers = headersOf(bytes)
    expect(headers['content-type']).toBe('application/json')
    expect('www-authenticate' in headers).toBe(category === 'credential')
  })

  it('answers a JSON-RPC request with its id as it stood', () => {
    const bytes = denying('role_missing', { ...call, rpcId: { text: '9007199254740993' } })
    const body = decodeCheckResponse(bytes).denied_response?.body ?? ''
    expect(body).toContain('"id":9007199254740993')
    expect(JSON.parse(body)).toMatchObject({ jsonrpc: '2.0', error: { code: 403, data: { reason: 'role_missing' } } })
  })

  it('answers a refused request with its id too', () => {
    const refused: Reading = { ok: false, code: 'header_mismatch', detail: 'd', action: '', rpcId: { text: '"a"' } }
    const body = JSON.parse(decodeCheckResponse(denying('header_mismatch', refused)).denied_response?.body ?? '')
    expect(body).toMatchObject({ id: 'a', error: { code: -32020 } })
  })

  it('answers anything without an id with an object of its own', () => {
    const { rpcId: _, ...notification } = call
    const body = JSON.parse(decodeCheckResponse(denying('role_missing', notification)).denied_response?.body ?? '')
    expect(body).toMatchObject({ error: 'role_missing' })
    expect(body).not.toHaveProperty('jsonrpc')
  })
})

describe('dynamic metadata', () => {
  it('names the decision of an allowed request', () => {
    expect(decodeCheckResponse(allowing()).dynamic_metadata?.fields).toEqual({
      decision_id: { stringValue: 'decision-1' },
      subject: { stringValue: 'alice' },
      revision: { stringValue: 'r1' },
      allow: { boolValue: true },
      reasons: { listValue: {} },
    })
  })

  it('names the reasons of a denial, and no subject where none was verified', () => {
    const fields = decodeCheckResponse(denying('token_expired')).dynamic_metadata?.fields
    expect(fields).toMatchObject({ reasons: { listValue: { values: [{ stringValue: 'token_expired' }] } } })
    expect(fields?.['allow']?.boolValue ?? false).toBe(false)
    expect(fields).not.toHaveProperty('subject')
  })

  it('has the id that the client sees', () => {
    const reply = decodeCheckResponse(denying('role_missing'))
    const body = JSON.parse(reply.denied_response?.body ?? '')
    expect(reply.dynamic_metadata?.fields['decision_id']?.stringValue).toBe(body.error.data.decision_id)
  })
})

describe('an outcome that is no decision', () => {
  const good = allow({ credential: { kind: 'authorization', values: [] }, reading: call, mint: true })
  const withDecision = (change: object) => ({ ...good, decision: { ...good.decision, ...change } })

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['an empty object', {}],
    ['a decision that is null', { decision: null, capabilityToken: 'a.b.c' }],
    ['a decision that is true', { decision: true, capabilityToken: 'a.b.c' }],
    ['allow that is a string', withDecision({ allow: 'true' })],
    ['allow that is a number', withDecision({ allow: 1 })],
    ['allow that is absent', withDecision({ allow: undefined })],
    ['allow beside a reason', withDecision({ reasons: [{ code: 'role_missing', message: 'm' }] })],
    ['a denial without a reason', withDecision({ allow: false })],
    ['reasons that are absent', withDecision({ reasons: undefined })],
    ['reasons that are no array', withDecision({ reasons: { length: 0 } })],
    ['a reason out of the closed set', withDecision({ allow: false, reasons: [{ code: 'because', message: 'm' }] })],
    ['a reason called __proto__', withDecision({ allow: false, reasons: [{ code: '__proto__', message: 'm' }] })],
    ['a reason that is null', withDecision({ allow: false, reasons: [null] })],
    ['an id that is empty', withDecision({ id: '' })],
    ['an id that is a number', withDecision({ id: 1 })],
    ['a revision that is absent', withDecision({ revision: undefined })],
  ])('is denied policy_error: %s', (_name, outcome) => {
    const { bytes, fault } = answer(outcome as Outcome, asked())
    expect(fault).toBe('policy_error')
    expect(statusCode(bytes)).toBe(7)
    expect(JSON.parse(decodeCheckResponse(bytes).denied_response?.body ?? '')).toMatchObject({
      id: 7,
      error: { code: 503, data: { reason: 'policy_error' } },
    })
  })

  it('is denied when it allows what could not be read', () => {
    const reading: Reading = { ok: false, code: 'body_malformed', detail: 'd', action: '' }
    const { bytes, fault } = answer(good, asked({ reading }))
    expect(fault).toBe('policy_error')
    expect(statusCode(bytes)).toBe(7)
  })

  it('throws rather than send a token that would split the request', () => {
    expect(() => answer({ ...good, capabilityToken: 'a\r\nx-admin: 1' }, asked())).toThrow(TypeError)
  })
})

describe('refusal', () => {
  it('is a denial with an id of its own each time', () => {
    const ids = [refusal('body_malformed'), refusal('body_malformed')].map((bytes) => {
      expect(statusCode(bytes)).toBe(7)
      return decodeCheckResponse(bytes).dynamic_metadata?.fields['decision_id']?.stringValue
    })
    expect(ids[0]).toMatch(/./)
    expect(ids[0]).not.toBe(ids[1])
  })
})

describe('a denial that the client sees under HTTP 200', () => {
  const denials = { ...explicitDenials, default: 'rpc' } as const

  it('is a denial for Envoy', () => {
    const attempt = { credential: { kind: 'authorization', values: [] }, reading: call } as const
    const { bytes } = answer(deny('role_missing', attempt), { ...asked(), denials })
    expect(statusCode(bytes)).toBe(7)
    expect(decodeCheckResponse(bytes)).toMatchObject({ denied_response: { status: { code: 200 } } })
  })

  it('is one also where nothing could be decided, and none for the credential', () => {
    const status = (code: ReasonCode) => decodeCheckResponse(refusal(code, { ...asked(), denials }))
    expect(status('policy_error')).toMatchObject({ denied_response: { status: { code: 200 } } })
    expect(status('token_missing')).toMatchObject({ denied_response: { status: { code: 401 } } })
    expect(statusCode(refusal('token_missing', { ...asked(), denials }))).toBe(16)
  })
})
