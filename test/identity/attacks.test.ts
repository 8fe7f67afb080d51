import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Authentication, Credential } from '../../src/identity/subject.ts'
import {
  good,
  header,
  headerText,
  narrow,
  payload,
  payloadText,
  rawHeader,
  rawPayload,
  rsa,
  signed,
  trusted,
  withEc,
} from './attack-issuers.ts'
import { attacks, credentialAttacks } from './attack-table.ts'
import { issuerOptions, jwkOf, nowMs } from './tokens.ts'

const authenticator = createAuthenticator({ now: () => nowMs, issuers: trusted })

describe.each(attacks)('a token attack on the %s is refused', (_, rows) => {
  test.each(rows)('%s', async (_name, token, code) => {
    expect(await codeOf({ kind: 'token', token: await token() })).toBe(code)
  })
})

describe('a good token in a bad credential is refused', () => {
  test.each(credentialAttacks)('%s', async (_name, values, code) => {
    expect(await codeOf({ kind: 'authorization', values })).toBe(code)
  })
})

test('a token that names no audience is refused also where any will do', async () => {
  const trusting = createAuthenticator({
    issuers: [issuerOptions([jwkOf(rsa, { kid: 'rsa' })], { audiences: [] })],
    now: () => nowMs,
  })
  for (const aud of [undefined, null, '', [], [''], 1, ['anybody', 1], { 0: 'anybody' }]) {
    const outcome = await trusting.authenticate({ kind: 'token', token: payload({ aud }) })
    expect(outcome).toMatchObject({ ok: false, code: 'token_audience' })
  }
  const outcome = await trusting.authenticate({ kind: 'token', token: payload({ aud: 'anybody' }) })
  expect(outcome).toMatchObject({ ok: true })
})

test('the token that every attack is made from is accepted, so that each fails for its own reason', async () => {
  const subject = expect.objectContaining({ id: 'alice' })
  expect(await authenticate({ kind: 'token', token: good() })).toEqual({ ok: true, subject })
  expect(await authenticate({ kind: 'token', token: signed(withEc) })).toEqual({ ok: true, subject })
  expect(await authenticate({ kind: 'token', token: rawPayload(payloadText) })).toEqual({ ok: true, subject })
  expect(await authenticate({ kind: 'token', token: rawHeader(headerText) })).toEqual({ ok: true, subject })
  expect(await authenticate({ kind: 'token', token: narrow() })).toEqual({ ok: true, subject })
})

test('whatever letter of a good token is changed, cut out or put in, it is a good token no more', async () => {
  const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/')
  const tokens = [good(), signed(withEc)]
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(2), letter, fc.constantFrom(...tokens), async (at, cut, put, token) => {
      const index = at % token.length
      const changed = token.slice(0, index) + put + token.slice(index + cut)
      if (changed === token) return
      expect(await codeOf({ kind: 'token', token: changed })).not.toBe('accepted')
    }),
    { numRuns: 300 },
  )
})

test('a refusal never holds what the client sent', async () => {
  const marker = 'evil-marker'
  const tokens = [
    header({ kid: marker }),
    header({ alg: marker }),
    header({ typ: marker }),
    payload({ iss: marker }),
    payload({ aud: marker }),
    marker,
  ]
  for (const token of tokens) {
    expect(JSON.stringify(await authenticate({ kind: 'token', token }))).not.toContain(marker)
  }
})

function authenticate(credential: Credential): Promise<Authentication> {
  return authenticator.authenticate(credential)
}

async function codeOf(credential: Credential): Promise<string> {
  const outcome = await authenticate(credential)
  return outcome.ok ? 'accepted' : outcome.code
}
