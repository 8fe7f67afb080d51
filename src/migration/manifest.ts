import { isMap, isNode, isScalar, isSeq, type Pair, type Scalar, visit, type YAMLMap, type YAMLSeq } from 'yaml'
import { migrateClaim } from './claim.ts'
import type { Edit, Finding, Migration } from './edit.ts'
import { leftIn } from './leftovers.ts'
import { byHand, headerEdits, nameEdits, routerKey } from './names.ts'
import { endOf, startOf, stringAt } from './nodes.ts'
import { removed } from './removal.ts'

const workloads = ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'StatefulSet'] as const
const kinds: ReadonlySet<string> = new Set(['AuthPolicy', 'ConfigMap', ...workloads])

/** Whether a document is a Kubernetes manifest, of whatever kind. */
export function isManifest(node: unknown): node is YAMLMap {
  return isMap(node) && stringAt(node, 'kind') !== undefined
}

/** Rewrites one Kubernetes manifest, or each of a List; what it does not rewrite and has old names is a problem. */
export function migrateManifest(manifest: YAMLMap, source: string): Migration {
  const kind = stringAt(manifest, 'kind')
  if (kind === 'List') return merged(mapsIn(manifest.get('items')).map((item) => migrateManifest(item, source)))
  const isRewritten = kind !== undefined && kinds.has(kind)
  const found = isRewritten ? migrateStrings(manifest, source) : migrateRegistration(manifest, kind)
  const seen = isRewritten ? (['header', 'claim', 'routerKey'] as const) : []
  return { ...found, problems: [...found.problems, ...leftIn(manifest, source, { ...found, seen })] }
}

/** Several migrations of one text as one. */
export function merged(parts: readonly Migration[]): Migration {
  return {
    edits: parts.flatMap(({ edits }) => edits),
    problems: parts.flatMap(({ problems }) => problems),
    notes: parts.flatMap(({ notes }) => notes),
  }
}

function mapsIn(node: unknown): readonly YAMLMap[] {
  return isSeq(node) ? node.items.filter((item) => isMap(item)) : []
}

function migrateRegistration(manifest: YAMLMap, kind: string | undefined): Migration {
  const spec = kind === 'MCPServerRegistration' ? manifest.get('spec') : undefined
  const pair = isMap(spec) ? spec.items.find(({ key }) => isScalar(key) && key.value === 'toolPrefix') : undefined
  if (!isMap(spec) || pair === undefined || !isScalar(pair.key)) return merged([])
  const offset = startOf(pair.key)
  const problem = (what: string, why: string, mend: string): Migration => ({
    edits: [],
    problems: [{ offset, what, why, mend }],
    notes: [],
  })
  if (spec.has('prefix')) {
    return problem('spec has both toolPrefix and prefix', 'only one can be meant', 'remove toolPrefix')
  }
  const prefix = stringAt(spec, 'toolPrefix')
  if (prefix === undefined || !/^[a-z0-9][a-z0-9_]*$/.test(prefix)) {
    const why = 'v0.7.0 accepts a-z, 0-9 and _ alone, the first no _'
    return problem('spec.toolPrefix is no prefix of v0.7.0, and is left', why, 'choose a prefix that is')
  }
  const at = offset + (pair.key.type === 'PLAIN' ? 0 : 1)
  const note = {
    offset,
    what: 'spec.prefix',
    why: 'the field is immutable, so the resource cannot be patched',
    mend: 'delete and recreate it: kubectl delete, then kubectl apply',
  }
  return { edits: [{ start: at, end: at + 'toolPrefix'.length, text: 'prefix' }], problems: [], notes: [note] }
}

/** Header and claim are renamed together or not at all: a renamed header around the old shape lists nothing. */
function migrateStrings(manifest: YAMLMap, source: string): Migration {
  const edits: Edit[] = []
  const together: Edit[] = []
  const hand: Finding[] = []
  const others: Migration[] = []
  const doubled = new Set<Scalar>()
  visit(manifest, {
    Pair: (_, pair, path) => {
      const claim = migrateClaim(pair as Pair, path, source)
      together.push(...claim.edits)
      hand.push(...claim.problems)
      return claim.edits.length > 0 ? visit.SKIP : undefined
    },
    Seq: (_, seq) => {
      others.push(withoutRouterKey(seq, source))
      for (const name of doubledKeys(seq)) doubled.add(name)
    },
    Scalar: (key, scalar) => {
      if (typeof scalar.value !== 'string' || doubled.has(scalar)) return
      const text = source.slice(startOf(scalar), endOf(scalar))
      edits.push(...nameEdits(text, startOf(scalar)))
      together.push(...headerEdits(text, startOf(scalar)))
      if (key !== 'key') hand.push(...byHand(text, startOf(scalar)))
    },
  })
  const rest = merged(others)
  return {
    edits: [...edits, ...rest.edits, ...(hand.length === 0 ? together : [])],
    problems: [...hand, ...routerKeysLeft(manifest, rest.edits), ...[...doubled].map(doubledKey)],
    notes: rest.notes,
  }
}

/** Removes `--mcp-router-key`, with its value where that stands apart, and the variable MCP_ROUTER_API_KEY. */
function withoutRouterKey(seq: YAMLSeq, source: string): Migration {
  const edits: Edit[] = []
  const notes: Finding[] = []
  seq.items.forEach((item, index) => {
    const name = routerKeyIn(item)
    if (name === undefined || !isNode(item)) return
    edits.push(removed(seq, index, hasValueApart(item, seq.items[index + 1]) ? index + 1 : index, source))
    const mend = 'nothing to do; the secret it was taken from may go'
    notes.push({ offset: startOf(item), what: `${name} is removed`, why: 'v0.7.0 takes no router key', mend })
  })
  return { edits, problems: [], notes }
}

function routerKeyIn(item: unknown): string | undefined {
  if (isMap(item)) return stringAt(item, 'name') === 'MCP_ROUTER_API_KEY' ? 'MCP_ROUTER_API_KEY' : undefined
  return isScalar(item) && /^--?mcp-router-key(?:=\S*)?$/.test(String(item.value)) ? '--mcp-router-key' : undefined
}

function hasValueApart(flag: unknown, next: unknown): boolean {
  return isScalar(flag) && !String(flag.value).includes('=') && isScalar(next) && !String(next.value).startsWith('-')
}

function doubledKey(name: Scalar): Finding {
  const what = 'JWT_SESSION_SIGNING_KEY stands beside GATEWAY_SIGNING_KEY'
  return { offset: startOf(name), what, why: 'renamed, one variable would be set twice', mend: 'remove the old one' }
}

/** The old name of the signing key in an environment that has the new one too. */
function doubledKeys(seq: YAMLSeq): readonly Scalar[] {
  const names = seq.items.flatMap((item) => (isMap(item) ? [item.get('name', true)] : [])).filter(isScalar)
  if (!names.some(({ value }) => value === 'GATEWAY_SIGNING_KEY')) return []
  return names.filter(({ value }) => value === 'JWT_SESSION_SIGNING_KEY')
}

function routerKeysLeft(manifest: YAMLMap, removals: readonly Edit[]): readonly Finding[] {
  const found: Finding[] = []
  visit(manifest, {
    Scalar: (_, scalar: Scalar) => {
      const offset = startOf(scalar)
      if (typeof scalar.value !== 'string' || !routerKey.test(scalar.value)) return
      if (removals.some(({ start, end }) => start <= offset && offset < end)) return
      const mend = 'look at this by hand: remove it'
      found.push({ offset, what: 'the router key is named here', why: 'v0.7.0 takes none', mend })
    },
  })
  return found
}
