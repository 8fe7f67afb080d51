import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AllowedReply, allowed, type DeniedReply, denied } from '../../src/envoy/check-response.ts'
import { decodeCheckResponse, statusCode } from './messages.ts'

const denial: DeniedReply = {
  httpStatus: 403,
  grpcCode: 7,
  headers: [['content-type', 'application/json']],
  body: '{}',
  metadata: {},
}

function allowing(reply: Partial<AllowedReply>): Buffer {
  return allowed({ headers: [], remove: [], metadata: {}, ...reply })
}

describe('allowed', () => {
  it('has status 0 and no denied response', () => {
    const bytes = allowing({})
    const reply = decodeCheckResponse(bytes)
    expect(bytes.subarray(0, 4)).toEqual(Buffer.from([10, 2, 8, 0]))
    expect(reply).toHaveProperty('ok_response')
    expect(reply).not.toHaveProperty('denied_response')
  })

  it('overwrites the headers it sets, with `append` and `raw_value` absent', () => {
    const reply = decodeCheckResponse(allowing({ headers: [['x-mcp-authorized', 'a.b.c']] }))
    expect(reply.ok_response?.headers).toEqual([
      { header: { key: 'x-mcp-authorized', value: 'a.b.c' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' },
    ])
  })

  it('never removes a header that it sets', () => {
    const remove = ['router-key', 'x-mcp-authorized', 'x-mcp-authz-filter']
    const reply = decodeCheckResponse(allowing({ headers: [['x-mcp-authorized', 'a.b.c']], remove }))
    expect(reply.ok_response?.headers_to_remove).toEqual(['router-key', 'x-mcp-authz-filter'])
  })

  it('refuses to set a header twice', () => {
    const headers = [
      ['a', '1'],
      ['a', '2'],
    ] as const
    expect(() => allowing({ headers })).toThrow(TypeError)
  })

  it('carries metadata as a struct', () => {
    const metadata = { subject: 'älice', allow: true, reasons: ['a', 'b'], none: [] }
    expect(decodeCheckResponse(allowing({ metadata })).dynamic_metadata).toEqual({
      fields: {
        subject: { stringValue: 'älice' },
        allow: { boolValue: true },
        reasons: { listValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } },
        none: { listValue: {} },
      },
    })
  })

  it('carries a header of 100,000 bytes', () => {
    const value = 'v'.repeat(100_000)
    const reply = decodeCheckResponse(allowing({ headers: [['x-mcp-authorized', value]] }))
    expect(reply.ok_response?.headers?.[0]?.header.value).toBe(value)
  })
})

describe('denied', () => {
  it.each([7, 16] as const)('has status %i on the wire', (grpcCode) => {
    const bytes = denied({ ...denial, grpcCode })
    expect(statusCode(bytes)).toBe(grpcCode)
    expect(bytes.subarray(0, 4)).toEqual(Buffer.from([10, 2, 8, grpcCode]))
  })

  it('carries HTTP status, headers and body', () => {
    const reply = decodeCheckResponse(denied({ ...denial, httpStatus: 401, body: '{"error":"ä"}' }))
    expect(reply.denied_response).toEqual({
      status: { code: 401 },
      headers: [
        {
          header: { key: 'content-type', value: 'application/json' },
          append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
        },
      ],
      body: '{"error":"ä"}',
    })
    expect(reply).not.toHaveProperty('ok_response')
  })

  it.each([0, 1, 5, 13, '7', undefined, null, Number.NaN])('refuses status %s', (grpcCode) => {
    expect(() => denied({ ...denial, grpcCode: grpcCode as 7 })).toThrow(TypeError)
  })

  it.each([0, 99, 100, 201, 204, 302, 399, 600, 999, 403.5, Number.NaN, '403'])('refuses HTTP status %s', (status) => {
    expect(() => denied({ ...denial, httpStatus: status as number })).toThrow(TypeError)
  })

  it.each([200, 400, 401, 403, 413, 503, 599])('accepts HTTP status %i', (httpStatus) => {
    expect(decodeCheckResponse(denied({ ...denial, httpStatus })).denied_response?.status.code).toBe(httpStatus)
  })

  it('writes UTF-8 whatever the strings hold, since Envoy drops a reply that is not', () => {
    const strings = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) })
    fc.assert(
      fc.property(strings, strings, (body, subject) => {
        const reply = decodeCheckResponse(denied({ ...denial, body, metadata: { subject } }))
        expect(reply.status).toEqual({ code: 7 })
        expect(reply.denied_response?.body ?? '').toBe(body.toWellFormed())
        expect(reply.dynamic_metadata?.fields['subject']?.stringValue ?? '').toBe(subject.toWellFormed())
      }),
    )
  })
})

describe('header values', () => {
  it.each(['a\r\nset-cookie: b', 'a\nb', 'a\rb', 'a\0b', '\u007f', 'a\tb', '\u0085', '\ud800'])(
    'refuse %j',
    (value) => {
      expect(() => allowing({ headers: [['x-mcp-authorized', value]] })).toThrow(TypeError)
      expect(() => denied({ ...denial, headers: [['www-authenticate', value]] })).toThrow(TypeError)
    },
  )

  it('are not in the error', () => {
    expect(() => allowing({ headers: [['x-mcp-authorized', 'secret\n']] })).toThrow(/^(?!.*secret)/)
  })
})

describe('header names', () => {
  it.each(['', ':path', 'Host', 'host', 'content-length', 'transfer-encoding', 'a b', 'ä', 'a:b', 'X-A', 'a\r\nb'])(
    'refuse %j, set or removed',
    (name) => {
      expect(() => allowing({ headers: [[name, 'v']] })).toThrow(TypeError)
      expect(() => allowing({ remove: [name] })).toThrow(TypeError)
      expect(() => denied({ ...denial, headers: [[name, 'v']] })).toThrow(TypeError)
    },
  )
})
