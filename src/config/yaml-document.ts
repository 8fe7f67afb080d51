import { type Alias, isAlias, isMap, isScalar, isSeq, type LineCounter, type Pair } from 'yaml'
import { type Located, type LocatedEntry, maxDepth, type Path, type Position } from './located.ts'
import { type Problem, problemAt, quoted } from './problem.ts'

/** Values that aliases may add to a document; a few nested ones could otherwise stand for billions. */
const maxAliasedValues = 250_000

export interface ConvertedDocument {
  readonly root: Located
  readonly problems: readonly Problem[]
}

/** A parsed YAML document with positions. Refuses keys that are there twice and values that JSON does not have. */
export function documentOf(contents: unknown, file: string, lineCounter: LineCounter): ConvertedDocument {
  const run: Run = {
    file,
    lineCounter,
    problems: [],
    anchors: new Map(),
    measures: new Map(),
    aliased: 0,
    deep: false,
  }
  return { root: convert(run, contents, [], { file, line: 1, column: 1 }), problems: run.problems }
}

interface Run {
  readonly file: string
  readonly lineCounter: LineCounter
  readonly problems: Problem[]
  readonly anchors: Map<string, Located>
  readonly measures: Map<Located, Measure>
  aliased: number
  deep: boolean
}

function convert(run: Run, node: unknown, path: Path, parent: Position): Located {
  const at = positionIn(run, node) ?? parent
  if (path.length > maxDepth) return tooDeep(run, path, at)
  if (isAlias(node)) return aliasOf(run, node, path, at)
  const converted = convertPlain(run, node, path, at)
  const anchor = anchorOf(node)
  if (anchor !== undefined) run.anchors.set(anchor, converted)
  return converted
}

function convertPlain(run: Run, node: unknown, path: Path, at: Position): Located {
  if (isMap(node)) return { kind: 'map', at, entries: entriesOf(run, node.items, path, at) }
  if (isSeq(node)) {
    return { kind: 'list', at, items: node.items.map((item, index) => convert(run, item, [...path, index], at)) }
  }
  const value = isScalar(node) ? node.value : null
  const fault = scalarFault(value)
  if (fault === undefined) return { kind: 'scalar', at, value }
  report(run, at, path, fault.message, fault.mend)
  return nothing(at)
}

function entriesOf(run: Run, pairs: readonly Pair[], path: Path, parent: Position): Map<string, LocatedEntry> {
  const entries = new Map<string, LocatedEntry>()
  for (const pair of pairs) {
    const key = isScalar(pair.key) ? String(pair.key.value ?? '') : ''
    const at = positionIn(run, pair.key) ?? positionIn(run, pair.value) ?? parent
    const first = entries.get(key)
    if (first !== undefined) {
      const line = first.at?.line
      report(run, at, [...path, key], `the key is there twice, first on line ${line}`, 'remove or rename one of them')
    } else if (!key.isWellFormed()) {
      report(
        run,
        at,
        path,
        'a key is not well-formed Unicode',
        'write its characters as they are, without `\\u` escapes',
      )
    } else {
      entries.set(key, { at, value: convert(run, pair.value, [...path, key], at) })
    }
  }
  return entries
}

function aliasOf(run: Run, node: Alias, path: Path, at: Position): Located {
  const target = run.anchors.get(node.source)
  if (target === undefined) {
    report(
      run,
      at,
      path,
      `there is no anchor ${quoted(node.source)} before this alias`,
      'define it above, or write the value',
    )
    return nothing(at)
  }
  if (run.aliased > maxAliasedValues) return nothing(at)
  const { values, levels } = measureOf(run, target)
  if (path.length + levels > maxDepth) return tooDeep(run, path, at)
  run.aliased += values
  if (run.aliased > maxAliasedValues) {
    const message = `aliases stand for more than ${maxAliasedValues} values`
    report(run, at, path, message, 'write the values, or use fewer aliases')
    return nothing(at)
  }
  return target
}

interface Measure {
  readonly values: number
  readonly levels: number
}

function measureOf(run: Run, node: Located): Measure {
  const known = run.measures.get(node)
  if (known !== undefined) return known
  const measures = childrenOf(node).map((child) => measureOf(run, child))
  const measure = {
    values: measures.reduce((sum, child) => sum + child.values, 1),
    levels: measures.reduce((most, child) => Math.max(most, child.levels + 1), 0),
  }
  run.measures.set(node, measure)
  return measure
}

function childrenOf(node: Located): readonly Located[] {
  if (node.kind === 'list') return node.items
  return node.kind === 'map' ? [...node.entries.values()].map((entry) => entry.value) : []
}

function scalarFault(value: unknown): { readonly message: string; readonly mend: string } | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { message: 'expected a number that is finite', mend: 'write a smaller number' }
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    return { message: 'expected well-formed Unicode', mend: 'write the characters as they are, without `\\u` escapes' }
  }
  return undefined
}

function positionIn(run: Run, node: unknown): Position | undefined {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined
  if (!Array.isArray(range) || typeof range[0] !== 'number') return undefined
  const { line, col } = run.lineCounter.linePos(range[0])
  return { file: run.file, line, column: col }
}

function anchorOf(node: unknown): string | undefined {
  const anchor = typeof node === 'object' && node !== null && 'anchor' in node ? node.anchor : undefined
  return typeof anchor === 'string' ? anchor : undefined
}

// Reported once: every branch of such a document is too deep.
function tooDeep(run: Run, path: Path, at: Position): Located {
  if (!run.deep) report(run, at, path.slice(0, 4), `nested in more than ${maxDepth} levels`, 'nest less')
  run.deep = true
  return nothing(at)
}

function nothing(at: Position): Located {
  return { kind: 'scalar', at, value: null }
}

function report(run: Run, at: Position, path: Path, message: string, mend: string): void {
  run.problems.push(problemAt(at, { path, message, mend }))
}
