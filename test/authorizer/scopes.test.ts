import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { smallestCure } from '../../src/authorizer/scopes.ts'
import { byCodePoint } from '../../src/policy/code-point.ts'

type Choices = readonly (readonly string[])[]

function cures(scopes: readonly string[], choices: Choices): boolean {
  return choices.every((choice) => choice.some((scope) => scopes.includes(scope)))
}

/** Every set of the scopes, smaller ones first, those of one size in the order of their names. */
function setsOf(scopes: readonly string[]): readonly string[][] {
  const sets: string[][] = [[]]
  for (const scope of scopes.toSorted(byCodePoint).reverse()) sets.unshift(...sets.map((each) => [scope, ...each]))
  return sets.toSorted((a, b) => a.length - b.length)
}

function choicesOf(names: readonly string[], maxLength: number): fc.Arbitrary<Choices> {
  return fc.array(fc.subarray([...names], { minLength: 1 }), { minLength: 1, maxLength })
}

const few = ['a', 'B', 'b', '\u{1f600}', '\uff5a', '__proto__'] as const
const many = Array.from({ length: 30 }, (_, at) => `s${at}`)

describe('the smallest set of scopes', () => {
  it.each<[string, Choices, readonly string[]]>([
    ['one choice', [['b', 'a']], ['a']],
    ['by code point, not by UTF-16 unit', [['\u{1f600}', '\uff5a']], ['\uff5a']],
    [
      'one that all have',
      [
        ['a', 'c'],
        ['b', 'c'],
      ],
      ['c'],
    ],
    ['one that is needed serves others', [['b'], ['a', 'b']], ['b']],
    [
      'two where no one is enough',
      [
        ['a', 'b'],
        ['c', 'd'],
        ['d', 'a'],
        ['c', 'b'],
      ],
      ['a', 'c'],
    ],
    ['not the one that most have', [['a', 'm'], ['b', 'm'], ['a'], ['b']], ['a', 'b']],
  ])('%s', (_, choices, wanted) => {
    expect(smallestCure(choices)).toEqual(wanted)
  })

  it('is the first by code point of those that have the fewest', () => {
    fc.assert(
      fc.property(choicesOf(few, 6), (choices) => {
        expect(smallestCure(choices)).toEqual(setsOf(few).find((scopes) => cures(scopes, choices)))
      }),
      { numRuns: 500 },
    )
  })

  it('cures also where there are too many scopes to try every set, and is the same for the same choices', () => {
    fc.assert(
      fc.property(choicesOf(many, 60), (choices) => {
        const scopes = smallestCure(choices)
        expect(cures(scopes, choices)).toBe(true)
        expect(scopes).toEqual([...new Set(scopes)].sort(byCodePoint))
        expect(smallestCure(choices.toReversed())).toEqual(scopes)
      }),
      { numRuns: 200 },
    )
  })

  it('is found at once where thousands of choices are all different', { timeout: 10_000 }, () => {
    const twelve = many.slice(0, 12)
    const choices = setsOf(twelve).filter(({ length }) => length > 1)
    expect(smallestCure(choices)).toHaveLength(11)
  })
})
