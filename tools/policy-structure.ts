// The structural rules that Regal would hold, over `opa parse`: Regal itself cannot be had from the package registries.
import {
  type Annotation,
  isTest,
  type ParsedFile,
  type Place,
  type RuleTree,
  type SyntaxTree,
  type Term,
} from './policy-trees.ts'

/** One violation: where it is and how it is mended. */
export interface Finding extends Place {
  readonly file: string
  readonly rule: FindingRule
  readonly message: string
}

/** Every structural rule by its name. */
export type FindingRule =
  | 'unparsable'
  | 'package-path'
  | 'package-metadata'
  | 'rule-metadata'
  | 'schema-unbound'
  | 'test-name'
  | 'rule-length'
  | 'print-call'

/** The longest rule, in lines; a test may hold a table. */
const maxLines = { shipped: 30, test: 60 } as const

interface Source {
  readonly path: string
  readonly test: boolean
  readonly name: string
  readonly tree: SyntaxTree
}

/** Holds every file against the structural rules; an empty list means all of them hold. */
export function structureFindings(files: readonly ParsedFile[]): readonly Finding[] {
  const sources: Source[] = []
  const findings: Finding[] = []
  for (const { path, parsed } of files) {
    if (parsed.ok) sources.push({ path, test: isTest(path), name: packageOf(parsed.tree), tree: parsed.tree })
    else findings.push(finding(path, parsed.at, 'unparsable', parsed.problem))
  }
  const checks = [packagePath, packageMetadata, ruleMetadata, schemaBound, testNames, ruleLength, printCalls]
  return [...findings, ...sources.flatMap((source) => checks.flatMap((check) => check(source, sources)))]
}

function packagePath({ path, test, name, tree }: Source): Finding[] {
  const wanted = `${path.split('/').slice(0, -1).join('.')}${test ? '_test' : ''}`
  if (name === wanted) return []
  return [finding(path, tree.package.location, 'package-path', `package is \`${name}\`, its folder says \`${wanted}\``)]
}

function packageMetadata({ path, test, name, tree }: Source, sources: readonly Source[]): Finding[] {
  if (test || annotationsOf(name, sources).some(describes)) return []
  const message = `package \`${name}\` has no METADATA with a title or description in any of its files`
  return [finding(path, tree.package.location, 'package-metadata', message)]
}

function ruleMetadata({ path, test, name, tree }: Source, sources: readonly Source[]): Finding[] {
  if (test) return []
  const rules = sources
    .filter((other) => !other.test && other.name === name)
    .flatMap(({ tree: { rules = [] } }) => rules)
  const documented = new Set(rules.filter(({ annotations = [] }) => annotations.some(describes)).map(nameOf))
  const bare = (tree.rules ?? []).filter((rule) => !nameOf(rule).startsWith('_') && !documented.has(nameOf(rule)))
  return bare.map((rule) => {
    const message = `\`${nameOf(rule)}\` has no METADATA with a title or description; a private rule starts with \`_\``
    return finding(path, rule.location, 'rule-metadata', message)
  })
}

/** Without a binding, `opa check --schema` says nothing about a misspelt input path. */
function schemaBound({ path, test, name, tree }: Source, sources: readonly Source[]): Finding[] {
  if (test || !holds(tree.rules, (node) => node['type'] === 'var' && node['value'] === 'input')) return []
  const bindsInput = ({ schemas = [] }: Annotation) => schemas.some((schema) => schema.path[0]?.value === 'input')
  const steps = name.split('.')
  const above = steps.slice(1).map((_, length) => steps.slice(0, length + 1).join('.'))
  const inherited = above.flatMap((parent) => annotationsOf(parent, sources)).filter((a) => a.scope === 'subpackages')
  if ([...annotationsOf(name, sources), ...inherited].some(bindsInput)) return []
  const message = `package \`${name}\` reads input that no \`schemas\` annotation binds, so its paths go unchecked`
  return [finding(path, tree.package.location, 'schema-unbound', message)]
}

/** OPA runs what starts with `test_`, skips what starts with `todo_test_`, and says nothing about a misspelt test. */
function testNames({ path, test, tree }: Source, sources: readonly Source[]): Finding[] {
  const report = (rule: RuleTree, message: string) => finding(path, rule.location, 'test-name', message)
  const rules = tree.rules ?? []
  if (!test) {
    const misplaced = rules.filter((rule) => nameOf(rule).startsWith('test_'))
    return misplaced.map((rule) => report(rule, `\`${nameOf(rule)}\` is a test outside a _test.rego file`))
  }
  const idle = rules.filter((rule) => !nameOf(rule).startsWith('test_') && !isUsed(nameOf(rule), sources))
  return idle.map((rule) => report(rule, `\`${nameOf(rule)}\` never runs: a test starts with \`test_\``))
}

function ruleLength({ path, test, tree }: Source): Finding[] {
  const limit = test ? maxLines.test : maxLines.shipped
  const long = (tree.rules ?? []).filter((rule) => linesOf(rule) > limit)
  return long.map((rule) => {
    const message = `\`${nameOf(rule)}\` has ${linesOf(rule)} lines, more than ${limit}`
    return finding(path, rule.location, 'rule-length', message)
  })
}

function printCalls({ path, tree }: Source): Finding[] {
  const printing = (tree.rules ?? []).filter((rule) => holds(rule, isPrint))
  return printing.map((rule) => finding(path, rule.location, 'print-call', `\`${nameOf(rule)}\` calls print`))
}

function isPrint(node: Readonly<Record<string, unknown>>): boolean {
  if (node['type'] !== 'ref' || !Array.isArray(node['value'])) return false
  const [first, ...more] = node['value'] as readonly Term[]
  return first?.type === 'var' && first.value === 'print' && more.length === 0
}

/** Named in a body, a value or arguments of any test; a rule's own head does not count. */
function isUsed(name: string, sources: readonly Source[]): boolean {
  const names = (node: Readonly<Record<string, unknown>>) =>
    (node['type'] === 'var' || node['type'] === 'string') && node['value'] === name
  const outside = ({ head: { ref: _, ...head }, ...rule }: RuleTree) => ({ ...rule, head })
  return sources.some((source) => source.test && holds((source.tree.rules ?? []).map(outside), names))
}

function annotationsOf(name: string, sources: readonly Source[]): readonly Annotation[] {
  const own = sources.filter((source) => !source.test && source.name === name)
  const scopes = ['package', 'subpackages']
  return own.flatMap(({ tree: { annotations = [] } }) => annotations.filter(({ scope }) => scopes.includes(scope)))
}

function describes({ title, description }: Annotation): boolean {
  return (title ?? description ?? '').trim() !== ''
}

function packageOf(tree: SyntaxTree): string {
  const [, ...steps] = tree.package.path
  return steps.map(({ value }) => value).join('.')
}

function nameOf(rule: RuleTree): string {
  return String(rule.head.ref[0]?.value)
}

function linesOf(rule: RuleTree): number {
  return Buffer.from(rule.location.text, 'base64').toString().split('\n').length
}

function holds(node: unknown, wanted: (node: Readonly<Record<string, unknown>>) => boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => holds(item, wanted))
  if (typeof node !== 'object' || node === null) return false
  const fields = node as Readonly<Record<string, unknown>>
  return wanted(fields) || Object.values(fields).some((value) => holds(value, wanted))
}

function finding(file: string, { row, col }: Place, rule: FindingRule, message: string): Finding {
  return { file, row, col, rule, message }
}
