import { isMap, isScalar, type Pair, type Scalar } from 'yaml'
import type { Edit, Migration } from './edit.ts'
import { claimFinding } from './names.ts'
import { endOf, startOf } from './nodes.ts'

/** Renames the claim `allowed-tools` and rewraps its literal value; a computed one is a problem. */
export function migrateClaim({ key, value }: Pair, path: readonly unknown[], source: string): Migration {
  const nothing: Migration = { edits: [], problems: [], notes: [] }
  if (!isScalar(key) || key.value !== 'allowed-tools') return nothing
  const literal = isMap(value) && value.items.length === 1 ? value.get('value', true) : value
  const rewrapped = isScalar(literal) ? rewrap(literal, source) : undefined
  if (rewrapped !== undefined) return { ...nothing, edits: [renamed(key), ...rewrapped] }
  // Elsewhere a map of this name is an evaluator of Authorino.
  const claims = path.findLast((node) => isPairOf(node, 'customClaims')) !== undefined
  return claims || isScalar(value) ? { ...nothing, problems: [claimFinding(startOf(key))] } : nothing
}

function isPairOf(node: unknown, name: string): boolean {
  const key = typeof node === 'object' && node !== null && 'key' in node ? node.key : undefined
  return isScalar(key) && key.value === name
}

function renamed(key: Scalar): Edit {
  const at = startOf(key) + (key.type === 'PLAIN' ? 0 : 1)
  return { start: at, end: at + 'allowed-tools'.length, text: 'allowed-capabilities' }
}

/** Puts {"tools": } around a JSON literal where it stands; undefined where it is none of the old shape. */
function rewrap(scalar: Scalar, source: string): readonly Edit[] | undefined {
  const text = source.slice(startOf(scalar), endOf(scalar))
  const [open, close] = [text.indexOf('{'), text.lastIndexOf('}')]
  if (typeof scalar.value !== 'string' || open < 0 || !isOldShape(scalar.value)) return undefined
  const quote = scalar.type === 'QUOTE_DOUBLE' ? '\\"' : '"'
  const [start, end] = [startOf(scalar) + open, startOf(scalar) + close + 1]
  return [
    { start, end: start, text: `{${quote}tools${quote}:` },
    { start: end, end, text: '}' },
  ]
}

function isOldShape(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json)
    return (
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((names) => Array.isArray(names) && names.every((name) => typeof name === 'string'))
    )
  } catch {
    return false
  }
}
