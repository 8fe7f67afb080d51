import type { Data } from '../policy/data.gen.ts'
import { deepFreeze } from './config.ts'
import { emptyDocument, formatPath, type Located, merge, type Path, plainOf, positionOf, without } from './located.ts'
import { ConfigError, type Finding, type Problem, problemsOf } from './problem.ts'
import { validatorOf } from './schema.ts'
import { schemaFindings } from './schema-finding.ts'
import { parseSource, readSource } from './source.ts'
import { isTemplate } from './uri-template.ts'

/** A data file that was read. The name is for problems, and one that ends in `.json` must hold JSON. */
export interface DataText {
  readonly file: string
  readonly text: string
}

/**
 * Reads, merges, checks and freezes the data files, later ones over earlier ones. No files are no data.
 *
 * @throws ConfigError with everything that is wrong with them.
 */
export async function loadData(files: readonly string[]): Promise<Data> {
  const readings = await Promise.all(files.map(readSource))
  const problems = readings.flatMap((reading) => (reading.ok ? [] : [reading.problem]))
  if (problems.length > 0) throw new ConfigError(problems)
  return parseData(
    readings.flatMap((reading, index) => (reading.ok ? { file: files[index] ?? '', text: reading.text } : [])),
  )
}

/**
 * Merges, checks and freezes the texts of data files, later ones over earlier ones.
 *
 * @throws ConfigError with everything that is wrong, each problem at the file and line its value came from.
 */
export function parseData(texts: readonly DataText[]): Data {
  let problems: readonly Problem[] = []
  let root: Located = emptyDocument(undefined)
  for (const { file, text } of texts) {
    const parsing = parseSource(file, text)
    if (!parsing.ok) problems = [...problems, ...parsing.problems]
    else if (parsing.root.kind === 'map') root = merge(root, parsing.root)
    else problems = [...problems, ...problemsOf(parsing.root, [notAnObject])]
  }
  const files = texts.map((text) => text.file)
  problems = [...problems, ...problemsOf(root, findingsIn(root, files))]
  if (problems.length > 0) throw new ConfigError(problems)
  return deepFreeze(plainOf(root)) as Data
}

const notAnObject: Finding = {
  path: [],
  message:
    'expected an object with `servers`, `virtual_servers`, `roles`, `groups`, `scopes`, `arguments` or `settings`',
  mend: 'write `key: value` pairs, or leave the file empty',
}

function findingsIn(root: Located, files: readonly string[]): Finding[] {
  const validate = validatorOf('data')
  const shape = validate(plainOf(root)) ? [] : schemaFindings(root, validate.errors ?? [])
  const sound = plainOf(
    without(
      root,
      shape.map((finding) => finding.path),
    ),
  ) as Data
  return [
    ...shape,
    ...idFindings(sound),
    ...prefixFindings(root, sound, files),
    ...templateFindings(sound),
    ...hintFindings(sound),
  ]
}

const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']

/** A hint that is spelt otherwise says nothing, and rules would take the item for what it is not. */
function hintFindings({ servers = {} }: Data): Finding[] {
  return Object.entries(servers).flatMap(([id, { tools = [] }]) =>
    tools.flatMap((item, index) => {
      const said = typeof item === 'string' ? [] : Object.keys(item.annotations ?? {})
      return said.flatMap((key) => {
        const hint = hints.find((one) => one.toLowerCase() === key.toLowerCase() && one !== key)
        const path = ['servers', id, 'tools', index, 'annotations', key]
        return hint === undefined
          ? []
          : [{ path, message: `unknown key \`${key}\``, mend: `did you mean \`${hint}\`?` }]
      })
    }),
  )
}

function idFindings(data: Data): Finding[] {
  if (!Object.hasOwn(data.virtual_servers ?? {}, '')) return []
  return [{ path: ['virtual_servers', ''], message: 'expected a name that is not empty', mend: 'give it a name' }]
}

function prefixFindings(root: Located, data: Data, files: readonly string[]): Finding[] {
  const findings: Finding[] = []
  const owners = new Map<string, string>()
  for (const [id, { prefix = '' }] of Object.entries(data.servers ?? {})) {
    const owner = owners.get(prefix)
    if (prefix === '' || owner === undefined) {
      owners.set(prefix, id)
      continue
    }
    const message = `${formatPath(['servers', id])} and ${formatPath(['servers', owner])} share the prefix \`${prefix}\``
    const path = laterOf(root, files, ['servers', owner, 'prefix'], ['servers', id, 'prefix'])
    findings.push({ path, message, mend: 'give each server a prefix of its own' })
  }
  return findings
}

// A later file may have given the clashing prefix to a server that an earlier one named first.
function laterOf(root: Located, files: readonly string[], a: Path, b: Path): Path {
  const [atA, atB] = [positionOf(root, a), positionOf(root, b)]
  return files.lastIndexOf(atA?.file ?? '') > files.lastIndexOf(atB?.file ?? '') ? a : b
}

function templateFindings(data: Data): Finding[] {
  return templatesOf(data)
    .filter(({ text }) => text !== undefined && !isTemplate(text))
    .map(({ path }) => ({
      path,
      message: 'expected a URI template of RFC 6570, level 1 to 3',
      mend: 'write variables as `{name}` or `{?name}`, without `*` and `:3`, and percent-encode spaces and quotes',
    }))
}

interface WrittenTemplate {
  readonly path: Path
  /** Absent where an item has no name, which the schema reports. */
  readonly text: string | undefined
}

function templatesOf(data: Data): WrittenTemplate[] {
  return [
    ...Object.entries(data.servers ?? {}).flatMap(([id, server]) => {
      return (server.templates ?? []).map((item, index): WrittenTemplate => {
        const path = ['servers', id, 'templates', index]
        return typeof item === 'string' ? { path, text: item } : { path: [...path, 'name'], text: item.name }
      })
    }),
    ...Object.entries(data.virtual_servers ?? {}).flatMap(([id, selection]) => {
      return (selection.templates ?? []).map((text, index) => ({
        path: ['virtual_servers', id, 'templates', index],
        text,
      }))
    }),
    ...patternTemplates('roles', data.roles),
    ...patternTemplates('scopes', data.scopes),
  ]
}

function patternTemplates(document: 'roles' | 'scopes', entries: Data['roles'] = {}): WrittenTemplate[] {
  return Object.entries(entries).flatMap(([name, servers]) =>
    Object.entries(servers).flatMap(([server, patterns]) => templatesAmong([document, name, server], patterns)),
  )
}

// A pattern that ends in `*` is the beginning of a template's text, which need not be a template itself.
function templatesAmong(path: Path, patterns: readonly string[]): WrittenTemplate[] {
  const start = 'template:'
  return patterns.flatMap((pattern, index) => {
    if (!pattern.startsWith(start) || pattern.endsWith('*')) return []
    return { path: [...path, index], text: pattern.slice(start.length) }
  })
}
