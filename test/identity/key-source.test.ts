import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultKeyAges } from '../../src/identity/key-source.ts'
import { failing, hold, silent, startKeyServer } from './key-server.ts'
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
import { claims, craft, issuerOptions, nowMs } from './tokens.ts'

const minute = 60_000
const { maxAgeMs, maxOutageMs } = defaultKeyAges

let remote: RemoteIssuer

beforeEach(async () => {
  remote = await startRemoteIssuer()
})

afterEach(async () => {
  await remote[Symbol.asyncDispose]()
})

describe('when keys rotate', () => {
  test('a new key is accepted at once, after one fetch for all who ask', async () => {
    const authenticator = await remote.loaded()
    remote.server.publish([oldJwk, newJwk])
    const tokens = Array.from({ length: 20 }, (_, index) => tokenBy(newKey, 'new', { jti: index }))
    const codes = await Promise.all(tokens.map((token) => codeOf(authenticator, token)))
    expect(new Set(codes)).toEqual(new Set(['ok']))
    expect(remote.server.requests).toHaveLength(2)
  })

  test('an unknown kid causes one fetch a second at most', async () => {
    const authenticator = await remote.loaded()
    for (let index = 0; index < 10; index++) {
      expect(await codeOf(authenticator, tokenBy(newKey, `guess ${index}`))).toBe('token_key_unknown')
    }
    expect(remote.server.requests).toHaveLength(2)
    remote.clock.ms += 999
    expect(await codeOf(authenticator, tokenBy(newKey, 'new'))).toBe('token_key_unknown')
    expect(remote.server.requests).toHaveLength(2)
    remote.clock.ms += 1
    remote.server.publish([newJwk])
    expect(await codeOf(authenticator, tokenBy(newKey, 'new'))).toBe('ok')
    expect(remote.server.requests).toHaveLength(3)
  })
})

describe('looking for a key that nobody knows', () => {
  test('is done once more where a fetch was under way already', async () => {
    const authenticator = await remote.loaded()
    const held = hold([oldJwk])
    remote.server.answer(held.listener)
    remote.clock.ms += maxAgeMs / 2
    const token = tokenBy(oldKey, 'old', { exp: nowMs / 1000 + 3600 })
    expect(await codeOf(authenticator, token)).toBe('ok')
    await vi.waitFor(() => expect(remote.server.requests).toHaveLength(2))
    remote.server.publish([oldJwk, newJwk])
    const outcomes = Array.from({ length: 5 }, (_, jti) =>
      codeOf(authenticator, tokenBy(newKey, 'new', { jti, exp: nowMs / 1000 + 3600 })),
    )
    held.release()
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['ok']))
    expect(remote.server.requests).toHaveLength(3)
  })

  test('is not done once more where that fetch fails', async () => {
    const source = remote.source({ timeoutMs: 500 })
    const set = await source.current()
    expect(set).toBeDefined()
    remote.server.answer(silent)
    remote.clock.ms += maxAgeMs / 2
    expect(await source.current()).toBe(set)
    expect(await source.renewed(() => false)).toBeUndefined()
    expect(remote.server.requests).toHaveLength(2)
  })

  test('is not done for a kid that is no string, or a key that does not fit', async () => {
    const authenticator = await remote.loaded()
    expect(await codeOf(authenticator, tokenBy(newKey, 7))).toBe('token_key_unknown')
    expect(
      await codeOf(
        authenticator,
        craft({ alg: 'RS256', kid: 'old' }, claims(), () => Buffer.alloc(256)),
      ),
    ).toBe('token_algorithm')
    expect(remote.server.requests).toHaveLength(1)
  })
})

describe('when a key is removed', () => {
  test('it is refused once its set has reached the bounded age, also in a token that was accepted before', async () => {
    const authenticator = await remote.loaded()
    const token = tokenBy(oldKey, 'old', { exp: nowMs / 1000 + 3600 })
    expect(await codeOf(authenticator, token)).toBe('ok')
    remote.server.publish([newJwk])
    remote.clock.ms += maxAgeMs
    expect(await codeOf(authenticator, token)).toBe('token_key_unknown')
  })

  test('it is refused as soon as the set is renewed for a new one', async () => {
    const authenticator = await remote.loaded()
    const token = tokenBy(oldKey, 'old')
    expect(await codeOf(authenticator, token)).toBe('ok')
    remote.server.publish([newJwk])
    expect(await codeOf(authenticator, tokenBy(newKey, 'new'))).toBe('ok')
    expect(await codeOf(authenticator, token)).toBe('token_key_unknown')
  })

  test('from half the age on the set is renewed behind the back of those who ask', async () => {
    const authenticator = await remote.loaded()
    const token = tokenBy(oldKey, 'old', { exp: nowMs / 1000 + 3600 })
    remote.server.publish([newJwk])
    remote.clock.ms += maxAgeMs / 2 - 1
    expect(await codeOf(authenticator, token)).toBe('ok')
    expect(remote.server.requests).toHaveLength(1)
    remote.clock.ms += 1
    expect(await codeOf(authenticator, token)).toBe('ok')
    await vi.waitFor(async () => expect(await codeOf(authenticator, token)).toBe('token_key_unknown'))
    expect(remote.server.requests.length).toBeGreaterThan(1)
  })

  test('a set that came back unchanged is the same set', async () => {
    const source = remote.source()
    const first = await source.current()
    remote.clock.ms += maxAgeMs
    expect(await source.current()).toBe(first)
    remote.server.publish([newJwk])
    remote.clock.ms += maxAgeMs
    expect(await source.current()).not.toBe(first)
    expect(remote.server.requests).toHaveLength(3)
  })
})

describe('while the issuer does not answer', () => {
  test('its keys are kept for an hour, then they are unavailable, and then they come back', async () => {
    const authenticator = await remote.loaded()
    const token = tokenBy(oldKey, 'old', { exp: nowMs / 1000 + 7200 })
    remote.server.answer(failing)
    for (const age of [maxAgeMs, maxAgeMs + minute, maxOutageMs - 1]) {
      remote.clock.ms = nowMs + age
      expect(await codeOf(authenticator, token)).toBe('ok')
      expect(authenticator.ready()).toBe(true)
    }
    remote.clock.ms = nowMs + maxOutageMs
    expect(await codeOf(authenticator, token)).toBe('keys_unavailable')
    expect(authenticator.ready()).toBe(false)
    remote.server.publish([oldJwk])
    remote.clock.ms += 2000
    expect(await codeOf(authenticator, token)).toBe('ok')
    expect(authenticator.ready()).toBe(true)
  })

  test('a fetch for an unknown kid that fails leaves the keys as they are', async () => {
    const authenticator = await remote.loaded()
    remote.server.answer(failing)
    expect(await codeOf(authenticator, tokenBy(newKey, 'new'))).toBe('keys_unavailable')
    expect(await codeOf(authenticator, tokenBy(oldKey, 'old'))).toBe('ok')
  })

  test('nobody waits for it once the outage is known', async () => {
    const source = remote.source()
    const set = await source.current()
    remote.server.answer(failing)
    remote.clock.ms += maxAgeMs
    expect(await source.current()).toBe(set)
    remote.server.answer(silent)
    remote.clock.ms += 1000
    expect(await source.current()).toBe(set)
    await vi.waitFor(() => expect(remote.server.requests).toHaveLength(3))
  })
})

describe('while the issuer is slow or was never there', () => {
  test('one attempt is under way at a time, however long it takes', async () => {
    const held = hold([oldJwk])
    remote.server.answer(held.listener)
    const source = remote.source()
    const first = source.current()
    remote.clock.ms += 2000
    const second = source.current()
    await vi.waitFor(() => expect(remote.server.requests).not.toHaveLength(0))
    held.release()
    expect(await first).toBeDefined()
    expect(await second).toBe(await first)
    expect(remote.server.requests).toHaveLength(1)
  })

  test('an attempt ends in time', async () => {
    remote.server.answer(silent)
    const source = remote.source({ timeoutMs: 50 })
    expect(await source.current()).toBeUndefined()
  })

  test('an answer that stops half way ends in time', async () => {
    remote.server.answer((_, response) => void response.writeHead(200).write('{"keys":['))
    const source = remote.source({ timeoutMs: 50 })
    expect(await source.current()).toBeUndefined()
  })

  test('keys that never came are unavailable, and are asked for once a second at most', async () => {
    remote.server.answer(failing)
    const authenticator = remote.open()
    const token = tokenBy(oldKey, 'old')
    const together = await Promise.all(Array.from({ length: 20 }, () => codeOf(authenticator, token)))
    expect(new Set(together)).toEqual(new Set(['keys_unavailable']))
    expect(await codeOf(authenticator, token)).toBe('keys_unavailable')
    expect(remote.server.requests).toHaveLength(1)
    expect(authenticator.ready()).toBe(false)
    remote.server.publish([oldJwk])
    remote.clock.ms += 1000
    expect(await codeOf(authenticator, token)).toBe('ok')
    expect(remote.server.requests).toHaveLength(2)
  })
})

describe('whatever the issuer does', () => {
  test('a clock that was set back makes no key younger', async () => {
    const authenticator = await remote.loaded()
    remote.server.answer(failing)
    remote.clock.ms = nowMs - maxOutageMs
    expect(await codeOf(authenticator, tokenBy(oldKey, 'old'))).toBe('keys_unavailable')
  })

  test('an issuer whose keys are here is served beside one whose keys are not', async () => {
    const dead = await startKeyServer()
    dead.answer(failing)
    const issuers = [
      issuerOptions([], { issuer: 'https://dead.example.com', keys: { kind: 'url', url: `${dead.origin}/keys` } }),
      issuerOptions([], { keys: { kind: 'url', url: `${remote.server.origin}/keys` } }),
    ]
    const authenticator = remote.open(issuers)
    await authenticator.load()
    expect(authenticator.ready()).toBe(false)
    expect(await codeOf(authenticator, tokenBy(oldKey, 'old'))).toBe('ok')
    await dead[Symbol.asyncDispose]()
  })
})

describe('readiness', () => {
  test('is there once the keys are loaded', async () => {
    const authenticator = remote.open()
    const loading = authenticator.load()
    expect(authenticator.ready()).toBe(false)
    await loading
    expect(authenticator.ready()).toBe(true)
    await authenticator.load()
    expect(remote.server.requests).toHaveLength(1)
  })

  test('comes back by being asked for, when nobody else has asked for hours', async () => {
    const authenticator = await remote.loaded()
    remote.clock.ms += 3 * maxOutageMs
    expect(authenticator.ready()).toBe(false)
    await vi.waitFor(() => expect(authenticator.ready()).toBe(true))
  })

  test('ends with close, and so do the keys', async () => {
    const authenticator = await remote.loaded()
    authenticator.close()
    expect(authenticator.ready()).toBe(false)
    remote.clock.ms += 2000
    expect(await codeOf(authenticator, tokenBy(oldKey, 'old'))).toBe('keys_unavailable')
    expect(remote.server.requests).toHaveLength(1)
  })

  test('ends with close while the keys are on their way', async () => {
    remote.server.answer(silent)
    const authenticator = remote.open()
    const outcome = codeOf(authenticator, tokenBy(oldKey, 'old'))
    await vi.waitFor(() => expect(remote.server.requests).toHaveLength(1))
    authenticator.close()
    expect(await outcome).toBe('keys_unavailable')
  })
})
