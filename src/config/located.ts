/** Where something stands in a file; both numbers count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The way to a value: keys of objects and indices of lists. */
export type Path = readonly (string | number)[]

/** A document whose every value knows where it came from. `at` is absent for values that were never in a file. */
export type Located = LocatedMap | LocatedList | LocatedScalar

export interface LocatedMap {
  readonly kind: 'map'
  readonly at: Position | undefined
  readonly entries: ReadonlyMap<string, LocatedEntry>
}

export interface LocatedEntry {
  /** Where the key stands. */
  readonly at: Position | undefined
  readonly value: Located
}

export interface LocatedList {
  readonly kind: 'list'
  readonly at: Position | undefined
  readonly items: readonly Located[]
}

export interface LocatedScalar {
  readonly kind: 'scalar'
  readonly at: Position | undefined
  readonly value: unknown
}

/** Objects and lists in each other; what is deeper is refused, or left as it is where it comes from the program. */
export const maxDepth = 100

/** The document that holds nothing, as an empty file does. */
export function emptyDocument(at: Position | undefined): LocatedMap {
  return { kind: 'map', at, entries: new Map() }
}

/** A value of the running program as a document without positions. Members that are undefined are left out. */
export function locate(value: unknown): Located {
  return locateWithin(value, maxDepth)
}

function locateWithin(value: unknown, levels: number): Located {
  if (typeof value !== 'object' || value === null || levels === 0) return { kind: 'scalar', at: undefined, value }
  const below = (member: unknown) => locateWithin(member, levels - 1)
  if (Array.isArray(value)) return { kind: 'list', at: undefined, items: value.map(below) }
  const entries = new Map<string, LocatedEntry>()
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) entries.set(key, { at: undefined, value: below(member) })
  }
  return { kind: 'map', at: undefined, entries }
}

/** The plain value of a document. Every key becomes an own property, `__proto__` too. */
export function plainOf(node: Located): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainOf)
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainOf(entry.value)]))
}

/** Lays `later` over `earlier`: objects key by key at every depth, anything else of `later` replaces. */
export function merge(earlier: Located, later: Located): Located {
  if (earlier.kind !== 'map' || later.kind !== 'map') return later
  const entries = new Map(earlier.entries)
  for (const [key, entry] of later.entries) {
    const before = entries.get(key)
    entries.set(key, before === undefined ? entry : { at: entry.at, value: merge(before.value, entry.value) })
  }
  return { kind: 'map', at: later.at, entries }
}

/** The document without the values at the paths; a list that holds one of them goes as a whole. */
export function without(node: Located, paths: readonly Path[]): Located {
  if (paths.length === 0) return node
  if (node.kind !== 'map' || paths.some((path) => path.length === 0)) return emptyDocument(node.at)
  const entries = new Map(node.entries)
  for (const [key, inside] of byFirstStep(paths)) {
    const entry = entries.get(key)
    const value = entry && reduced(entry.value, inside)
    if (entry === undefined || value === undefined) entries.delete(key)
    else entries.set(key, { at: entry.at, value })
  }
  return { ...node, entries }
}

// What is left of a value, or undefined where it goes as a whole.
function reduced(value: Located, paths: readonly Path[]): Located | undefined {
  if (value.kind === 'scalar' || paths.some((path) => path.length === 0)) return undefined
  if (value.kind === 'map') return without(value, paths)
  const items = [...value.items]
  for (const [index, inside] of byFirstStep(paths)) {
    const item = items[Number(index)]
    if (item?.kind !== 'map' || inside.some((path) => path.length === 0)) return undefined
    items[Number(index)] = without(item, inside)
  }
  return { ...value, items }
}

function byFirstStep(paths: readonly Path[]): Map<string, Path[]> {
  const groups = new Map<string, Path[]>()
  for (const [first, ...rest] of paths) {
    const group = groups.get(String(first)) ?? []
    group.push(rest)
    groups.set(String(first), group)
  }
  return groups
}

/** The value at a path, if there is one. */
export function valueAt(root: Located, path: Path): Located | undefined {
  let node: Located | undefined = root
  for (const step of path) node = node === undefined ? undefined : childOf(node, step)?.value
  return node
}

/** Where to point for a path: at the key or the list item; for one that is not there, at whatever lacks it. */
export function positionOf(root: Located, path: Path): Position | undefined {
  let at = root.at
  let node = root
  for (const step of path) {
    const child = childOf(node, step)
    if (child === undefined) return at
    at = child.at
    node = child.value
  }
  return at
}

function childOf(node: Located, step: string | number): LocatedEntry | undefined {
  if (node.kind === 'map') return node.entries.get(String(step))
  if (node.kind === 'scalar') return undefined
  const item = node.items[Number(step)]
  return item && { at: item.at, value: item }
}

/** A path as people write it: `issuers[0].audiences`, `servers["team/a"].prefix`. */
export function formatPath(path: Path): string {
  return path.map((step, index) => formatStep(step, index === 0)).join('')
}

function formatStep(step: string | number, first: boolean): string {
  if (typeof step === 'number') return `[${step}]`
  if (!/^[\p{L}_][\p{L}\p{N}_-]{0,199}$/u.test(step)) return `[${JSON.stringify(step.slice(0, 200))}]`
  return first ? step : `.${step}`
}
