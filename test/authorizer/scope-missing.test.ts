import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AuthorizerOptions, createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Read, Reading, Target } from '../../src/mcp/reading.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Decision, Verdict } from '../../src/policy/decision.gen.ts'
import type { Engine } from '../../src/policy/engine.ts'
import { messageOf } from '../../src/policy/reasons.ts'
import { ecKeys, issuerOptions, jwkOf } from '../identity/tokens.ts'
import { engineOf } from '../policy/questions.ts'

const resources = ['v://1', 'v://2', 'v://3', 'v://4']
const scopeNames = ['s:a', 's:b', 's:c', 's:d']
const data: Data = {
  servers: { s: { prefix: 's_', tools: ['read', 'write', 'free'], resources } },
  roles: { admin: { '*': ['tool:*', 'resource:*'] }, reader: { s: ['resource:*', 'tool:read'] } },
  scopes: {
    's:all': { s: ['tool:*'] },
    's:read': { s: ['tool:read', 'resource:v://1'] },
    's:write': { s: ['tool:write', 'resource:v://2'] },
    's:v': { s: ['resource:v://1', 'resource:v://2'] },
  },
}

const keys = ecKeys('P-256')

function asking(engine: Engine, roles: readonly string[], more: Partial<AuthorizerOptions> = {}) {
  const authenticator = createAuthenticator({ issuers: [issuerOptions([jwkOf(keys)])] })
  const authorizer = createAuthorizer({ authenticator, engine: () => engine, profile: 'strict', ...more })
  return async (scopes: readonly string[], reading: Reading): Promise<Decision> => {
    const claims = { sub: 'alice', realm_access: { roles }, scope: scopes.join(' ') }
    const { decision } = await authorizer.authorize({ credential: { kind: 'claims', claims }, reading })
    return decision
  }
}

const tool = (name: string) => ({ action: 'tools/call', target: { type: 'tool', name } as const })
const listen = (...names: string[]) => ({
  action: 'subscriptions/listen',
  target: { type: 'resource', names } as const,
})

function asks(...all: readonly { readonly action: string; readonly target: Target }[]): Read {
  return {
    ok: true,
    asks: all,
    batch: all.length > 1,
    virtualServers: [],
    brokerAnswers: true,
    withoutRemovals: false,
  }
}

const missing = (...scopes: string[]) => [
  { code: 'scope_missing', message: messageOf('scope_missing'), required: `scope ${scopes.join(' ')}`, scopes },
]

describe('a denial for want of scope', () => {
  const ask = asking(engineOf(data), ['admin'])

  it('names the one scope that cures a call, the first by code point', async () => {
    const decision = await ask([], asks(tool('s_read')))
    expect(decision).toMatchObject({ allow: false, action: 'tools/call', subject: 'alice' })
    expect(decision.reasons).toEqual(missing('s:all'))
    expect(decision.resource).toEqual({ type: 'tool', server: 's', name: 'read' })
    expect((await ask(['s:all'], asks(tool('s_read')))).allow).toBe(true)
  })

  it('names the smallest set for every URI of a subscription', async () => {
    expect((await ask([], asks(listen('v://1', 'v://2', 'v://3')))).reasons).toEqual(missing('s:v'))
    expect((await ask(['s:read'], asks(listen('v://1', 'v://2')))).reasons).toEqual(missing('s:v'))
  })

  it('names the smallest set for a whole batch', async () => {
    const decision = await ask([], asks(tool('s_write'), listen('v://1'), tool('s_write')))
    expect(decision.reasons).toEqual(missing('s:all', 's:read'))
    expect(decision.resource).toEqual({ type: 'tool', server: 's', name: 'write' })
    expect((await ask(['s:all', 's:read'], asks(tool('s_write'), listen('v://1')))).allow).toBe(true)
  })

  it('is none where more scope would not cure the whole request', async () => {
    const reader = asking(engineOf(data), ['reader'])
    const decision = await reader([], asks(tool('s_read'), tool('s_write')))
    expect(decision.reasons.map(({ code }) => code)).toEqual(['role_missing'])
    expect(decision.resource.name).toBe('write')
  })

  it('says no scopes where a policy names none', async () => {
    const verdict = {
      allow: false,
      reasons: [{ code: 'scope_missing' }],
      resource: { type: 'server' },
    } as unknown as Verdict
    const engine: Engine = { revision: 'x', decide: () => verdict, capabilities: () => undefined, visible: () => [] }
    expect((await asking(engine, [])([], asks(tool('a')))).reasons).toEqual([
      { code: 'scope_missing', message: messageOf('scope_missing') },
    ])
  })
})

describe('the scopes of a denial', () => {
  const scopes = fc.dictionary(
    fc.constantFrom(...scopeNames),
    fc
      .constant('s')
      .chain((s) => fc.subarray(resources).map((uris) => ({ [s]: uris.map((uri) => `resource:${uri}`) }))),
  )

  it('cure it, and no fewer would', { timeout: 60_000 }, async () => {
    let cured = 0
    const property = fc.asyncProperty(scopes, fc.subarray(scopeNames), async (entries, held) => {
      const ask = asking(engineOf({ ...data, scopes: entries }), ['admin'])
      const request = asks(listen(...resources))
      const { allow, reasons } = await ask(held, request)
      if (allow) return
      const [{ scopes: wanted = [] } = {}] = reasons
      expect((await ask([...held, ...wanted], request)).allow).toBe(true)
      for (const scope of wanted) {
        const fewer = wanted.filter((other) => other !== scope)
        expect((await ask([...held, ...fewer], request)).allow, `without ${scope}`).toBe(false)
      }
      cured += 1
    })
    await fc.assert(property, { numRuns: 200 })
    expect(cured).toBeGreaterThan(50)
  })
})
