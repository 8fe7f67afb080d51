import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { KeyedAuthenticator } from '../../src/identity/authenticator.ts'
import { failing, hold, startKeyServer } from './key-server.ts'
import {
  codeOf,
  newJwk,
  newKey,
  oldJwk,
  oldKey,
  type RemoteIssuer,
  startRemoteIssuer,
  tokenBy,
} from './remote-issuer.ts'
import { issuerOptions, nowMs } from './tokens.ts'

const keyAges = { maxAgeMs: 30_000, maxOutageMs: 90_000 }
const oldToken = tokenBy(oldKey, 'old')
const newToken = tokenBy(newKey, 'new')

let remote: RemoteIssuer

beforeEach(async () => {
  remote = await startRemoteIssuer()
})

afterEach(async () => {
  await remote[Symbol.asyncDispose]()
})

async function loaded(): Promise<KeyedAuthenticator> {
  const keys = { kind: 'url', url: `${remote.server.origin}/keys` } as const
  const authenticator = remote.open([issuerOptions([], { keys, keyAges })])
  await authenticator.load()
  return authenticator
}

describe('the ages of keys that an issuer is configured with', () => {
  test('end a removed key', async () => {
    const authenticator = await loaded()
    expect(await codeOf(authenticator, oldToken)).toBe('ok')
    remote.server.publish([newJwk])
    remote.clock.ms += keyAges.maxAgeMs
    expect(await codeOf(authenticator, oldToken)).toBe('token_key_unknown')
  })

  test('have keys fetched ahead from half of the age on, and not before', async () => {
    const authenticator = await loaded()
    remote.server.publish([newJwk])
    remote.clock.ms += keyAges.maxAgeMs / 2 - 1
    expect(await codeOf(authenticator, oldToken)).toBe('ok')
    expect(remote.server.requests).toHaveLength(1)
    remote.clock.ms += 1
    expect(await codeOf(authenticator, oldToken)).toBe('ok')
    await vi.waitFor(async () => expect(await codeOf(authenticator, oldToken)).toBe('token_key_unknown'))
  })

  test('keep keys through an outage, to the millisecond', async () => {
    const authenticator = await loaded()
    remote.server.answer(failing)
    for (const age of [keyAges.maxAgeMs, keyAges.maxOutageMs - 1]) {
      remote.clock.ms = nowMs + age
      expect(await codeOf(authenticator, oldToken)).toBe('ok')
    }
    remote.clock.ms = nowMs + keyAges.maxOutageMs
    expect(await codeOf(authenticator, oldToken)).toBe('keys_unavailable')
    expect(authenticator.ready()).toBe(false)
  })
})

describe('whoever guesses names of keys', () => {
  test('has them fetched once a second at most, and does not hold up good tokens', async () => {
    const authenticator = await loaded()
    const held = hold([oldJwk])
    remote.server.answer(held.listener)
    const guesses = Array.from({ length: 500 }, (_, index) => codeOf(authenticator, tokenBy(newKey, `guess ${index}`)))
    await vi.waitFor(() => expect(remote.server.requests).toHaveLength(2))
    // The fetch that the guesses wait for is not answered yet; it is nothing that a known key would wait for.
    expect(await codeOf(authenticator, oldToken)).toBe('ok')
    held.release()
    expect(new Set(await Promise.all(guesses))).toEqual(new Set(['token_key_unknown']))
    expect(remote.server.requests).toHaveLength(2)
  })

  test('keeps nobody from a new key for longer than that second', async () => {
    const authenticator = await loaded()
    for (let second = 0; second < 5; second++) {
      expect(await codeOf(authenticator, tokenBy(newKey, `guess ${second}`))).toBe('token_key_unknown')
      remote.clock.ms += 1000
    }
    expect(remote.server.requests).toHaveLength(6)
    remote.server.publish([oldJwk, newJwk])
    expect(await codeOf(authenticator, newToken)).toBe('ok')
  })
})

describe('keys of another origin', () => {
  test('are not taken through a redirect, and nobody asks there', async () => {
    await using elsewhere = await startKeyServer()
    elsewhere.publish([newJwk])
    remote.server.answer((_, response) => response.writeHead(302, { location: `${elsewhere.origin}/keys` }).end())
    expect(await codeOf(remote.open(), newToken)).toBe('keys_unavailable')
    expect(elsewhere.requests).toEqual([])
  })

  test('are not asked for by what a token says of itself', async () => {
    await using elsewhere = await startKeyServer()
    elsewhere.publish([newJwk])
    const authenticator = await loaded()
    const address = `${elsewhere.origin}/keys`
    const kids = [address, `${address}#new`, '//evil.example.com/keys']
    for (const kid of kids) expect(await codeOf(authenticator, tokenBy(newKey, kid))).toBe('token_key_unknown')
    expect(elsewhere.requests).toEqual([])
    expect(new Set(remote.server.requests)).toEqual(new Set(['/keys']))
  })
})
