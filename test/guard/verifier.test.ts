import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter, type MintOptions, type MintRequest } from '../../src/capabilities/mint.ts'
import { type CapabilityVerifierOptions, createCapabilityVerifier, type HeaderValues } from '../../src/guard/index.ts'
import type { Capabilities } from '../../src/policy/decision.gen.ts'
import { startKeyServer } from '../identity/key-server.ts'
import { craft, ecKeys, encode, signer } from '../identity/tokens.ts'

const now = 1_800_000_000
const key = await capabilityKeyFrom(generateKeyPem())
const other = await capabilityKeyFrom(generateKeyPem())
const capabilities: Capabilities = { tools: { s: ['a'] }, prompts: {}, resources: {}, templates: {} }
const strict: CapabilityVerifierOptions = {
  trusted: { keys: key.jwks.keys },
  issuer: 'mcp-authz',
  audience: 'mcp-broker',
  bound: true,
  now: () => now * 1000,
}

async function minted(
  request: Partial<MintRequest> = {},
  changes: Partial<MintOptions> = {},
  by = key,
): Promise<string> {
  const options = { issuer: 'mcp-authz', audience: 'mcp-broker', lifetimeSeconds: 60, maxBytes: 9999 }
  const minter = createMinter(
    { ...options, profile: 'strict', bound: true, ...changes },
    () => by,
    () => now * 1000,
  )
  const subject = { id: 'alice', grants: {}, roles: [] }
  const outcome = await minter.mint({ subject, capabilities, revision: 'r1', session: 's-1', ...request })
  if (!outcome.ok) throw new Error(outcome.code)
  return outcome.token
}

/** `ok`, or the code of the refusal. */
async function outcomeOf(
  header: HeaderValues,
  session: HeaderValues = 's-1',
  { subject, ...changes }: Partial<CapabilityVerifierOptions> & { readonly subject?: string } = {},
): Promise<string> {
  const verifier = createCapabilityVerifier({ ...strict, ...changes })
  const outcome = await verifier.verify(header, { session, ...(subject === undefined ? {} : { subject }) })
  verifier.close()
  return outcome.ok ? 'ok' : outcome.code
}

/** The same claims with changes, signed by whoever. */
function resigned(
  token: string,
  changes: Readonly<Record<string, unknown>>,
  { header = {}, by = key }: { readonly header?: Readonly<Record<string, unknown>>; readonly by?: typeof key } = {},
): string {
  const [, payload = ''] = token.split('.')
  const claims = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), ...changes }
  const kept = JSON.parse(JSON.stringify(claims)) as Record<string, unknown>
  return craft({ alg: 'ES256', kid: by.kid, ...header }, kept, signer('ES256', by.privateKey))
}

describe('a verified capability token', () => {
  it('gives whom it speaks of, what that one may use, the revision and the end', async () => {
    const verifier = createCapabilityVerifier(strict)
    expect(await verifier.verify(await minted(), { session: 's-1', subject: 'alice' })).toEqual({
      ok: true,
      subject: 'alice',
      capabilities,
      revision: 'r1',
      expiresAt: now + 60,
    })
  })

  it('may come as fetch or as Node gives headers', async () => {
    const token = await minted()
    for (const header of [token, [token]]) {
      for (const session of ['s-1', ['s-1']]) expect(await outcomeOf(header, session)).toBe('ok')
    }
    for (const header of [undefined, null, '', [], ['']]) expect(await outcomeOf(header)).toBe('token_missing')
  })

  it('is believed under PEM, a JWK Set, or the address of one', async () => {
    await using server = await startKeyServer()
    server.publish(key.jwks.keys)
    const token = await minted()
    const sources = [key.publicPem, { keys: [...other.jwks.keys, ...key.jwks.keys] }, { url: `${server.origin}/jwks` }]
    for (const trusted of sources) expect(await outcomeOf(token, 's-1', { trusted })).toBe('ok')
  })

  it('is one of the revisions that the broker believes', async () => {
    const token = await minted()
    expect(await outcomeOf(token, 's-1', { revision: (revision) => revision === 'r1' })).toBe('ok')
    expect(await outcomeOf(token, 's-1', { revision: (revision) => revision === 'r2' })).toBe('token_claim_missing')
    const broken = () => {
      throw new Error('broken')
    }
    expect(await outcomeOf(token, 's-1', { revision: broken })).toBe('policy_error')
  })
})

describe('the session of a token', () => {
  it('must be exactly that of the request', async () => {
    const token = await minted()
    expect(await outcomeOf(token, 's-1')).toBe('ok')
    for (const session of ['s-2', 's-1 ', 'S-1', 's-1,s-1', null, '', [], ['s-1', 's-1'], ['s-1', 's-2']]) {
      expect(await outcomeOf(token, session), JSON.stringify(session)).toBe('session_invalid')
    }
  })

  it('counts also where the broker does not insist on one', async () => {
    for (const session of ['s-2', null]) {
      expect(await outcomeOf(await minted(), session, { bound: false })).toBe('session_invalid')
    }
  })

  it('is not there where the request had none, and a bound broker takes that for no session', async () => {
    for (const token of [await minted({ session: undefined }), await minted({}, { bound: false })]) {
      expect(await outcomeOf(token, null)).toBe('ok')
      expect(await outcomeOf(token, 's-1')).toBe('token_claim_missing')
      expect(await outcomeOf(token, 's-1', { bound: false })).toBe('ok')
    }
  })

  it('is no other text of which the bytes are not UTF-8 either', async () => {
    const token = await minted({ session: 'a\ufffd' })
    expect(await outcomeOf(token, 'a\ufffd')).toBe('ok')
    expect(await outcomeOf(token, 'a\udce9')).toBe('session_invalid')
  })

  it('means nothing in profile kuadrant, as no unknown claim does, unless the broker is bound', async () => {
    const kuadrant = { profile: 'kuadrant', bound: false } as const
    for (const session of ['s-2', null, ['a', 'b']])
      expect(await outcomeOf(await minted(), session, kuadrant)).toBe('ok')
    for (const claim of [null, 7, 'x', { a: 1 }]) {
      expect(await outcomeOf(resigned(await minted(), { session: claim }), 's-1', kuadrant)).toBe('ok')
      expect(await outcomeOf(resigned(await minted(), { session: claim }))).toBe('session_invalid')
    }
    expect(await outcomeOf(await minted(), 's-2', { profile: 'kuadrant' })).toBe('session_invalid')
  })
})

describe('a token of somebody or something else', () => {
  it('is refused for another subject, issuer or audience', async () => {
    expect(await outcomeOf(await minted(), 's-1', { subject: 'bob' })).toBe('token_claim_missing')
    expect(await outcomeOf(await minted(), 's-1', { subject: '' })).toBe('token_claim_missing')
    expect(await outcomeOf(await minted({}, { issuer: 'x' }))).toBe('token_issuer_unknown')
    expect(await outcomeOf(await minted({}, { audience: 'x' }))).toBe('token_audience')
  })

  it('is refused where it was changed: subject, session, what it may', async () => {
    const [header, , signature] = (await minted()).split('.')
    for (const changes of [
      { sub: 'bob' },
      { session: undefined },
      { 'allowed-capabilities': '{"tools":{"s":["b"]}}' },
    ]) {
      const [, payload] = resigned(await minted(), changes).split('.')
      expect(await outcomeOf(`${header}.${payload}.${signature}`)).toBe('token_signature')
    }
  })

  it('is refused where the session was stripped and another key signed', async () => {
    const stripped = { session: undefined }
    expect(await outcomeOf(resigned(await minted(), stripped, { by: other }), null)).toBe('token_key_unknown')
    const asOurs = resigned(await minted(), stripped, { by: other, header: { kid: key.kid } })
    expect(await outcomeOf(asOurs, null)).toBe('token_signature')
    const nameless = resigned(await minted(), stripped, { by: other, header: { kid: undefined } })
    expect(await outcomeOf(nameless, null)).toBe('token_signature')
  })
})

describe('a token that is formed in another way', () => {
  it('is refused where `kid` names no key, or none of several', async () => {
    for (const kid of ['x', '', null, 7, [key.kid]]) {
      expect(await outcomeOf(resigned(await minted(), {}, { header: { kid } })), String(kid)).toBe('token_key_unknown')
    }
    const nameless = resigned(await minted(), {}, { header: { kid: undefined } })
    expect(await outcomeOf(nameless)).toBe('ok')
    const trusted = { keys: [...key.jwks.keys, ...other.jwks.keys] }
    expect(await outcomeOf(nameless, 's-1', { trusted })).toBe('token_key_unknown')
    expect(await outcomeOf(await minted(), 's-1', { trusted })).toBe('ok')
    // A key in PEM has no name that `kid` could miss.
    expect(
      await outcomeOf(resigned(await minted(), {}, { header: { kid: 'x' } }), 's-1', { trusted: key.publicPem }),
    ).toBe('ok')
  })

  it('is refused whatever algorithm it names but ES256, and with a key of its own', async () => {
    const claims = { sub: 'alice' }
    for (const alg of ['none', 'NONE', 'HS256', 'ES384', 'RS256', undefined]) {
      expect(await outcomeOf(resigned(await minted(), claims, { header: { alg } })), String(alg)).toBe(
        'token_algorithm',
      )
    }
    const [, payload = ''] = (await minted()).split('.')
    const input = `${encode({ alg: 'HS256', kid: key.kid })}.${payload}`
    const mac = createHmac('sha256', key.publicPem).update(input).digest('base64url')
    expect(await outcomeOf(`${input}.${mac}`, 's-1', { trusted: key.publicPem })).toBe('token_algorithm')
    const mine = ecKeys('P-256')
    const jwk = mine.publicKey.export({ format: 'jwk' })
    const own = craft({ alg: 'ES256', jwk, kid: key.kid }, { exp: now + 9 }, signer('ES256', mine.privateKey))
    expect(await outcomeOf(own)).toBe('token_signature')
  })

  it('is refused where a member stands twice, as are two tokens', async () => {
    const token = await minted()
    const [header = '', payload = ''] = token.split('.')
    const text = Buffer.from(payload, 'base64url').toString()
    const twice = craft(
      Buffer.from(header, 'base64url'),
      text.replace('{', '{"session":"x",'),
      signer('ES256', key.privateKey),
    )
    expect(await outcomeOf(twice)).toBe('token_malformed')
    expect(await outcomeOf([token, token])).toBe('token_malformed')
    expect(await outcomeOf(`${token}, ${token}`)).toBe('token_malformed')
  })
})

describe('a verifier of capability tokens', () => {
  it.each([
    ['no key', { trusted: '' }, 'expected a P-256 public key'],
    ['a private key', { trusted: generateKeyPem() }, 'expected a P-256 public key'],
    ['an empty set', { trusted: { keys: [] } }, 'expected a jwk set with a P-256 key'],
    ['an http address', { trusted: { url: 'http://authz.example.com/jwks' } }, 'expected https'],
    ['no address', { trusted: { url: 'x' } }, 'expected an https address'],
    ['no issuer', { issuer: '' }, 'expected `issuer` and `audience`'],
    ['another profile', { profile: 'none' as 'strict' }, 'expected `profile`'],
  ])('is not made of %s', (_, changes: Partial<CapabilityVerifierOptions>, message) => {
    expect(() => createCapabilityVerifier({ ...strict, ...changes })).toThrow(message)
  })

  it('refuses while keys cannot be had, says so once, and follows a rotation', async () => {
    await using server = await startKeyServer()
    const faults: string[] = []
    const verifier = createCapabilityVerifier({
      issuer: 'mcp-authz',
      audience: 'mcp-broker',
      trusted: { url: `${server.origin}/jwks` },
      onKeysFault: (detail) => faults.push(detail),
    })
    const live = async (by: typeof key) => resigned(await minted(), { exp: Date.now() / 1000 + 60 }, { by })
    const verified = async (by: typeof key) => await verifier.verify(await live(by), { session: 's-1' })
    expect(await verified(key)).toEqual({ ok: false, code: 'keys_unavailable' })
    expect(faults).toHaveLength(1)
    server.publish(key.jwks.keys)
    while (!(await verified(key)).ok) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await verified(other)).toEqual({ ok: false, code: 'token_key_unknown' })
    server.publish([...other.jwks.keys, ...key.jwks.keys])
    while (!(await verified(other)).ok) await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await verified(key)).ok).toBe(true)
    verifier.close()
    expect(await verified(key)).toEqual({ ok: false, code: 'keys_unavailable' })
  })
})

describe('x-authorized-tools', () => {
  const header = 'x-authorized-tools'
  const tools = { 'allowed-capabilities': undefined, 'allowed-tools': '{"s":["a"]}' }

  it('opens the tools it names where it is read, in its session', async () => {
    const verifier = createCapabilityVerifier({ ...strict, authorizedTools: true })
    const token = resigned(await minted(), tools)
    expect(await verifier.verify(token, { session: 's-1', header })).toEqual({
      ok: true,
      subject: 'alice',
      capabilities: { tools: { s: ['a'] } },
      revision: 'r1',
      expiresAt: now + 60,
    })
    const refused: readonly (readonly [string, HeaderValues, HeaderValues])[] = [
      ['token_missing', null, 's-1'],
      ['token_missing', '', 's-1'],
      ['token_malformed', [token, token], 's-1'],
      ['session_invalid', token, 's-2'],
      ['token_claim_missing', await minted(), 's-1'],
      ['token_signature', resigned(await minted(), tools, { by: other, header: { kid: key.kid } }), 's-1'],
    ]
    for (const [code, values, session] of refused) {
      expect(await verifier.verify(values, { session, header })).toEqual({ ok: false, code })
    }
    expect(await verifier.verify(token, { session: 's-1' })).toEqual({ ok: false, code: 'token_claim_missing' })
    verifier.close()
  })

  it('opens nothing where it is not read, whatever it holds', async () => {
    const verifier = createCapabilityVerifier(strict)
    for (const token of [resigned(await minted(), tools), await minted()]) {
      expect(await verifier.verify(token, { session: 's-1', header })).toEqual({ ok: false, code: 'token_missing' })
    }
    verifier.close()
  })
})
