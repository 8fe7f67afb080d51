import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createStamper } from '../../src/gateway/stamp.ts'
import { signingKey } from './tokens.ts'

const stamper = createStamper(signingKey, 'state')
const text = fc.string({ unit: 'grapheme' })

describe('a stamped text', () => {
  it('is believed as it was, and is the same whenever it is stamped', () => {
    fc.assert(
      fc.property(text, (plain) => {
        expect(stamper.unstamp(stamper.stamp(plain))).toBe(plain)
        expect(stamper.stamp(plain)).toBe(stamper.stamp(plain))
      }),
    )
  })

  it('is believed no more with any character another, or without it', () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.constantFrom('', 'x', '.', 'é'), (plain, at, other) => {
        const stamped = stamper.stamp(plain)
        const place = at % stamped.length
        const altered = stamped.slice(0, place) + other + stamped.slice(place + 1)
        if (altered !== stamped) expect(stamper.unstamp(altered)).toBeUndefined()
      }),
    )
  })

  it('is believed under its own key and purpose alone', () => {
    const stamped = stamper.stamp('{}')
    expect(createStamper(signingKey, 'other').unstamp(stamped)).toBeUndefined()
    expect(createStamper('x'.repeat(48), 'state').unstamp(stamped)).toBeUndefined()
    expect(createStamper(signingKey, 'state').unstamp(stamped)).toBe('{}')
  })

  it('is none without a stamp', () => {
    for (const plain of ['', '{}', 's1.', 's1..{}', `s1.${'A'.repeat(43)}.{}`, `s2.${stamper.stamp('{}').slice(3)}`]) {
      expect(stamper.unstamp(plain)).toBeUndefined()
    }
  })
})
