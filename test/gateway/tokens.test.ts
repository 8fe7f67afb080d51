import fc from 'fast-check'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { createGatewayTokens } from '../../src/gateway/tokens.ts'
import { encode } from '../identity/tokens.ts'
import { memory, sessionClaims, signingKey } from './tokens.ts'

const nowMs = 1_800_000_000_500
const seconds = 1_800_000_000
const clock = { ms: nowMs }
const tokens = createGatewayTokens({ signingKey, once: memory(), now: () => clock.ms })

/** What `run` gives while the clock stands at a moment. */
async function at<T>(ms: number, run: () => Promise<T>): Promise<T> {
  clock.ms = ms
  try {
    return await run()
  } finally {
    clock.ms = nowMs
  }
}

describe('a router key', () => {
  it('says what the advisory asks for', async () => {
    const token = await tokens.mintBackendInit({ host: 'alpha.upstream.test:8080' })
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(decodeJwt(token)).toEqual({
      iss: 'mcp-gateway',
      aud: 'mcp-router',
      purpose: 'backend-init',
      host: 'alpha.upstream.test:8080',
      jti: expect.stringMatching(/^[\da-f-]{36}$/),
      iat: seconds,
      nbf: seconds,
      exp: seconds + 30,
    })
  })

  it('verifies once', async () => {
    const token = await tokens.mintBackendInit({ host: 'a.test' })
    expect(await tokens.verifyBackendInit(token, 'a.test')).toEqual({ ok: true })
    expect(await tokens.verifyBackendInit(token, 'a.test')).toEqual({
      ok: false,
      code: 'router_key_invalid',
      detail: 'it was used before',
    })
  })

  it('is spent by the verification that succeeds alone', async () => {
    const token = await tokens.mintBackendInit({ host: 'a.test' })
    expect(await tokens.verifyBackendInit(token, 'b.test')).toMatchObject({ code: 'router_key_invalid' })
    expect(await tokens.verifyBackendInit(`${token}x`, 'a.test')).toMatchObject({ code: 'router_key_invalid' })
    expect(await tokens.verifyBackendInit(token, 'a.test')).toEqual({ ok: true })
  })
})

describe('the time and the host of a router key', () => {
  it.each([
    [-6000, false],
    [-4000, true],
    [29_000, true],
    [34_000, true],
    [35_000, false],
    [3_600_000, false],
  ])('verifies %d ms after it was made: %s', async (ms, ok) => {
    const token = await tokens.mintBackendInit({ host: 'a.test' })
    expect((await at(seconds * 1000 + ms, () => tokens.verifyBackendInit(token, 'a.test'))).ok).toBe(ok)
  })

  it.each([
    '',
    ' ',
    'a b',
    'a.test/x',
    'user@a.test',
    'https://a.test',
    'a.test\n',
    'a.test.',
    'é.test',
    'a'.repeat(300),
  ])('is not made for what is no host: %j', async (host) => {
    await expect(tokens.mintBackendInit({ host })).rejects.toThrow(new TypeError('"host" must be HOST or HOST:PORT'))
  })

  it('verifies for nobody where nothing remembers what was used', async () => {
    const forgetful = createGatewayTokens({ signingKey, now: () => clock.ms })
    const token = await forgetful.mintBackendInit({ host: 'a.test' })
    expect(await forgetful.verifyBackendInit(token, 'a.test')).toMatchObject({ ok: false, code: 'state_unavailable' })
  })
})

describe('a session', () => {
  it('is what Kuadrant makes, for a day', async () => {
    expect(decodeJwt(await tokens.mintSession())).toEqual({
      iss: 'mcp-gateway',
      aud: 'mcp-gateway',
      jti: expect.stringMatching(/^[\da-f-]{36}$/),
      iat: seconds,
      nbf: seconds,
      exp: seconds + 86_400,
    })
  })

  it('says its id and its end, and verifies as often as it is shown', async () => {
    const token = await tokens.mintSession()
    const verdict = { ok: true, id: decodeJwt(token).jti, expiresAt: seconds + 86_400 }
    expect([await tokens.verifySession(token), await tokens.verifySession(token)]).toEqual([verdict, verdict])
  })

  it.each([
    [60_000, true],
    [64_000, true],
    [65_000, false],
  ])('of a minute verifies %d ms after it was made: %s', async (ms, ok) => {
    const short = createGatewayTokens({ signingKey, sessionSeconds: 60, now: () => clock.ms })
    const token = await short.mintSession()
    expect((await at(seconds * 1000 + ms, () => short.verifySession(token))).ok).toBe(ok)
  })

  it('is no router key, and a router key is no session', async () => {
    const router = await tokens.mintBackendInit({ host: 'a.test' })
    expect(await tokens.verifySession(router)).toMatchObject({ ok: false, code: 'session_invalid' })
    expect(await tokens.verifyBackendInit(await tokens.mintSession(), 'a.test')).toMatchObject({ ok: false })
  })
})

describe('whatever is presented', () => {
  it('does not verify and does not throw', async () => {
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.anything() as fc.Arbitrary<string>)
    await fc.assert(
      fc.asyncProperty(anything, anything, async (token, host) => {
        expect((await tokens.verifySession(token)).ok).toBe(false)
        expect((await tokens.verifyBackendInit(token, host)).ok).toBe(false)
      }),
    )
  })

  it('does not verify with any character changed', async () => {
    const router = await tokens.mintBackendInit({ host: 'a.test' })
    const session = await tokens.mintSession()
    const change = fc.record({ at: fc.nat(), to: fc.constantFrom(...'AZaz09-_.= ') })
    await fc.assert(
      fc.asyncProperty(change, fc.boolean(), async ({ at: place, to }, isRouter) => {
        const token = isRouter ? router : session
        const index = place % token.length
        fc.pre(token[index] !== to)
        const altered = token.slice(0, index) + to + token.slice(index + 1)
        const verdict = isRouter ? tokens.verifyBackendInit(altered, 'a.test') : tokens.verifySession(altered)
        expect((await verdict).ok).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  it('is told what is wrong with it in words of our own', async () => {
    const unsigned = `${encode({ alg: 'none' })}.${encode(sessionClaims())}.`
    expect(await tokens.verifySession(unsigned)).toMatchObject({ detail: 'expected the algorithm HS256' })
    const [header, payload] = (await tokens.mintSession()).split('.')
    const forged = `${header}.${payload}.${encode('x'.repeat(32))}`
    expect(await tokens.verifySession(forged)).toMatchObject({ detail: 'the signature does not verify' })
  })

  it('is not repeated in what is said of it', async () => {
    const verdict = await tokens.verifySession('secret.secret.secret')
    expect(JSON.stringify(verdict)).not.toContain('secret')
  })
})

describe('the options', () => {
  it.each(['', 'short', 'x'.repeat(31), new Uint8Array(31), undefined as unknown as string])(
    'must have a signing key of 32 bytes: %j',
    (key) => {
      const problem = new TypeError('"signingKey" must be text or bytes, 32 bytes or more')
      expect(() => createGatewayTokens({ signingKey: key })).toThrow(problem)
    },
  )

  it('count the bytes of the key, not its characters', () => {
    expect(() => createGatewayTokens({ signingKey: 'é'.repeat(16) })).not.toThrow()
  })

  it.each([0, -1, 1.5, Number.NaN, Infinity])('must have a life of whole seconds: %d', (sessionSeconds) => {
    expect(() => createGatewayTokens({ signingKey, sessionSeconds })).toThrow(TypeError)
  })
})
