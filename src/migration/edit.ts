/** One replacement in a text, by its offsets; everything outside of edits keeps its bytes. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Something to be told about a place: what was found, why it matters, how to mend it. */
export interface Finding {
  readonly offset: number
  readonly what: string
  readonly why: string
  readonly mend: string
}

/** What a migration wants of one text. A problem is left for a person to do; a note is not. */
export interface Migration {
  readonly edits: readonly Edit[]
  readonly problems: readonly Finding[]
  readonly notes: readonly Finding[]
}

/** Sorted by place, without those that an earlier, wider one covers. */
export function inOrder(edits: readonly Edit[]): readonly Edit[] {
  const sorted = [...edits].sort((a, b) => a.start - b.start || b.end - a.end)
  const kept: Edit[] = []
  for (const edit of sorted) if (edit.start >= (kept.at(-1)?.end ?? 0)) kept.push(edit)
  return kept
}

/** The text after the edits, which must be in order. */
export function applied(source: string, edits: readonly Edit[], from = 0, to = source.length): string {
  let text = ''
  let at = from
  for (const { start, end, text: replacement } of edits) {
    text += source.slice(at, start) + replacement
    at = end
  }
  return text + source.slice(at, to)
}

/** Number of the line that holds an offset; the first is 1. */
export function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length
}
