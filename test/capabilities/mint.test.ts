import { createHash } from 'node:crypto'
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter, type Minted, type MintOptions } from '../../src/capabilities/mint.ts'
import type { CredentialFacts, Subject } from '../../src/identity/subject.ts'
import type { Capabilities } from '../../src/policy/decision.gen.ts'

const now = 1_800_000_000
const key = await capabilityKeyFrom(generateKeyPem())
const options: MintOptions = {
  issuer: 'mcp-authz',
  audience: 'mcp-broker',
  lifetimeSeconds: 300,
  maxBytes: 32_768,
  profile: 'strict',
}
const alice: Subject = { id: 'alice', grants: { weather: ['tool:secret-grant'] }, roles: ['secret-role'] }
const capabilities: Capabilities = {
  tools: { 'ns/weather': ['alerts', 'forecast'] },
  prompts: {},
  resources: { 'ns/weather': ['weather://b:1/x', 'weather://a/y', 'weather://a/z', 'urn:isbn:1', 'weather:///none'] },
  templates: { 'ns/weather': ['weather://{host}/x'] },
}

async function mint(
  changes: Partial<MintOptions> = {},
  {
    subject = alice,
    may = capabilities,
    nowMs = now * 1000,
    ...use
  }: { subject?: Subject; may?: Capabilities; nowMs?: number; session?: string; server?: string } = {},
): Promise<Minted> {
  const minter = createMinter(
    { ...options, ...changes },
    () => key,
    () => nowMs,
  )
  return await minter.mint({ subject, capabilities: may, revision: 'r1+d1', ...use })
}

async function tokenOf(...args: Parameters<typeof mint>): Promise<string> {
  const minted = await mint(...args)
  if (!minted.ok) throw new Error(minted.code)
  return minted.token
}

/** The map inside the claim. */
async function claimOf(...args: Parameters<typeof mint>): Promise<Record<string, Record<string, string[]>>> {
  return JSON.parse(decodeJwt(await tokenOf(...args))['allowed-capabilities'] as string)
}

describe('a capability token', () => {
  it('verifies under the published key and names it', async () => {
    const token = await tokenOf()
    await compactVerify(token, key.jwks.keys[0] ?? {}, { algorithms: ['ES256'] })
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'JWT', kid: key.kid })
  })

  it('says who, what, for whom, how long and by which revision, and nothing else', async () => {
    const { jti, ...rest } = decodeJwt(await tokenOf())
    expect(rest).toEqual({
      iss: 'mcp-authz',
      aud: 'mcp-broker',
      sub: 'alice',
      iat: now,
      exp: now + 300,
      revision: 'r1+d1',
      'allowed-capabilities': JSON.stringify(capabilities),
    })
    expect(jti).toMatch(/^[0-9a-f-]{36}$/)
    expect(decodeJwt(await tokenOf()).jti).not.toBe(jti)
  })

  it('holds the capabilities as a text of exactly four keys, also when there are none', async () => {
    const none = { tools: {}, prompts: {}, resources: {}, templates: {} }
    expect(decodeJwt(await tokenOf({}, { may: none }))['allowed-capabilities']).toBe(JSON.stringify(none))
    for (const profile of ['strict', 'kuadrant'] as const) {
      expect(Object.keys(await claimOf({ profile }))).toEqual(['tools', 'prompts', 'resources', 'templates'])
    }
  })

  it('keeps ids that are awkward for JavaScript', async () => {
    const tools = Object.fromEntries([['__proto__', ['constructor']]])
    const claim = await claimOf({ profile: 'kuadrant' }, { may: { ...capabilities, tools } })
    expect(Object.entries(claim['tools'] ?? {})).toEqual([['__proto__', ['constructor']]])
  })
})

describe('the life of a capability token', () => {
  const until = async (expiresAt: number, lifetimeSeconds = 300): Promise<number | undefined> =>
    decodeJwt(await tokenOf({ lifetimeSeconds }, { subject: { ...alice, expiresAt } })).exp

  it('ends after its lifetime or with the token of the caller, whichever comes first', async () => {
    expect(await until(now + 10_000)).toBe(now + 300)
    expect(await until(now + 300)).toBe(now + 300)
    expect(await until(now + 20)).toBe(now + 20)
    expect(await until(now + 10_000, 1)).toBe(now + 1)
  })

  it('does not outlive the token of the caller by a fraction of a second', async () => {
    expect(await until(now + 20.9)).toBe(now + 20)
    expect(await until(now + 0.5)).toBe(now)
  })

  it('is over at once where the token of the caller lives on tolerance alone', async () => {
    expect(await until(now - 3)).toBe(now - 3)
  })

  it('is told in whole seconds', async () => {
    const minted = await mint({}, { nowMs: now * 1000 + 999 })
    expect(minted).toMatchObject({ ok: true, issuedAt: now, expiresAt: now + 300 })
  })
})

describe('resources in the claim', () => {
  it('are URIs in profile strict', async () => {
    expect(await claimOf()).toEqual(capabilities)
  })

  it('are sorted, distinct authorities with their ports in profile kuadrant, templates stay as they are', async () => {
    expect(await claimOf({ profile: 'kuadrant' })).toEqual({
      ...capabilities,
      resources: { 'ns/weather': ['a', 'b:1'] },
    })
  })

  it.each([
    ['ui://board.html', ['board.html']],
    ['ui://board.html?x#y', ['board.html']],
    ['ui://board.html#y/z', ['board.html']],
    ['HTTP+x.y-z://Host:8080/x', ['Host:8080']],
    ['http://user@[::1]:80/x', ['user@[::1]:80']],
    ['file:///etc/hosts', []],
    ['mailto:a@b', []],
    ['//host/x', []],
    ['1a://host/x', []],
    ['ui://', []],
  ])('of %s are %j', async (uri, authorities) => {
    const may = { ...capabilities, resources: { s: [uri] } }
    const claim = await claimOf({ profile: 'kuadrant' }, { may })
    expect(claim['resources']).toEqual(authorities.length === 0 ? {} : { s: authorities })
  })

  it('are sorted by code point', async () => {
    const may = { ...capabilities, resources: { s: ['x://\u{1f600}', 'x://\uffee', 'x://a'] } }
    expect((await claimOf({ profile: 'kuadrant' }, { may }))['resources']).toEqual({ s: ['a', '\uffee', '\u{1f600}'] })
  })
})

describe('a capability token that is too large', () => {
  it('is a denial from one byte over the limit on, never a cut', async () => {
    const { length } = await tokenOf()
    expect(await mint({ maxBytes: length })).toMatchObject({ ok: true })
    expect(await mint({ maxBytes: length - 1 })).toEqual({ ok: false, code: 'claim_too_large' })
    const tools = { s: Array.from({ length: 3000 }, (_, i) => `tool-number-${i}`) }
    expect(await mint({}, { may: { ...capabilities, tools } })).toEqual({ ok: false, code: 'claim_too_large' })
  })
})

describe('what a capability token is bound to', () => {
  const facts: CredentialFacts = {
    issuer: 'https://sso.example.com',
    subject: 'f81d4fae',
    jti: 'token-1',
    session: 'session-1',
    digest: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
    issuedAt: now - 100,
  }
  const known: Subject = { ...alice, facts }

  it.each([false, true])(
    'is in both modes the credential it was minted for, as far as it is known (bound: %s)',
    async (bound) => {
      expect(decodeJwt(await tokenOf({ bound }, { subject: known }))['origin']).toEqual({
        iss: 'https://sso.example.com',
        sub: 'f81d4fae',
        jti: 'token-1',
        sid: 'session-1',
        digest: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
        iat: now - 100,
      })
      const sparse = { ...alice, facts: { subject: 'alice', apiKey: 'key-1', jti: undefined } }
      expect(decodeJwt(await tokenOf({ bound }, { subject: sparse }))['origin']).toEqual({ api_key: 'key-1' })
      expect(decodeJwt(await tokenOf({ bound }))).not.toHaveProperty('origin')
    },
  )

  it('is in bound mode the digest of the session, where the request has one', async () => {
    const digest = createHash('sha256').update('s-1').digest('base64url')
    expect(decodeJwt(await tokenOf({ bound: true }, { session: 's-1' }))['session']).toBe(digest)
    expect(decodeJwt(await tokenOf({ bound: true }))).not.toHaveProperty('session')
    expect(decodeJwt(await tokenOf({ bound: false }, { session: 's-1' }))).not.toHaveProperty('session')
    expect(await tokenOf({ bound: true }, { session: 's-1', subject: known })).not.toContain('s-1')
  })

  it('stands beside the map and never inside it', async () => {
    for (const profile of ['strict', 'kuadrant'] as const) {
      const claim = await claimOf({ bound: true, profile }, { session: 's-1', subject: known })
      expect(claim).toEqual(await claimOf({ profile }))
    }
  })
})

describe('a capability token for one server', () => {
  it('holds of each of the four types what that server has, and nothing else', async () => {
    const may = { ...capabilities, tools: { ...capabilities.tools, other: ['x'] }, prompts: { other: ['y'] } }
    expect(await claimOf({}, { may, server: 'ns/weather' })).toEqual({ ...capabilities, prompts: {} })
    expect(await claimOf({}, { may, server: 'other' })).toEqual({
      tools: { other: ['x'] },
      prompts: { other: ['y'] },
      resources: {},
      templates: {},
    })
    for (const server of ['nobody', 'constructor', '__proto__', '']) {
      expect(await claimOf({}, { may, server })).toEqual({ tools: {}, prompts: {}, resources: {}, templates: {} })
    }
  })
})
