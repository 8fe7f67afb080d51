import { applied, type Edit } from './edit.ts'

const context = 3

/** Old lines `from` to `to` (exclusive, the first is 0), and the lines that stand there instead. */
interface Block {
  readonly from: number
  readonly to: number
  readonly edits: readonly Edit[]
}

interface Growing {
  readonly from: number
  to: number
  readonly edits: Edit[]
}

/** A unified diff of what edits in order do to a text. It follows from the edits, so nothing has to be compared. */
export function unifiedDiff(file: string, source: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return ''
  const lines = linesOf(source)
  const starts = startsOf(lines)
  let shift = 0
  let text = `--- ${file}\n+++ ${file}\n`
  for (const hunk of hunksOf(blocksOf(edits, starts))) {
    const { printed, grown } = print(hunk, { source, lines, starts, shift })
    text += printed
    shift += grown
  }
  return text
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? [])
}

/** Offset of each line's first letter, and of the end. */
function startsOf(lines: readonly string[]): readonly number[] {
  const starts = [0]
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length)
  return starts
}

function blocksOf(edits: readonly Edit[], starts: readonly number[]): readonly Block[] {
  const blocks: Growing[] = []
  let line = 0
  for (const edit of edits) {
    while ((starts[line + 1] ?? Number.POSITIVE_INFINITY) <= edit.start) line += 1
    let to = line
    while ((starts[to] ?? Number.POSITIVE_INFINITY) < edit.end) to += 1
    // An insertion touches its line, and a removal that ends at a line's start only the lines before.
    to = Math.min(Math.max(to, line + 1), starts.length - 1)
    const last = blocks.at(-1)
    if (last !== undefined && line < last.to) {
      last.to = Math.max(to, last.to)
      last.edits.push(edit)
    } else blocks.push({ from: line, to, edits: [edit] })
  }
  return blocks
}

function hunksOf(blocks: readonly Block[]): readonly (readonly Block[])[] {
  const hunks: Block[][] = []
  for (const block of blocks) {
    const hunk = hunks.at(-1)
    const before = hunk?.at(-1)
    if (hunk !== undefined && before !== undefined && block.from - before.to <= 2 * context) hunk.push(block)
    else hunks.push([block])
  }
  return hunks
}

interface Page {
  readonly source: string
  readonly lines: readonly string[]
  readonly starts: readonly number[]
  /** How many lines earlier hunks added. */
  readonly shift: number
}

function print(hunk: readonly Block[], { source, lines, starts, shift }: Page): { printed: string; grown: number } {
  const from = Math.max(0, (hunk[0]?.from ?? 0) - context)
  const to = Math.min(lines.length, (hunk.at(-1)?.to ?? 0) + context)
  let body = ''
  let grown = 0
  let at = from
  for (const block of hunk) {
    const added = linesOf(applied(source, block.edits, starts[block.from], starts[block.to]))
    body += marked(' ', lines.slice(at, block.from))
    body += marked('-', lines.slice(block.from, block.to)) + marked('+', added)
    grown += added.length - (block.to - block.from)
    at = block.to
  }
  body += marked(' ', lines.slice(at, to))
  const old = rangeOf(from, to - from)
  return { printed: `@@ -${old} +${rangeOf(from + shift, to - from + grown)} @@\n${body}`, grown }
}

/** An empty range is named by the line before it. */
function rangeOf(from: number, count: number): string {
  return `${count === 0 ? from : from + 1},${count}`
}

function marked(mark: string, lines: readonly string[]): string {
  return lines.map((line) => `${mark}${line}${line.endsWith('\n') ? '' : '\n\\ No newline at end of file\n'}`).join('')
}
