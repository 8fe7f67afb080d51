import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/authorizer/attempt.ts'
import { createCheck, type DoorFault } from '../../src/envoy/check.ts'
import type { Reason } from '../../src/policy/decision.gen.ts'
import { allow, deny, kuadrant, recording, strict } from './authorizers.ts'
import { decodeCheckResponse, encodeCheckRequest, headersOf, post, removals, statusCode } from './messages.ts'

const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }

function reasonOf(bytes: Buffer): string | undefined {
  return decodeCheckResponse(bytes).dynamic_metadata?.fields['reasons']?.listValue?.values?.[0]?.stringValue
}

describe('what the authorizer is asked', () => {
  it('is the credential, what the body says, and a token', async () => {
    const authorizer = recording()
    await createCheck({ authorizer, read: strict })(post(call, {}, { mcp_virtual_server: 'team-a/desk' }))
    expect(authorizer.attempts).toMatchObject([
      {
        credential: { kind: 'authorization', values: ['Bearer good'] },
        reading: {
          ok: true,
          asks: [{ action: 'tools/call', target: { type: 'tool', name: 'weather_forecast' } }],
          virtualServers: ['team-a/desk'],
        },
        mint: true,
      },
    ])
  })

  it('includes the server that the context extensions name', async () => {
    const authorizer = recording()
    await createCheck({ authorizer, read: strict })(post(call, {}, { mcp_server: 'weather' }))
    expect(authorizer.attempts).toMatchObject([{ reading: { ok: true, server: 'weather' } }])
  })

  it('asks for a token in profile kuadrant only when the broker answers', async () => {
    const authorizer = recording()
    const check = createCheck({ authorizer, read: kuadrant })
    await check(post({ ...call, method: 'tools/list' }, { headers: { 'x-mcp-servername': 'mcpBroker' } }))
    const routed = await check(post(call, { headers: { 'x-mcp-servername': 'ns/weather' } }))
    expect(authorizer.attempts.map(({ mint }) => mint)).toEqual([true, false])
    expect(headersOf(routed)).toEqual({})
    expect(removals(routed)).toContain('x-mcp-authorized')
  })

  it('is a body that can be read in two ways, refused after the credential', async () => {
    const authorizer = recording()
    const both = post(call, { body: '{}' })
    const reply = await createCheck({ authorizer, read: strict })(both)
    expect(authorizer.attempts).toMatchObject([{ reading: { ok: false, code: 'body_ambiguous' } }])
    expect(reasonOf(reply)).toBe('body_ambiguous')
    const anonymous = post(call, { body: '{}', headers: { authorization: '' } })
    expect(reasonOf(await createCheck({ authorizer, read: strict })(anonymous))).toBe('token_missing')
  })

  it('sees a repeated header as repeated', async () => {
    const authorizer = recording()
    const twice = ['one', 'two'].map((value) => ({ key: 'x-mcp-virtualserver', raw_value: Buffer.from(value) }))
    await createCheck({ authorizer, read: strict })(post(call, { header_map: { headers: twice } }))
    expect(authorizer.attempts).toMatchObject([{ reading: { virtualServers: [null] } }])
  })
})

describe('internal headers that a client made up', () => {
  const forged = ['x-mcp-authz-filter', 'x-mcp-verified-sub', 'x-mcp-annotation-hints', 'router-key']

  it.each([
    ['headers', { headers: Object.fromEntries(forged.map((name) => [name, 'forged'])) }],
    ['headers in another case', { headers: Object.fromEntries(forged.map((name) => [name.toUpperCase(), 'forged'])) }],
    [
      'header_map, twice each',
      {
        header_map: {
          headers: [...forged, ...forged].map((key) => ({ key, raw_value: Buffer.from('forged') })),
        },
      },
    ],
  ])('are removed from an allowed request: %s', async (_name, http) => {
    const reply = await createCheck({ authorizer: recording(), read: strict })(post(call, http))
    expect(statusCode(reply)).toBe(0)
    expect(removals(reply)).toEqual(expect.arrayContaining(forged))
  })

  it('never reach the reply that overwrites x-mcp-authorized', async () => {
    const reply = await createCheck({ authorizer: recording(), read: strict })(
      post(call, { headers: { 'x-mcp-authorized': 'forged' } }),
    )
    expect(headersOf(reply)).toEqual({ 'x-mcp-authorized': 'minted.token.here' })
    expect(removals(reply)).not.toContain('x-mcp-authorized')
  })
})

describe('a denial that a client can cure', () => {
  const protectedResource = {
    name: 'MCP Server',
    resource: 'https://mcp.example.com/mcp',
    authorizationServers: [],
    bearerMethodsSupported: ['header'],
    scopesSupported: ['basic'],
  }
  const named = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"'

  /** The status and the challenge of a call that the policy denies for this reason. */
  async function answered(reason: Reason): Promise<unknown> {
    const authorizer = recording((attempt) => {
      const outcome = deny(reason.code, attempt)
      return { ...outcome, decision: { ...outcome.decision, reasons: [reason] } }
    })
    const reply = await createCheck({ authorizer, read: strict, protectedResource })(post(call))
    return [decodeCheckResponse(reply).denied_response?.status.code, headersOf(reply)['www-authenticate']]
  }

  it('says which scopes would, and where they are to be had', async () => {
    const message = 'the token lacks an OAuth scope'
    expect(await answered({ code: 'scope_missing', message, scopes: ['weather:read', 'weather:alerts'] })).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="weather:read weather:alerts", ${named}, error_description="${message}"`,
    ])
  })

  it.each<readonly [Reason, number]>([
    [{ code: 'role_missing', message: 'm', required: 'tool:forecast on weather' }, 403],
    [{ code: 'usage_exceeded', message: 'm' }, 429],
    [{ code: 'router_key_invalid', message: 'm' }, 400],
  ])('has no challenge where no scope would: %o', async (reason, status) => {
    expect(await answered(reason)).toEqual([status, undefined])
  })
})

describe('an authorizer that fails', () => {
  const failures: [string, () => Promise<Outcome>][] = [
    [
      'throws',
      () => {
        throw new Error('boom')
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('boom')
      },
    ],
    ['rejects with nothing', () => Promise.reject(undefined)],
    ['returns nothing', async () => undefined as unknown as Outcome],
    ['returns no promise', () => true as unknown as Promise<Outcome>],
    [
      'returns a token with a line break',
      async () => {
        const decided = allow({ credential: { kind: 'token', token: '' }, reading: { ok: false } as never, mint: true })
        return { ...decided, capabilityToken: 'a\r\nb: c' }
      },
    ],
    [
      'returns an outcome that throws when read',
      async () => ({
        get decision(): never {
          throw new Error('boom')
        },
      }),
    ],
  ]

  it.each(failures)('is a denial with the id of the request: %s', async (_name, authorize) => {
    const faults: DoorFault[] = []
    const reply = await createCheck({ authorizer: { authorize }, read: strict, onFault: (f) => faults.push(f) })(
      post(call),
    )
    expect(statusCode(reply)).toBe(7)
    expect(reasonOf(reply)).toBe('policy_error')
    expect(JSON.parse(decodeCheckResponse(reply).denied_response?.body ?? '')).toMatchObject({ id: 1 })
    expect(faults).toMatchObject([{ code: 'policy_error' }])
  })

  it('shows the client nothing of what was thrown', async () => {
    const authorize = async () => {
      throw new Error('secret')
    }
    expect((await createCheck({ authorizer: { authorize }, read: strict })(post(call))).includes('secret')).toBe(false)
  })

  it('is a denial when the fault cannot be logged either', async () => {
    const boom = () => {
      throw new Error('boom')
    }
    const check = createCheck({ authorizer: { authorize: boom }, read: strict, onFault: boom })
    expect(statusCode(await check(post(call)))).toBe(7)
    expect(statusCode(await check(Buffer.from([255])))).toBe(7)
  })
})

describe('a request that is no check', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['cut short', post(call).subarray(0, 40)],
    ['garbage', Buffer.from('garbage')],
    ['without http', encodeCheckRequest({ attributes: {} })],
  ])('is denied body_malformed without asking: %s', async (_name, bytes) => {
    const authorizer = recording(allow)
    const faults: DoorFault[] = []
    const reply = await createCheck({ authorizer, read: strict, onFault: (fault) => faults.push(fault) })(bytes)
    expect(statusCode(reply)).toBe(7)
    expect(reasonOf(reply)).toBe('body_malformed')
    expect(authorizer.attempts).toEqual([])
    expect(faults).toEqual([{ code: 'body_malformed' }])
  })
})

describe('whatever arrives', () => {
  const check = createCheck({ authorizer: recording(), read: strict })
  const denies = async (bytes: Buffer) => {
    expect([7, 16]).toContain(statusCode(await check(bytes)))
  }

  it('random bytes are denied', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
    await fc.assert(fc.asyncProperty(bytes, denies))
  })

  it('random requests without the credential are denied', async () => {
    const text = fc.string({ unit: 'binary' })
    const name = fc.oneof(text, fc.constantFrom('authorization', 'content-type', 'x-mcp-authorized', '__proto__'))
    const http = fc.record({
      method: fc.oneof(fc.constantFrom('POST', 'GET', 'DELETE'), text),
      headers: fc.dictionary(
        name,
        text.map((value) => value.replace('good', '')),
      ),
      raw_body: fc.oneof(fc.json(), text).map((body) => Buffer.from(body)),
    })
    const request = http.map((fields) => encodeCheckRequest({ attributes: { request: { http: fields } } }))
    await fc.assert(fc.asyncProperty(request, denies))
  })

  it('a good request with any byte changed is denied, or allowed as what it then says', async () => {
    const good = post(call)
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
        const changed = Buffer.from(good)
        changed[at] = byte
        const reply = decodeCheckResponse(await check(changed))
        expect([0, 7, 16]).toContain(reply.status?.code ?? 0)
        expect('ok_response' in reply).toBe((reply.status?.code ?? 0) === 0)
      }),
    )
  })
})
