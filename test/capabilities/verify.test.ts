import { describe, expect, it } from 'vitest'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import { keysAtHand, readTrusted } from '../../src/capabilities/trusted-keys.ts'
import { createCapabilityVerifier, type TrustOptions } from '../../src/capabilities/verify.ts'
import { claimChecks } from '../../src/config/claim-checks.ts'
import { craft, craftEncoded, ecKeys, encode, hmacSigner, type Part, signer } from '../identity/tokens.ts'

const now = 1_800_000_000
const key = await capabilityKeyFrom(generateKeyPem())
const byUs = signer('ES256', key.privateKey)
const byPem = readTrusted(key.publicPem)
const map = { tools: { s: ['a'] }, prompts: {}, resources: {}, templates: {} }
const trust: TrustOptions = {
  keys: keysAtHand(() => byPem),
  issuer: 'mcp-authz',
  audience: 'mcp-broker',
  profile: 'strict',
  ...claimChecks(),
  now: () => now * 1000,
}

/** The payload that both profiles take; every case changes one thing. A member that is undefined is left out. */
function payload(changes: Record<string, unknown> = {}): Record<string, unknown> {
  const all = { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp: now + 60, iat: now, ...changes }
  return JSON.parse(JSON.stringify({ 'allowed-capabilities': JSON.stringify(map), ...all }))
}

function token(changes: Record<string, unknown> = {}, header: Part = { alg: 'ES256' }): string {
  return craft(header, payload(changes), byUs)
}

/** `ok`, or the code of the refusal, in one profile. */
async function outcomeOf(profile: TrustOptions['profile'], ...values: string[]): Promise<string> {
  const outcome = await createCapabilityVerifier({ ...trust, profile })({ values })
  return outcome.ok ? 'ok' : outcome.code
}

/** The outcomes in profile strict and in profile kuadrant. */
async function both(...values: string[]): Promise<readonly [string, string]> {
  return [await outcomeOf('strict', ...values), await outcomeOf('kuadrant', ...values)]
}

const nowhere = (code: string): readonly [string, string] => [code, code]

describe('a capability token that verifies', () => {
  it('gives its capabilities, subject and end, and no grants or roles of its own', async () => {
    const verify = createCapabilityVerifier(trust)
    const roles = { realm_access: { roles: ['admin'] }, resource_access: { s: { roles: ['tool:b'] } } }
    expect(await verify({ values: [token(roles)] })).toEqual({
      ok: true,
      subject: { id: 'alice', grants: {}, roles: [], capabilities: map, expiresAt: now + 60 },
    })
  })

  it('gives the revision, and what it was minted for', async () => {
    const verify = createCapabilityVerifier(trust)
    const origin = { iss: 'https://sso.example.com', jti: 'j', sid: 's', digest: 'd', iat: now - 9, api_key: 'k' }
    const facts = {
      issuer: 'https://sso.example.com',
      subject: 'alice',
      jti: 'j',
      session: 's',
      digest: 'd',
      issuedAt: now - 9,
      apiKey: 'k',
    }
    expect(await verify({ values: [token({ revision: 'r', origin })] })).toMatchObject({
      ok: true,
      revision: 'r',
      subject: { facts },
    })
    expect(await verify({ values: [token({ origin: { ...origin, sub: 'f81d4fae' } })] })).toMatchObject({
      subject: { id: 'alice', facts: { ...facts, subject: 'f81d4fae' } },
    })
  })

  it('is refused in profile strict where it does not say well what it was minted for', async () => {
    for (const origin of ['x', 7, [], null, { iss: 7 }, { iat: 'then' }, { jti: null }, { digest: {} }]) {
      expect(await both(token({ origin })), JSON.stringify(origin)).toEqual(['token_malformed', 'ok'])
    }
    expect(await both(token({ origin: {} }))).toEqual(nowhere('ok'))
  })

  it('is what the minter makes', async () => {
    const options = { issuer: 'mcp-authz', audience: 'mcp-broker', lifetimeSeconds: 60, maxBytes: 9999 } as const
    for (const profile of ['strict', 'kuadrant'] as const) {
      const minter = createMinter(
        { ...options, profile },
        () => key,
        () => now * 1000,
      )
      const subject = { id: 'alice', grants: {}, roles: [] }
      const minted = await minter.mint({ subject, capabilities: map, revision: 'r' })
      expect(minted.ok && (await outcomeOf(profile, minted.token))).toBe('ok')
    }
  })

  it('may lack in profile kuadrant what its broker does not look at', async () => {
    expect(await both(token({ exp: undefined }))).toEqual(['token_claim_missing', 'ok'])
    expect(await both(token({ iss: undefined }))).toEqual(['token_issuer_unknown', 'ok'])
    expect(await both(token({ aud: undefined }))).toEqual(['token_audience', 'ok'])
    expect(await both(token({ sub: undefined, iat: undefined }))).toEqual(['ok', 'ok'])
  })

  it('is meant for one of several audiences', async () => {
    expect(await both(token({ aud: ['other', 'mcp-broker'] }))).toEqual(['ok', 'ok'])
  })
})

describe('a capability token in time', () => {
  it('ends at its second, without leeway', async () => {
    expect(await both(token({ exp: now + 0.001 }))).toEqual(nowhere('ok'))
    expect(await both(token({ exp: now }))).toEqual(nowhere('token_expired'))
    expect(await both(token({ exp: now - 1 }))).toEqual(nowhere('token_expired'))
    expect(await both(token({ exp: 0 }))).toEqual(nowhere('token_expired'))
  })

  it('begins at its second, without leeway', async () => {
    expect(await both(token({ nbf: now }))).toEqual(nowhere('ok'))
    expect(await both(token({ nbf: now + 1 }))).toEqual(nowhere('token_not_yet_valid'))
  })

  it.each(['exp', 'nbf', 'iat'])('is malformed where %s is no finite number', async (claim) => {
    for (const value of [String(now + 60), null, true, [now + 60]]) {
      expect(await both(token({ [claim]: value }))).toEqual(nowhere('token_malformed'))
    }
    const infinite = JSON.stringify(payload())
      .replace('{', `{"${claim}":1e999,`)
      .replace(/,"exp":\d+,/, ',')
    expect(await both(craft({ alg: 'ES256' }, infinite, byUs))).toEqual(nowhere('token_malformed'))
  })
})

describe('a capability token of somebody else', () => {
  it('is refused: another key, a changed payload, no signature', async () => {
    const forged = craft({ alg: 'ES256', kid: key.kid }, payload(), signer('ES256', ecKeys('P-256').privateKey))
    expect(await both(forged)).toEqual(nowhere('token_signature'))
    const [header, , signature] = token().split('.')
    expect(await both(`${header}.${encode(payload({ sub: 'mallory' }))}.${signature}`)).toEqual(
      nowhere('token_signature'),
    )
    expect(await both(`${header}.${encode(payload())}.`)).toEqual(nowhere('token_signature'))
  })

  it('is refused whatever algorithm it names but ES256', async () => {
    const withSecret = craft({ alg: 'HS256' }, payload(), hmacSigner(key.publicPem))
    expect(await both(withSecret)).toEqual(nowhere('token_algorithm'))
    for (const alg of ['none', 'None', '', 'es256', 'ES384', 'RS256', null, ['ES256'], undefined]) {
      expect(await both(token({}, { alg })), String(alg)).toEqual(nowhere('token_algorithm'))
      expect(await both(craft({ alg }, payload(), () => Buffer.alloc(0))), String(alg)).toEqual(
        nowhere('token_algorithm'),
      )
    }
  })

  it('is refused where it names its own key', async () => {
    const mine = ecKeys('P-256')
    const jwk = mine.publicKey.export({ format: 'jwk' })
    const token = craft({ alg: 'ES256', jwk }, payload(), signer('ES256', mine.privateKey))
    expect(await both(token)).toEqual(nowhere('token_signature'))
  })

  it.each(['crit', 'b64'])('is refused with the header %s', async (name) => {
    expect(await both(token({}, { alg: 'ES256', [name]: name === 'crit' ? ['exp'] : true }))).toEqual(
      nowhere('token_malformed'),
    )
  })

  it('is refused in profile strict for another issuer or audience', async () => {
    for (const iss of ['other', '', 'MCP-AUTHZ', ['mcp-authz'], null, 1]) {
      expect(await both(token({ iss }))).toEqual(['token_issuer_unknown', 'ok'])
    }
    for (const aud of ['other', '', [], ['other'], [['mcp-broker']], null, { 'mcp-broker': 1 }]) {
      expect(await both(token({ aud }))).toEqual(['token_audience', 'ok'])
    }
  })
})

describe('the claim', () => {
  it.each([undefined, null, map, [], 7, true])('is refused where it is no text: %j', async (claim) => {
    expect(await both(token({ 'allowed-capabilities': claim }))).toEqual(nowhere('token_claim_missing'))
  })

  it.each([
    '',
    '{',
    'tools',
    'null',
    '[]',
    '"{}"',
    '{"tools":["a"]}',
    '{"tools":{"s":"a"}}',
    '{"tools":{"s":[1]}}',
    '{"v":1,"tools":{"s":["a"]}}',
    '{"tools":{}} ,',
  ])('is refused where its text is %s', async (claim) => {
    expect(await both(token({ 'allowed-capabilities': claim }))).toEqual(nowhere('token_malformed'))
  })

  it.each(['{"tools":null}', '{"tools":{"s":null}}'])('may hold null in profile kuadrant alone: %s', async (claim) => {
    expect(await both(token({ 'allowed-capabilities': claim }))).toEqual(['token_malformed', 'ok'])
  })

  it('may hold fewer types, or none', async () => {
    expect(await both(token({ 'allowed-capabilities': '{}' }))).toEqual(nowhere('ok'))
    expect(await both(token({ 'allowed-capabilities': '{"tools":{"s":[]}}' }))).toEqual(nowhere('ok'))
  })
})

describe('a header that is no one capability token', () => {
  it('is refused: none, empty, two, joined', async () => {
    expect(await both()).toEqual(nowhere('token_missing'))
    expect(await both('')).toEqual(nowhere('token_missing'))
    expect(await both(token(), token())).toEqual(nowhere('token_malformed'))
    expect(await both('', token())).toEqual(nowhere('token_missing'))
    expect(await both(`${token()}, ${token()}`)).toEqual(nowhere('token_malformed'))
    expect(await both(`Bearer ${token()}`)).toEqual(nowhere('token_malformed'))
  })

  it('is refused where a member stands twice in header or payload', async () => {
    const twice = JSON.stringify(payload()).replace('{', '{"allowed-capabilities":"{}",')
    expect(await both(craft({ alg: 'ES256' }, twice, byUs))).toEqual(nowhere('token_malformed'))
    const escaped = JSON.stringify(payload()).replace('{', '{"allowed\\u002dcapabilities":"{}",')
    expect(await both(craft({ alg: 'ES256' }, escaped, byUs))).toEqual(nowhere('token_malformed'))
    expect(await both(craft('{"alg":"none","alg":"ES256"}', payload(), byUs))).toEqual(nowhere('token_malformed'))
  })

  it('is refused where it is encoded in another way', async () => {
    const padded = craftEncoded(`${encode({ alg: 'ES256' })}=`, encode(payload()), byUs)
    expect(await both(padded)).toEqual(nowhere('token_malformed'))
    expect(await both(`${token()} `)).toEqual(nowhere('token_malformed'))
    expect(await both(`${token()}.`)).toEqual(nowhere('token_malformed'))
    expect(await both(token().replaceAll('.', ''))).toEqual(nowhere('token_malformed'))
  })
})
