import { describe, expect, it } from 'vitest'
import { challengeOf, denialBody, statusOf } from '../../src/mcp/denial.ts'
import type { ReasonCode } from '../../src/policy/decision.gen.ts'
import { categoryOf, reasons } from '../../src/policy/reasons.ts'

const codes = Object.keys(reasons) as ReasonCode[]

describe('statusOf', () => {
  it.each(codes)('gives %s the status of its category, never 404', (code) => {
    const ofCategory = { credential: 401, request: 400, policy: 403, service: 503 }[categoryOf(code)]
    expect(statusOf(code)).toBe(code === 'body_too_large' ? 413 : ofCategory)
  })
})

describe('denialBody', () => {
  const reason = { code: 'role_missing', message: 'no "role"\nfor it' } as const

  it('is a JSON-RPC error where the request had an id', () => {
    expect(JSON.parse(denialBody('d-1', reason, { text: '"x\\u0031"' }))).toEqual({
      jsonrpc: '2.0',
      id: 'x1',
      error: { code: 403, message: reason.message, data: { reason: 'role_missing', decision_id: 'd-1' } },
    })
  })

  it('repeats the id as it stood in the body', () => {
    expect(denialBody('d-1', reason, { text: '9007199254740993' })).toContain('"id":9007199254740993,')
  })

  it('says a header mismatch with the code of MCP', () => {
    const body = denialBody('d-1', { code: 'header_mismatch', message: 'm' }, { text: '0' })
    expect(JSON.parse(body)).toMatchObject({ id: 0, error: { code: -32020 } })
  })

  it('is an object of our own where there was no id', () => {
    expect(JSON.parse(denialBody('d-1', reason))).toEqual({
      error: 'role_missing',
      message: reason.message,
      decision_id: 'd-1',
    })
  })
})

describe('challengeOf', () => {
  it('names no error where no credential came', () => {
    expect(challengeOf('token_missing')).toBe('Bearer')
  })

  it('names the error of a credential that came', () => {
    expect(challengeOf('token_expired')).toBe('Bearer error="invalid_token", error_description="the token has expired"')
  })

  it.each(codes)('is a well-formed header for %s exactly where the status is 401', (code) => {
    const challenge = challengeOf(code)
    expect(challenge === undefined).toBe(statusOf(code) !== 401)
    expect(challenge ?? 'Bearer').toMatch(/^Bearer(?: error="invalid_token", error_description="[ !#-[\]-~]+")?$/)
  })
})
