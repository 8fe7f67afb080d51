import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { keysAtHand, readTrusted } from '../../src/capabilities/trusted-keys.ts'
import { type CapabilityHeader, createCapabilityVerifier, type TrustOptions } from '../../src/capabilities/verify.ts'
import { claimChecks } from '../../src/config/claim-checks.ts'
import { craft, signer } from '../identity/tokens.ts'

const now = 1_800_000_000
const key = await capabilityKeyFrom(generateKeyPem())
const byUs = signer('ES256', key.privateKey)
const byPem = readTrusted(key.publicPem)
const trust: TrustOptions = {
  keys: keysAtHand(() => byPem),
  issuer: 'mcp-authz',
  audience: 'mcp-broker',
  profile: 'strict',
  authorizedTools: true,
  ...claimChecks(),
  now: () => now * 1000,
}
const profiles = ['strict', 'kuadrant'] as const
const claimOf = { 'x-mcp-authorized': 'allowed-capabilities', 'x-authorized-tools': 'allowed-tools' } as const

function token(claims: Readonly<Record<string, unknown>>): string {
  return craft({ alg: 'ES256' }, { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp: now + 60, ...claims }, byUs)
}

/** The capabilities, or the code of the refusal. */
async function outcomeOf(
  header: CapabilityHeader | undefined,
  compact: string,
  changes: Partial<TrustOptions> = {},
): Promise<unknown> {
  const outcome = await createCapabilityVerifier({ ...trust, ...changes })({ values: [compact], header })
  return outcome.ok ? outcome.subject.capabilities : outcome.code
}

describe('x-authorized-tools', () => {
  it.each(profiles)('speaks of tools alone, in profile %s', async (profile) => {
    const compact = token({ 'allowed-tools': '{"s":["a"],"t":[]}' })
    expect(await outcomeOf('x-authorized-tools', compact, { profile })).toEqual({ tools: { s: ['a'], t: [] } })
  })

  it.each(profiles)('says the same as x-mcp-authorized with that map of tools, in profile %s', async (profile) => {
    const names = fc.oneof(fc.array(fc.string()), fc.constant(null), fc.jsonValue({ maxDepth: 1 }))
    const map = fc.oneof(fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), names), fc.jsonValue())
    await fc.assert(
      fc.asyncProperty(map, async (tools) => {
        const old = token({ 'allowed-tools': JSON.stringify(tools) })
        const present = token({ 'allowed-capabilities': `{"tools":${JSON.stringify(tools)}}` })
        expect(await outcomeOf('x-authorized-tools', old, { profile })).toEqual(
          await outcomeOf('x-mcp-authorized', present, { profile }),
        )
      }),
    )
  })

  it.each(['', '{', 'undefined', '{"s":["a"]} x', '{},"prompts":{}', '"s"', '7', 'true', '[]', '[["s",["a"]]]'])(
    'is refused for a claim that is no map: %s',
    async (text) => {
      for (const profile of profiles) {
        const compact = token({ 'allowed-tools': text })
        expect(await outcomeOf('x-authorized-tools', compact, { profile })).toBe('token_malformed')
      }
    },
  )

  it.each(['{"s":"a"}', '{"s":[1]}', '{"s":{"a":true}}', '{"tools":{"s":["a"]}}', '{"s":[null]}'])(
    'is refused for names that are none: %s',
    async (text) => {
      for (const profile of profiles) {
        const compact = token({ 'allowed-tools': text })
        expect(await outcomeOf('x-authorized-tools', compact, { profile })).toBe('token_malformed')
      }
    },
  )

  it('may say null for nothing in profile kuadrant alone', async () => {
    const nothing = [
      ['null', {}],
      ['{"s":null}', { s: [] }],
    ] as const
    for (const [text, tools] of nothing) {
      const compact = token({ 'allowed-tools': text })
      expect(await outcomeOf('x-authorized-tools', compact, { profile: 'kuadrant' })).toEqual({ tools })
      expect(await outcomeOf('x-authorized-tools', compact)).toBe('token_malformed')
    }
  })
})

describe('the name x-authorized-tools', () => {
  it('is nothing, whatever it holds, unless it is asked for', async () => {
    const compact = token({ 'allowed-tools': '{"s":["a"]}', 'allowed-capabilities': '{"tools":{"s":["a"]}}' })
    for (const authorizedTools of [false, undefined]) {
      const changes = authorizedTools === undefined ? {} : { authorizedTools }
      const { authorizedTools: _, ...without } = trust
      const verify = createCapabilityVerifier({ ...without, ...changes })
      expect(await verify({ values: [compact], header: 'x-authorized-tools' })).toMatchObject({ code: 'token_missing' })
      expect(await verify({ values: [compact] })).toMatchObject({ ok: true })
    }
  })

  it('is the only other name', async () => {
    const compact = token({ 'allowed-tools': '{"s":["a"]}', 'allowed-capabilities': '{"tools":{"s":["a"]}}' })
    for (const name of ['', 'X-Authorized-Tools', 'x-mcp-authorised', '__proto__', 'constructor', null]) {
      expect(await outcomeOf(name as CapabilityHeader, compact)).toBe('token_missing')
    }
  })
})

describe('a claim', () => {
  it.each(profiles)('never opens anything under the header of the other, in profile %s', async (profile) => {
    const headers = fc.constantFrom<CapabilityHeader>('x-mcp-authorized', 'x-authorized-tools')
    const said = fc.oneof(
      fc.dictionary(fc.string(), fc.array(fc.string())).map((tools) => JSON.stringify(tools)),
      fc.constantFrom('{"tools":{"s":["a"]}}', '{"s":["a"]}', '{}', 'null'),
    )
    const others = fc.dictionary(fc.constantFrom('tools', 'allowed_tools', 'Allowed-Tools', 'capabilities'), said)
    await fc.assert(
      fc.asyncProperty(headers, said, others, async (header, text, more) => {
        const other = header === 'x-mcp-authorized' ? 'x-authorized-tools' : 'x-mcp-authorized'
        const compact = token({ ...more, [claimOf[header]]: text })
        expect(await outcomeOf(other, compact, { profile })).toBe('token_claim_missing')
      }),
    )
  })

  it.each(profiles)('is the one of its header where a token has both, in profile %s', async (profile) => {
    const compact = token({ 'allowed-tools': '{"s":["old"]}', 'allowed-capabilities': '{"tools":{"s":["new"]}}' })
    expect(await outcomeOf('x-authorized-tools', compact, { profile })).toEqual({ tools: { s: ['old'] } })
    expect(await outcomeOf(undefined, compact, { profile })).toEqual({ tools: { s: ['new'] } })
  })
})
