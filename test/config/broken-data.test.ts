import { describe, expect, it } from 'vitest'
import { parseData } from '../../src/config/data.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import { errorOf, onlyProblem } from './workspace.ts'

function data(...texts: readonly string[]): Data {
  return parseData(texts.map((text, index) => ({ file: `${'abc'[index]}.yaml`, text })))
}

/** What it is, the files `a.yaml` and `b.yaml`, and the error. */
type Row = readonly [name: string, texts: readonly string[], error: string]

const broken: readonly Row[] = [
  ['an unknown key', ['server: {}'], 'a.yaml:1:1: server: unknown key `server`; mend: did you mean `servers`?'],
  [
    'an unknown key in the second file',
    ['servers:\n  a:\n    prefix: a_\n', 'servers:\n  a:\n    tool: [x]\n'],
    'b.yaml:3:5: servers.a.tool: unknown key `tool`; mend: did you mean `tools`?',
  ],
  [
    'an unknown key in an item',
    ['servers:\n  a:\n    tools:\n      - name: x\n        tag: y\n'],
    'a.yaml:5:9: servers.a.tools[0].tag: unknown key `tag`; mend: did you mean `tags`?',
  ],
  [
    'an unknown key in a virtual server',
    ['virtual_servers: {v: {tool: []}}'],
    'a.yaml:1:23: virtual_servers.v.tool: unknown key `tool`; mend: did you mean `tools`?',
  ],
  [
    'an unknown setting',
    ['settings: {strict: true}'],
    'a.yaml:1:12: settings.strict: unknown key `strict`; mend: remove it, or use one of `catalogue`, `unprefixed_roles`',
  ],
  [
    'an unknown limit of an argument',
    ['arguments:\n  w:\n    tool:x:\n      values:\n        level: {enums: [low]}\n'],
    'a.yaml:5:17: arguments.w["tool:x"].values.level.enums: unknown key `enums`; mend: did you mean `enum`?',
  ],
  [
    'argument rules of a resource',
    ['arguments: {w: {"resource:x": {}}}'],
    'a.yaml:1:17: arguments.w["resource:x"]: expected `type:name` with type `tool` or `prompt`; mend: write for example `tool:forecast` or `tool:*`',
  ],
  [
    'a bound of an argument as text',
    ['arguments: {w: {"tool:x": {values: {days: {min: "1"}}}}}'],
    'a.yaml:1:44: arguments.w["tool:x"].values.days.min: expected a number, found text; mend: write a number, without quotes (a variable gives text)',
  ],
  [
    'another catalogue',
    ['settings: {catalogue: opened}'],
    'a.yaml:1:12: settings.catalogue: expected one of `closed`, `open`; mend: did you mean `open`?',
  ],
  [
    'another state',
    ['servers: {a: {state: disabled}}'],
    'a.yaml:1:15: servers.a.state: expected one of `Enabled`, `Disabled`; mend: did you mean `Disabled`?',
  ],
  [
    'a list for servers',
    ['servers: [a]'],
    'a.yaml:1:1: servers: expected an object, found a list; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a list for the whole',
    ['- a'],
    'a.yaml:1:1: expected an object with `servers`, `virtual_servers`, `roles`, `groups`, `scopes`, `arguments` or `settings`; mend: write `key: value` pairs, or leave the file empty',
  ],
  [
    'text for the second file',
    ['', 'text'],
    'b.yaml:1:1: expected an object with `servers`, `virtual_servers`, `roles`, `groups`, `scopes`, `arguments` or `settings`; mend: write `key: value` pairs, or leave the file empty',
  ],
  [
    'text for tools',
    ['servers: {a: {tools: x}}'],
    'a.yaml:1:15: servers.a.tools: expected a list, found text; mend: write a list, `[...]` or lines that begin with `- `',
  ],
  [
    'a number for a tool',
    ['servers: {a: {tools: [x, 7]}}'],
    'a.yaml:1:26: servers.a.tools[1]: expected text or an object, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'an empty tool',
    ['servers: {a: {tools: [""]}}'],
    'a.yaml:1:23: servers.a.tools[0]: expected text that is not empty; mend: write a value, or remove the key',
  ],
  [
    'a tool without a name',
    ['servers: {a: {tools: [{tags: []}]}}'],
    'a.yaml:1:23: servers.a.tools[0].name: expected this key, found nothing; mend: add `name`',
  ],
  [
    'a template without a name',
    ['servers: {a: {templates: [{tags: []}]}}'],
    'a.yaml:1:27: servers.a.templates[0].name: expected this key, found nothing; mend: add `name`',
  ],
  [
    'a bad digest',
    ['servers: {a: {tools: [{name: x, sha256: ABC}]}}'],
    'a.yaml:1:33: servers.a.tools[0].sha256: expected 64 lower-case hexadecimal digits; mend: write a SHA-256 as `sha256sum` prints it',
  ],
  [
    'a hint that is text',
    ['servers: {a: {tools: [{name: x, annotations: {readOnlyHint: yes}}]}}'],
    'a.yaml:1:47: servers.a.tools[0].annotations.readOnlyHint: expected true or false, found text; mend: write `true` or `false`, without quotes (a variable gives text)',
  ],
  [
    'a hint in other letters',
    ['servers: {a: {tools: [{name: x, annotations: {readonlyHint: true}}]}}'],
    'a.yaml:1:47: servers.a.tools[0].annotations.readonlyHint: unknown key `readonlyHint`; mend: did you mean `readOnlyHint`?',
  ],
  [
    'a bad digest among several',
    [`servers: {a: {tools: [{name: x, sha256: [${'0a'.repeat(32)}, ABC]}]}}`],
    'a.yaml:1:108: servers.a.tools[0].sha256[1]: expected 64 lower-case hexadecimal digits; mend: write a SHA-256 as `sha256sum` prints it',
  ],
  [
    'a digest as a number',
    ['servers: {a: {tools: [{name: x, sha256: 5}]}}'],
    'a.yaml:1:33: servers.a.tools[0].sha256: expected text or a list, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'digests of which there are none',
    ['servers: {a: {tools: [{name: x, sha256: []}]}}'],
    'a.yaml:1:33: servers.a.tools[0].sha256: expected a list that is not empty; mend: add an entry',
  ],
  [
    'a server without a name',
    ['servers: {"": {}}'],
    'a.yaml:1:11: servers[""]: expected a name that is not empty; mend: give it a name',
  ],
  [
    'a role without a name',
    ['roles: {"": {}}'],
    'a.yaml:1:9: roles[""]: expected a name that is not empty; mend: give it a name',
  ],
  [
    'a virtual server without a name',
    ['virtual_servers: {"": {}}'],
    'a.yaml:1:19: virtual_servers[""]: expected a name that is not empty; mend: give it a name',
  ],
  [
    'nothing for a server',
    ['servers:\n  a:\n'],
    'a.yaml:2:3: servers.a: expected an object, found nothing; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a server that a later file takes away',
    ['servers:\n  a:\n    prefix: a_\n', 'servers: {a: null}'],
    'b.yaml:1:11: servers.a: expected an object, found nothing; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a pattern that is no text',
    ['roles: {r: {s: [7]}}'],
    'a.yaml:1:17: roles.r.s[0]: expected text, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'patterns without a server',
    ['roles: {r: ["tool:*"]}'],
    'a.yaml:1:9: roles.r: expected an object, found a list; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a group without a name',
    ['groups: {"": [r]}'],
    'a.yaml:1:10: groups[""]: expected a name that is not empty; mend: give it a name',
  ],
  [
    'text for the roles of a group',
    ['groups: {staff: forecaster}'],
    'a.yaml:1:10: groups.staff: expected a list, found text; mend: write a list, `[...]` or lines that begin with `- `',
  ],
  [
    'a role of a group that is no text',
    ['groups: {staff: [forecaster, 7]}'],
    'a.yaml:1:30: groups.staff[1]: expected text, found a number; mend: write text, in quotes if it looks like a number or a list',
  ],
  [
    'a role of a group without a name',
    ['groups: {staff: [""]}'],
    'a.yaml:1:18: groups.staff[0]: expected text that is not empty; mend: write a value, or remove the key',
  ],
  [
    'a server without a name in a scope',
    ['scopes: {mcp: {"": []}}'],
    'a.yaml:1:16: scopes.mcp[""]: expected a name that is not empty; mend: give it a name',
  ],
  [
    'patterns of a scope without a server',
    ['scopes: {mcp: ["tool:*"]}'],
    'a.yaml:1:10: scopes.mcp: expected an object, found a list; mend: write `key: value` pairs, or `{}` for none',
  ],
  [
    'a pattern of a scope without a type',
    ['scopes: {mcp: {s: ["tool:a", "*"]}}'],
    'a.yaml:1:30: scopes.mcp.s[1]: expected `type:name` with type `tool`, `prompt`, `resource` or `template`; mend: write for example `tool:forecast` or `tool:*`',
  ],
  [
    'a template in an object',
    ['servers: {a: {templates: [{name: "x{a*}"}]}}'],
    'a.yaml:1:28: servers.a.templates[0].name: expected a URI template of RFC 6570, level 1 to 3; mend: write variables as `{name}` or `{?name}`, without `*` and `:3`, and percent-encode spaces and quotes',
  ],
  [
    'a template of a virtual server',
    ['virtual_servers: {v: {templates: ["x{a*}"]}}'],
    'a.yaml:1:35: virtual_servers.v.templates[0]: expected a URI template of RFC 6570, level 1 to 3; mend: write variables as `{name}` or `{?name}`, without `*` and `:3`, and percent-encode spaces and quotes',
  ],
  [
    'a template in a pattern',
    ['roles: {r: {"*": ["template:x{a*}"]}}'],
    'a.yaml:1:19: roles.r["*"][0]: expected a URI template of RFC 6570, level 1 to 3; mend: write variables as `{name}` or `{?name}`, without `*` and `:3`, and percent-encode spaces and quotes',
  ],
  [
    'a template in a pattern of a scope',
    ['scopes: {mcp: {"*": ["template:x{*", "template:x{a*}"]}}'],
    'a.yaml:1:38: scopes.mcp["*"][1]: expected a URI template of RFC 6570, level 1 to 3; mend: write variables as `{name}` or `{?name}`, without `*` and `:3`, and percent-encode spaces and quotes',
  ],
  [
    'a template in the second file',
    ['servers:\n  a:\n    prefix: a_\n', '\nservers: {a: {templates: ["{"]}}'],
    'b.yaml:2:27: servers.a.templates[0]: expected a URI template of RFC 6570, level 1 to 3; mend: write variables as `{name}` or `{?name}`, without `*` and `:3`, and percent-encode spaces and quotes',
  ],
  [
    'a prefix that two servers share',
    ['servers:\n  a: {prefix: x}\n  team/b: {prefix: x}\n'],
    'a.yaml:3:12: servers["team/b"].prefix: servers["team/b"] and servers.a share the prefix `x`; mend: give each server a prefix of its own',
  ],
  [
    'a prefix shared with a disabled server',
    ['servers: {a: {prefix: x, state: Disabled}, b: {prefix: x}}'],
    'a.yaml:1:48: servers.b.prefix: servers.b and servers.a share the prefix `x`; mend: give each server a prefix of its own',
  ],
  [
    'a prefix that the second file gives again',
    ['servers:\n  a: {prefix: x}\n  b: {prefix: y}\n', '# second\nservers: {a: {prefix: y}}'],
    'b.yaml:2:15: servers.a.prefix: servers.b and servers.a share the prefix `y`; mend: give each server a prefix of its own',
  ],
  [
    'a key that is there twice',
    ['servers: {}\nroles: {}\nservers: {}'],
    'a.yaml:3:1: servers: the key is there twice, first on line 1; mend: remove or rename one of them',
  ],
  [
    'bad YAML in the second file',
    ['', 'servers: [\n'],
    'b.yaml:2:1: not well-formed YAML: flow sequence in block collection must be sufficiently indented and end with a ]; mend: check the indentation and brackets here, and put text that holds `{`, `}`, `: ` or ` #` in quotes',
  ],
]

const prefixes = ['A_', '_a', 'a-b', 'ä', 'a b', 'a_\n'].map((prefix): Row => {
  const message = 'expected lower-case letters, digits and `_`, the first no `_`'
  const error = `a.yaml:1:15: servers.a.prefix: ${message}; mend: write for example \`weather_\`, or "" for no prefix`
  return [`the prefix ${prefix}`, [`servers: {a: {prefix: ${JSON.stringify(prefix)}}}`], error]
})

const patterns = [
  'x',
  'tool',
  'tool:',
  ':x',
  '*',
  'tools:x',
  'Tool:x',
  'server:x',
  ' tool:x',
  'method:tools/list',
  'tool：x',
  '__proto__:x',
].map((pattern): Row => {
  const message = 'expected `type:name` with type `tool`, `prompt`, `resource` or `template`'
  const error = `a.yaml:1:27: roles.r.s[1]: ${message}; mend: write for example \`tool:forecast\` or \`tool:*\``
  return [`the pattern ${pattern}`, [`roles: {r: {s: ["tool:a", ${JSON.stringify(pattern)}]}}`], error]
})

const scopes = ['', 'mcp tools', 'mcp"', 'mcp\\', 'mcp\n', 'mcp:é'].map((scope): Row => {
  const message = 'expected an OAuth scope: ASCII letters, digits and signs but `"` and `\\`'
  const error = `a.yaml:1:10: scopes[${JSON.stringify(scope)}]: ${message}; mend: write for example \`mcp:tools\`, and one entry for each scope`
  return [`the scope ${scope}`, [`scopes: {${JSON.stringify(scope)}: {}}`], error]
})

const templates = ['x{a*}', 'x{a:3}', 'x{=a}', 'x{', 'x}', 'x{}', 'x{a-b}', 'x y', 'x%zz'].map((template): Row => {
  const message = 'expected a URI template of RFC 6570, level 1 to 3'
  const mend = 'write variables as `{name}` or `{?name}`, without `*` and `:3`, and percent-encode spaces and quotes'
  const error = `a.yaml:1:35: servers.a.templates[1]: ${message}; mend: ${mend}`
  return [`the template ${template}`, [`servers: {a: {templates: ["x{a}", ${JSON.stringify(template)}]}}`], error]
})

describe('broken data', () => {
  it.each([...broken, ...prefixes, ...patterns, ...scopes, ...templates])(
    'is refused with file, line, key and mend: %s',
    async (_, texts, line) => {
      const error = await errorOf(() => data(...texts))
      expect(error.message).toBe(line)
      const { file, line: row, column } = onlyProblem(error)
      expect(line.startsWith(`${file}:${row}:${column}: `)).toBe(true)
    },
  )

  it('in JSON is refused at its line', async () => {
    const text = '{\n  "servers": {\n    "a": {"tols": []}\n  }\n}'
    const error = await errorOf(() => parseData([{ file: 'data.json', text }]))
    expect(error.message).toBe('data.json:3:11: servers.a.tols: unknown key `tols`; mend: did you mean `tools`?')
  })

  it('is told everything at once, over all files', async () => {
    const error = await errorOf(() =>
      data('servers: {a: {prefix: x, tol: 1}}\nrole: {}', 'servers: {b: {prefix: x, templates: ["{"]}}', 'a: ['),
    )
    expect(error.problems.map((problem) => `${problem.file} ${problem.path}`)).toEqual([
      'c.yaml ',
      'a.yaml servers.a.tol',
      'a.yaml role',
      'b.yaml servers.b.prefix',
      'b.yaml servers.b.templates[0]',
    ])
  })
})
