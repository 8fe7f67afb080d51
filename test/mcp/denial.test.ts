import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { challengeOf, type DenialReason, denialBody, statusOf } from '../../src/mcp/denial.ts'
import type { RpcId } from '../../src/mcp/reading.ts'
import type { ReasonCode } from '../../src/policy/decision.gen.ts'
import { categoryOf, messageOf, reasons } from '../../src/policy/reasons.ts'

const codes = Object.keys(reasons) as ReasonCode[]

describe('statusOf', () => {
  it.each(codes)('gives %s the status of its category, never 404', (code) => {
    const ofCategory = { credential: 401, request: 400, policy: 403, service: 503 }[categoryOf(code)]
    const ofCode = new Map<ReasonCode, number>([
      ['body_too_large', 413],
      ['usage_exceeded', 429],
    ])
    expect(statusOf(code)).toBe(ofCode.get(code) ?? ofCategory)
    expect(statusOf(code, { text: '1' })).toBe(statusOf(code))
  })

  it('gives an unknown method 404 in 2026-07-28, and nothing else', () => {
    const modern = { text: '1', version: '2026-07-28' }
    expect(codes.filter((code) => statusOf(code, modern) === 404)).toEqual(['method_unknown'])
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

  it('says an unsupported version with the code of MCP, what is supported and what was asked for', () => {
    const version = { code: 'version_unsupported', message: 'm' } as const
    const data = (rpcId: RpcId): unknown => JSON.parse(denialBody('d-1', version, rpcId)).error
    const supported = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28']
    expect(data({ text: '0', unsupportedVersion: '"1900' })).toMatchObject({
      code: -32022,
      data: { reason: 'version_unsupported', supported, requested: '"1900' },
    })
    expect(data({ text: '0' })).toMatchObject({ data: { supported, requested: '' } })
  })

  it('says an unknown method with the code of 2026-07-28 to who speaks that version', () => {
    const unknown = { code: 'method_unknown', message: 'm' } as const
    const codeFor = (rpcId: RpcId): unknown => JSON.parse(denialBody('d-1', unknown, rpcId)).error.code
    expect([codeFor({ text: '0', version: '2026-07-28' }), codeFor({ text: '0' })]).toEqual([-32601, 400])
  })

  it('is an object of our own where there was no id', () => {
    expect(JSON.parse(denialBody('d-1', reason))).toEqual({
      error: 'role_missing',
      message: reason.message,
      decision_id: 'd-1',
    })
  })
})

describe('the denial of a task', () => {
  it('says with the codes of MCP that it does not exist, and what its client did not declare', () => {
    const unknown = { code: 'item_unknown', message: 'm' } as const
    const said = (rpcId: RpcId): unknown => [
      statusOf(unknown.code, rpcId),
      JSON.parse(denialBody('d-1', unknown, rpcId)).error,
    ]
    const data = { reason: 'item_unknown', decision_id: 'd-1' }
    expect(said({ text: '0' })).toEqual([403, { code: 403, message: 'm', data }])
    expect(said({ text: '0', tasks: 'declared' })).toEqual([403, { code: -32602, message: 'm', data }])
    const requiredCapabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } }
    expect(said({ text: '0', tasks: 'undeclared' })).toEqual([
      400,
      { code: -32021, message: 'm', data: { ...data, requiredCapabilities } },
    ])
  })

  it.each(codes.filter((code) => code !== 'item_unknown'))('says %s as of everything else', (code) => {
    const said = (rpcId: RpcId): unknown => [statusOf(code, rpcId), denialBody('d-1', { code, message: 'm' }, rpcId)]
    expect(said({ text: '0', tasks: 'declared' })).toEqual(said({ text: '0' }))
    expect(said({ text: '0', tasks: 'undeclared' })).toEqual(said({ text: '0' }))
  })
})

const gateway = { resource: 'https://mcp.example.com/mcp', scopesSupported: ['basic', 'groups'] }
const named = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"'

function reason(code: ReasonCode, scopes?: readonly string[]): DenialReason {
  return { code, message: messageOf(code), ...(scopes === undefined ? {} : { scopes }) }
}

describe('the challenge of a 401', () => {
  it('names no error where no credential came', () => {
    expect(challengeOf(reason('token_missing'))).toBe('Bearer')
    expect(challengeOf(reason('token_missing'), gateway)).toBe(`Bearer ${named}, scope="basic groups"`)
  })

  it('names the error of a credential that came', () => {
    const error = 'Bearer error="invalid_token", error_description="the token has expired"'
    expect(challengeOf(reason('token_expired'))).toBe(error)
    expect(challengeOf(reason('token_expired'), gateway)).toBe(`${error}, ${named}, scope="basic groups"`)
  })

  it('blames no token for a session of the gateway', () => {
    expect(challengeOf(reason('session_invalid'))).toBe('Bearer')
  })

  it('names no metadata where nobody knows the address, and no scope where there is none', () => {
    expect(challengeOf(reason('token_missing'), { resource: undefined, scopesSupported: [] })).toBe('Bearer')
  })

  it.each(codes)('is a well-formed header for %s exactly where the status is 401', (code) => {
    const challenge = challengeOf(reason(code))
    expect(challenge === undefined).toBe(statusOf(code) !== 401)
    expect(challenge ?? 'Bearer').toMatch(/^Bearer(?: error="invalid_token", error_description="[ !#-[\]-~]+")?$/)
  })
})

describe('the challenge of a 403', () => {
  it('names the smallest set of scopes that would cure a 403', () => {
    const scoped = reason('scope_missing', ['weather:read', 'weather:alerts'])
    const error = 'Bearer error="insufficient_scope", scope="weather:read weather:alerts"'
    const description = 'error_description="the token lacks an OAuth scope"'
    expect(challengeOf(scoped, gateway)).toBe(`${error}, ${named}, ${description}`)
    expect(challengeOf(scoped)).toBe(`${error}, ${description}`)
  })

  it.each([
    ['without scopes', reason('scope_missing')],
    ['with none', reason('scope_missing', [])],
    ['with nothing but what is no scope', reason('scope_missing', ['', 'a b', 'offline_access', '"', 'é'])],
    ['for a role, whatever scopes come with it', reason('role_missing', ['weather:read'])],
  ])('is not there for a 403 %s', (_, denied) => {
    expect(challengeOf(denied, gateway)).toBeUndefined()
  })
})

describe('a challenge', () => {
  it('is well-formed and says nothing else, whatever scopes and address it is made of', () => {
    const text = fc.string({ unit: 'binary' })
    const address = text.map((end) => `https://mcp.example.com/${end}`)
    const about = fc.record({ resource: fc.oneof(text, address), scopesSupported: fc.array(text) })
    fc.assert(
      fc.property(
        about,
        fc.array(text),
        fc.constantFrom<ReasonCode>('token_expired', 'scope_missing'),
        (known, scopes, code) => {
          const challenge = challengeOf(reason(code, scopes), known) ?? 'Bearer'
          expect(challenge).toMatch(
            /^Bearer(?: [a-z_]+="(?:[ !#-[\]-~]|\\["\\])*"(?:, [a-z_]+="(?:[ !#-[\]-~]|\\["\\])*")*)?$/,
          )
          const names = [...challenge.matchAll(/([a-z_]+)="(?:[^"\\]|\\.)*"/g)].map(([, name]) => name)
          expect(names).toEqual([...new Set(names)])
        },
      ),
    )
  })
})
