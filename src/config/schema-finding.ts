import { type Located, type Path, valueAt } from './located.ts'
import { type Finding, quoted } from './problem.ts'
import type { SchemaError } from './schema.ts'
import { suggestionFor } from './suggestion.ts'

/** A finding of a schema; `instead` is the path that was probably meant where a key is unknown. */
export interface SchemaFinding extends Finding {
  readonly instead?: Path
}

/** What a schema found, said for people: one finding per fault, the branches of an `anyOf` condensed. */
export function schemaFindings(root: Located, errors: readonly SchemaError[]): SchemaFinding[] {
  return condensed(errors).map((error) => findingOf(root, error))
}

// An anyOf reports the faults of every branch and then itself. Of these only the branch that was meant is of use:
// the one whose type the value has.
function condensed(errors: readonly SchemaError[]): SchemaError[] {
  const kept: SchemaError[] = []
  for (const error of errors) {
    if (error.propertyName !== undefined && error.keyword !== 'propertyNames') continue
    if (error.keyword !== 'anyOf') {
      kept.push(error)
      continue
    }
    const branches = takeBranches(kept, error)
    const meant = branches.filter((other) => !branches.some((type) => isTypeOfBranch(type, other, error)))
    kept.push(...(meant.length > 0 ? meant : [error]))
  }
  return kept
}

// The faults of the branches stand directly before the anyOf.
function takeBranches(kept: SchemaError[], anyOf: SchemaError): SchemaError[] {
  const start = kept.findLastIndex((error) => !isBranchOf(error, anyOf)) + 1
  return kept.splice(start)
}

function isBranchOf(error: SchemaError, anyOf: SchemaError): boolean {
  const inside = `${error.instancePath}/`.startsWith(`${anyOf.instancePath}/`)
  return inside && error.schemaPath.startsWith(`${anyOf.schemaPath}/`)
}

function isTypeOfBranch(type: SchemaError, other: SchemaError, anyOf: SchemaError): boolean {
  const branchOf = (error: SchemaError) => error.schemaPath.slice(anyOf.schemaPath.length + 1).split('/')[0]
  return type.keyword === 'type' && type.instancePath === anyOf.instancePath && branchOf(type) === branchOf(other)
}

function findingOf(root: Located, error: SchemaError): SchemaFinding {
  const path = pathOf(root, error.instancePath)
  const describe = Object.hasOwn(descriptions, error.keyword) ? descriptions[error.keyword] : undefined
  return (
    describe?.(path, error, root) ?? { path, message: `not valid (${error.keyword})`, mend: 'see the documentation' }
  )
}

const descriptions: Readonly<Record<string, (path: Path, error: SchemaError, root: Located) => SchemaFinding>> = {
  additionalProperties: unknownKey,
  required: missingKey,
  propertyNames: unfitName,
  type: (path, error, root) => {
    const wanted = String(error.params['type']).split(',')
    const message = `expected ${wanted.map(nameOf).join(' or ')}, found ${foundAt(root, path)}`
    return { path, message, mend: mendOf(wanted[0] ?? 'string') }
  },
  anyOf: (path, error, root) => {
    const wanted = branchTypes(error)
    const message = `expected ${wanted.map(nameOf).join(' or ')}, found ${foundAt(root, path)}`
    return { path, message, mend: mendOf(wanted[0] ?? 'string') }
  },
  enum: unknownWord,
  pattern: mismatch,
  minLength: (path) => ({
    path,
    message: 'expected text that is not empty',
    mend: 'write a value, or remove the key',
  }),
  minItems: (path) => ({ path, message: 'expected a list that is not empty', mend: 'add an entry' }),
  minProperties: wrongNumberOfKeys,
  maxProperties: wrongNumberOfKeys,
  minimum: outOfRange,
  maximum: outOfRange,
  exclusiveMinimum: outOfRange,
}

function unknownKey(path: Path, error: SchemaError): SchemaFinding {
  const key = String(error.params['additionalProperty'])
  const known = keysOf(error)
  const suggestion = suggestionFor(key, known)
  const finding = { path: [...path, key], message: `unknown key ${quoted(key)}` }
  if (suggestion === undefined) return { ...finding, mend: `remove it, or use one of ${listed(known)}` }
  return { ...finding, mend: `did you mean \`${suggestion}\`?`, instead: [...path, suggestion] }
}

function missingKey(path: Path, error: SchemaError): SchemaFinding {
  const key = String(error.params['missingProperty'])
  return { path: [...path, key], message: 'expected this key, found nothing', mend: `add \`${key}\`` }
}

function unfitName(path: Path, error: SchemaError): SchemaFinding {
  const named = [...path, String(error.params['propertyName'])]
  const { pattern } = error.schema as { readonly pattern?: string }
  if (pattern === undefined)
    return { path: named, message: 'expected a name that is not empty', mend: 'give it a name' }
  const [message, mend] = wordsFor(pattern)
  return { path: named, message, mend }
}

function unknownWord(path: Path, error: SchemaError, root: Located): SchemaFinding {
  const known = (error.params['allowedValues'] as readonly unknown[]).map(String)
  const found = valueAt(root, path)
  const word = found?.kind === 'scalar' && typeof found.value === 'string' ? found.value : ''
  const suggestion = suggestionFor(word, known)
  const mend = suggestion === undefined ? 'write one of them' : `did you mean \`${suggestion}\`?`
  return { path, message: `expected one of ${listed(known)}`, mend }
}

const patterns: Readonly<Record<string, readonly [message: string, mend: string]>> = {
  '^(tool|prompt|resource|template):[\\s\\S]': [
    'expected `type:name` with type `tool`, `prompt`, `resource` or `template`',
    'write for example `tool:forecast` or `tool:*`',
  ],
  '^(tool|prompt):[\\s\\S]': [
    'expected `type:name` with type `tool` or `prompt`',
    'write for example `tool:forecast` or `tool:*`',
  ],
  '^([a-z0-9][a-z0-9_]*)?$': [
    'expected lower-case letters, digits and `_`, the first no `_`',
    'write for example `weather_`, or "" for no prefix',
  ],
  // RFC 6749, section 3.3: scope-token.
  '^[!#-\\[\\]-~]+$': [
    'expected an OAuth scope: ASCII letters, digits and signs but `"` and `\\`',
    'write for example `mcp:tools`, and one entry for each scope',
  ],
  '^([01][0-9]|2[0-3]):[0-5][0-9]$': [
    'expected a time of day from 00:00 to 23:59',
    'write hours and minutes with two digits each, like `09:30`',
  ],
  '^[0-9a-f]{64}$': ['expected 64 lower-case hexadecimal digits', 'write a SHA-256 as `sha256sum` prints it'],
}

function mismatch(path: Path, error: SchemaError): SchemaFinding {
  const [message, mend] = wordsFor(String(error.params['pattern']))
  return { path, message, mend }
}

function wordsFor(pattern: string): readonly [message: string, mend: string] {
  const known = Object.hasOwn(patterns, pattern) ? patterns[pattern] : undefined
  return known ?? [`expected text that matches \`${pattern}\``, 'change the value']
}

function wrongNumberOfKeys(path: Path, error: SchemaError): SchemaFinding {
  const known = listed(keysOf(error))
  if (error.keyword === 'minProperties') {
    return { path, message: `expected one of ${known}, found none`, mend: 'add one of them, or remove the key' }
  }
  return { path, message: `expected only one of ${known}`, mend: 'keep the one you want' }
}

function outOfRange(path: Path, error: SchemaError): SchemaFinding {
  const schema = error.parentSchema ?? {}
  const lowest = schema['minimum'] ?? schema['exclusiveMinimum']
  const from = schema['exclusiveMinimum'] === undefined ? `from ${lowest}` : `above ${lowest}`
  const to = schema['maximum'] === undefined ? '' : ` to ${schema['maximum']}`
  return {
    path,
    message: `expected a number ${from}${to}`,
    mend: 'change the number, or remove the key for the default',
  }
}

function keysOf(error: SchemaError): string[] {
  const properties: unknown = error.parentSchema?.['properties']
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}

function branchTypes(error: SchemaError): string[] {
  const branches = Array.isArray(error.schema) ? error.schema : []
  return branches.map((branch: { readonly type?: unknown }) => String(branch.type))
}

function listed(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}

function foundAt(root: Located, path: Path): string {
  const node = valueAt(root, path)
  if (node === undefined) return 'nothing'
  if (node.kind === 'map') return 'an object'
  if (node.kind === 'list') return 'a list'
  return node.value === null ? 'nothing' : nameOf(typeof node.value)
}

const typeNames: Readonly<Record<string, readonly [name: string, mend: string]>> = {
  string: ['text', 'write text, in quotes if it looks like a number or a list'],
  object: ['an object', 'write `key: value` pairs, or `{}` for none'],
  array: ['a list', 'write a list, `[...]` or lines that begin with `- `'],
  boolean: ['true or false', 'write `true` or `false`, without quotes (a variable gives text)'],
  integer: ['a whole number', 'write a whole number, without quotes (a variable gives text)'],
  number: ['a number', 'write a number, without quotes (a variable gives text)'],
}

function nameOf(type: string): string {
  return typeNames[type]?.[0] ?? type
}

function mendOf(type: string): string {
  return typeNames[type]?.[1] ?? 'change the value'
}

// RFC 6901. Whether a step is an index or a key only the document can tell.
function pathOf(root: Located, pointer: string): Path {
  const steps = pointer.split('/').slice(1)
  const path: (string | number)[] = []
  for (const step of steps) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(valueAt(root, path)?.kind === 'list' ? Number(key) : key)
  }
  return path
}
