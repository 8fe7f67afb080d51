import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSealer } from '../../src/gateway/seal.ts'
import { deriveKey } from '../../src/gateway/signing-key.ts'
import { signingKey } from './tokens.ts'

const sealer = createSealer(signingKey, 'session-cache')

describe('a derived key', () => {
  it('is that of RFC 5869: extracted without salt, expanded by one block', () => {
    const extracted = createHmac('sha256', new Uint8Array(32)).update(signingKey).digest()
    const block = createHmac('sha256', extracted)
      .update('session-cache')
      .update(new Uint8Array([1]))
      .digest()
    expect(Buffer.from(deriveKey(signingKey, 'session-cache'))).toEqual(block)
  })

  it('is another for each purpose and each signing key', () => {
    const keys = [deriveKey(signingKey, 'a'), deriveKey(signingKey, 'b'), deriveKey('x'.repeat(48), 'a')]
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(3)
  })

  it('needs a signing key of 32 bytes', () => {
    expect(() => deriveKey('x'.repeat(31), 'a')).toThrow(TypeError)
    expect(() => createSealer('x'.repeat(31), 'a')).toThrow(TypeError)
  })
})

describe('a sealed text', () => {
  it('opens where it belongs, whatever it is', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(text, text, (plain, context) => {
        expect(sealer.open(sealer.seal(plain, context), context)).toBe(plain)
      }),
    )
  })

  it('is of a form that says its version, and another each time', () => {
    const [first, second] = [sealer.seal('text', 'row 1'), sealer.seal('text', 'row 1')]
    expect(first).toMatch(/^v1\.[\w-]+$/)
    expect(first).not.toBe(second)
  })

  it('opens under no other key, purpose or context', () => {
    const sealed = sealer.seal('text', 'row 1')
    expect(sealer.open(sealed, 'row 2')).toBeUndefined()
    expect(createSealer(signingKey, 'other').open(sealed, 'row 1')).toBeUndefined()
    expect(createSealer('x'.repeat(48), 'session-cache').open(sealed, 'row 1')).toBeUndefined()
  })

  it('opens neither cut, nor altered, nor of another version', () => {
    const sealed = sealer.seal('some text', 'row 1')
    for (let end = 0; end < sealed.length; end += 1) expect(sealer.open(sealed.slice(0, end), 'row 1')).toBeUndefined()
    for (let index = 0; index < sealed.length; index += 1) {
      const other = sealed[index] === 'A' ? 'B' : 'A'
      expect(sealer.open(sealed.slice(0, index) + other + sealed.slice(index + 1), 'row 1')).toBeUndefined()
    }
    for (const changed of [`v2${sealed.slice(2)}`, `${sealed}.`, `${sealed}=`, `${sealed}\n`, sealed.slice(3)])
      expect(sealer.open(changed, 'row 1')).toBeUndefined()
  })

  it('is not what never was sealed, and nothing is thrown', () => {
    const anything = fc.anything() as fc.Arbitrary<string>
    fc.assert(
      fc.property(anything, (sealed) => {
        expect(sealer.open(sealed, 'row 1')).toBeUndefined()
      }),
    )
  })
})
