import { describe, expect, it } from 'vitest'
import { suggestionFor } from '../../src/config/suggestion.ts'

const known = ['issuer', 'jwks', 'algorithms', 'audiences', 'clockToleranceSeconds', 'maxLifetimeSeconds', 'claims']

describe('the word that was meant', () => {
  it.each([
    ['audience', 'audiences'],
    ['Issuer', 'issuer'],
    ['isseur', 'issuer'],
    ['clock_tolerance_seconds', 'clockToleranceSeconds'],
    ['max-lifetime-seconds', 'maxLifetimeSeconds'],
    ['jkws', 'jwks'],
    ['claim', 'claims'],
  ])('is found for %s', (word, meant) => {
    expect(suggestionFor(word, known)).toBe(meant)
  })

  it.each(['', 'x', 'zebra', '__proto__', 'constructor', 'a'.repeat(100_000)])('is not made up for %.20s', (word) => {
    expect(suggestionFor(word, known)).toBeUndefined()
  })

  it('is nothing where nothing is known', () => {
    expect(suggestionFor('issuer', [])).toBeUndefined()
  })
})
