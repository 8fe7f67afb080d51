import { describe, expect, it } from 'vitest'
import { type CapabilityKey, capabilityKeyFrom, generateKeyPem, type RetiredKey } from '../../src/capabilities/key.ts'
import { createKeyRing } from '../../src/capabilities/key-ring.ts'

const pems = Array.from({ length: 4 }, generateKeyPem)
const [a, b, c] = await Promise.all(pems.map(async (pem) => await capabilityKeyFrom(pem)))
if (a === undefined || b === undefined || c === undefined) throw new Error('no keys')
const names = new Map([
  [a.kid, 'a'],
  [b.kid, 'b'],
  [c.kid, 'c'],
])

/** A key with others beside it, as files on a clock that starts at 0 hold them. */
async function files(
  key: CapabilityKey,
  beside: { readonly next?: CapabilityKey; readonly retired?: readonly (readonly [CapabilityKey, number])[] },
  now: () => number,
): Promise<CapabilityKey> {
  const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const retired = beside.retired?.map(([{ jwk }, until]): RetiredKey => ({ jwk, retiredAt: 0, until }))
  return await capabilityKeyFrom(pem, { next: beside.next, ...(retired && { retired }) }, now)
}

/** A ring that publishes ten seconds ahead, of tokens that live a hundred. */
async function ringOf(key: CapabilityKey, beside: Parameters<typeof files>[1] = {}) {
  const clock = { seconds: 0 }
  const now = () => clock.seconds * 1000
  const ring = createKeyRing(await files(key, beside, now), { publishAheadMs: 10_000, lifetimeMs: 100_000, now })
  return {
    clock,
    replace: async (next: CapabilityKey, with_: typeof beside = {}) =>
      ring.replace(await files(next, with_, now)) / 1000,
    signs: () => names.get(ring.signing().kid),
    published: () =>
      ring
        .jwks()
        .keys.map(({ kid = '' }) => names.get(kid))
        .join(''),
  }
}

describe('a ring of keys', () => {
  it('signs with its first key from the start', async () => {
    const { signs, published } = await ringOf(a)
    expect([signs(), published()]).toEqual(['a', 'a'])
  })

  it('publishes a new key at once, and signs with it when all can know it', async () => {
    const { clock, replace, signs, published } = await ringOf(a)
    clock.seconds = 1000
    expect(await replace(b, { retired: [[a, 1110]] })).toBe(1010)
    expect([signs(), published()]).toEqual(['a', 'ab'])
    clock.seconds = 1009.999
    expect(signs()).toBe('a')
    clock.seconds = 1010
    expect([signs(), published()]).toEqual(['b', 'ba'])
  })

  it('signs at once with one that has been published as the next for long enough', async () => {
    const { clock, replace, signs, published } = await ringOf(a)
    clock.seconds = 50
    await replace(a, { next: b })
    expect([signs(), published()]).toEqual(['a', 'ab'])
    clock.seconds = 55
    expect(await replace(b, { retired: [[a, 200]] })).toBe(60)
    expect(signs()).toBe('a')
    clock.seconds = 60
    expect(signs()).toBe('b')
    await replace(b, { next: c, retired: [[a, 200]] })
    clock.seconds = 100
    await replace(c, { retired: [[b, 300]] })
    expect([signs(), published()]).toEqual(['c', 'cba'])
  })
})

describe('a ring whose files change at odd times', () => {
  it('makes one that was withdrawn wait again', async () => {
    const { clock, replace, signs } = await ringOf(a, { next: b })
    clock.seconds = 100
    await replace(a)
    clock.seconds = 200
    expect(await replace(b)).toBe(210)
    expect(signs()).toBe('a')
  })

  it('gives each of several rotations its turn', async () => {
    const { clock, replace, signs, published } = await ringOf(a)
    await replace(b)
    clock.seconds = 4
    await replace(c)
    expect([signs(), published()]).toEqual(['a', 'abc'])
    clock.seconds = 10
    expect([signs(), published()]).toEqual(['b', 'bca'])
    clock.seconds = 14
    expect([signs(), published()]).toEqual(['c', 'cab'])
  })

  it('takes the old key back', async () => {
    const { clock, replace, signs, published } = await ringOf(a)
    clock.seconds = 20
    await replace(b)
    clock.seconds = 25
    await replace(a)
    clock.seconds = 40
    expect([signs(), published()]).toEqual(['a', 'a'])
  })
})

describe('a key that has signed', () => {
  it('stays published until the last of its tokens has died, whatever the files say', async () => {
    const { clock, replace, signs, published } = await ringOf(a)
    await replace(b)
    clock.seconds = 30
    expect(signs()).toBe('b')
    clock.seconds = 129.999
    expect(published()).toBe('ba')
    clock.seconds = 130
    expect(published()).toBe('b')
  })

  it('stays published, once retired, as long as its list says', async () => {
    const { clock, published } = await ringOf(a, { retired: [[b, 70]] })
    clock.seconds = 69
    expect(published()).toBe('ab')
    clock.seconds = 70
    expect(published()).toBe('a')
  })
})
