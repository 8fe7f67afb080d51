/** The known word that was most likely meant: the same but for case and `-_`, else the nearest by edit distance. */
export function suggestionFor(word: string, known: readonly string[]): string | undefined {
  const bare = bareOf(word)
  if (bare.length === 0 || bare.length > 64) return undefined
  const ranked = known
    .map((candidate) => ({ candidate, distance: distanceOf(bare, bareOf(candidate)) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  const limit = best === undefined ? 0 : Math.max(1, Math.floor(Math.max(bare.length, best.candidate.length) / 3))
  return best !== undefined && best.distance <= limit ? best.candidate : undefined
}

function bareOf(word: string): string {
  return word.replaceAll(/[-_\s]/g, '').toLowerCase()
}

// Optimal string alignment: insertions, deletions, substitutions and neighbours that changed places.
function distanceOf(a: string, b: string): number {
  let older: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(older, column - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    older = last
    last = current
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
