/** One step of a claim path: a name, or null for the `*` that stands for a server's id. */
export type Segment = string | null

/** A claim path taken apart, or why it is none. */
export type PathParsing =
  | { readonly ok: true; readonly segments: readonly Segment[] }
  | { readonly ok: false; readonly detail: string }

/**
 * Takes a claim path apart: `.` separates, `\.` is a dot in a name, `\\` a backslash, `\*` a name that is one star.
 * With `wildcard` exactly one segment is `*`, without it none.
 */
export function parsePath(text: string, { wildcard }: { readonly wildcard: boolean }): PathParsing {
  const segments = splitPath(text)
  if (segments === undefined) {
    return refused('expected `\\` to stand before `.`, `*` or `\\`; write `\\\\` for a backslash')
  }
  if (segments.includes('')) return refused('expected names separated by single dots; write `\\.` for a dot in a name')
  const stars = segments.filter((segment) => segment === null).length
  if (wildcard && stars !== 1) return refused('expected exactly one segment `*`, which stands for the id of the server')
  if (!wildcard && stars !== 0) return refused('expected no segment `*`; only paths of grants have one')
  return { ok: true, segments }
}

/**
 * The steps of a path.
 * @throws TypeError with the path when it does not parse
 */
export function segmentsOf(path: string, wildcard: boolean): readonly Segment[] {
  const reading = parsePath(path, { wildcard })
  if (!reading.ok) throw new TypeError(`claim path \`${path}\`: ${reading.detail}`)
  return reading.segments
}

function splitPath(text: string): Segment[] | undefined {
  const segments: Segment[] = []
  let name = ''
  let escaped = false
  for (let at = 0; at <= text.length; at++) {
    const letter = text[at]
    if (letter === undefined || letter === '.') {
      segments.push(name === '*' && !escaped ? null : name)
      name = ''
      escaped = false
    } else if (letter === '\\') {
      const literal = text[++at]
      if (literal === undefined || !'.*\\'.includes(literal)) return undefined
      name += literal
      escaped = true
    } else {
      name += letter
    }
  }
  return segments
}

function refused(detail: string): PathParsing {
  return { ok: false, detail }
}
