import { byCodePoint } from '../policy/code-point.ts'

type Choices = readonly (readonly string[])[]

/** Up to so many scopes to choose from, every set is tried. */
const maxTried = 12

/**
 * The smallest set of OAuth scopes that has one of each choice, sorted by code point; of several the first in that
 * order. It is exact where at most 12 scopes are in question beside those without an alternative. Beyond that it takes
 * the scope that most choices have, again and again: a set that cures, though a smaller one may exist.
 */
export function smallestCure(choices: Choices): readonly string[] {
  const needed = sorted(choices.filter(({ length }) => length === 1))
  const open = needed.reduce(without, choices)
  const candidates = sorted(open)
  const chosen = candidates.length <= maxTried ? smallest(open, candidates) : small(open, candidates)
  return sorted([needed, chosen])
}

function smallest(choices: Choices, candidates: readonly string[]): readonly string[] {
  for (let size = 0; size < candidates.length; size += 1) {
    const found = firstOf(size, choices, candidates)
    if (found !== undefined) return found
  }
  return candidates
}

/** The first set of at most `size` candidates, in their order, that has one of each choice. */
function firstOf(size: number, choices: Choices, candidates: readonly string[]): readonly string[] | undefined {
  if (choices.length === 0) return []
  if (size === 0) return undefined
  for (const [at, candidate] of candidates.entries()) {
    const rest = firstOf(size - 1, without(choices, candidate), candidates.slice(at + 1))
    if (rest !== undefined) return [candidate, ...rest]
  }
  return undefined
}

function small(choices: Choices, candidates: readonly string[]): readonly string[] {
  const chosen: string[] = []
  let open = choices
  while (open.length > 0) {
    const left = candidates.map((candidate) => without(open, candidate))
    const best = left.reduce((least, each, at) => (each.length < (left[least]?.length ?? 0) ? at : least), 0)
    chosen.push(candidates[best] ?? '')
    open = left[best] ?? []
  }
  return chosen
}

function without(choices: Choices, scope: string): Choices {
  return choices.filter((choice) => !choice.includes(scope))
}

function sorted(choices: Choices): readonly string[] {
  return [...new Set(choices.flat())].sort(byCodePoint)
}
