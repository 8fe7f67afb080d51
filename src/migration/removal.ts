import { isNode, type YAMLSeq } from 'yaml'
import type { Edit } from './edit.ts'
import { endOf, startOf } from './nodes.ts'

/** Takes the items `first` to `last` out of a sequence: whole lines of a block, between commas of a flow. */
export function removed(seq: YAMLSeq, first: number, last: number, source: string): Edit {
  const at = (index: number) => {
    const item = seq.items[index]
    return isNode(item) ? { start: startOf(item), end: endOf(item) } : undefined
  }
  const start = at(first)?.start ?? 0
  const end = at(last)?.end ?? start
  if (seq.flow === true) {
    const next = at(last + 1)
    const before = at(first - 1)
    if (next !== undefined) return { start, end: next.start, text: '' }
    return { start: before?.end ?? start, end, text: '' }
  }
  const line = source.lastIndexOf('\n', source.lastIndexOf('-', start - 1)) + 1
  const newline = source.indexOf('\n', end - 1)
  return { start: line, end: newline === -1 ? source.length : newline + 1, text: '' }
}
