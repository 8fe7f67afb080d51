import { chmod, lstat, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computed, manifests, migrated, realm, written } from './migrations.ts'
import { folder, runIn } from './terminal.ts'

describe('migrate of manifests', () => {
  it('rewrites every name of v0.7.0, and keeps comments, order and what is none of its business', async () => {
    const { code, texts, err, cwd } = await written({ 'all.yaml': manifests })
    expect({ code, texts }).toEqual({ code: 0, texts: [migrated] })
    expect(err).toContain('all.yaml:7: note: spec.prefix: the field is immutable')
    expect(err).toContain('note: --mcp-router-key is removed')
    expect(err).toContain('1 of 1 files rewritten, 0 problems')
    expect(await runIn(cwd, ['migrate', 'all.yaml'])).toMatchObject({ code: 0, out: '' })
  })

  it.each([
    [`env:\n- name: MCP_ROUTER_API_KEY\n  value: |\n    x\n# next\n- name: A\n`, `env:\n# next\n- name: A\n`],
    [`args:\n- --mcp-router-key\n- abc\n- --b`, `args:\n- --b`],
    [`args: [--mcp-router-key=1]\n`, `args: []\n`],
    [`args: ["-a", "--mcp-router-key", "v"]\n`, `args: ["-a"]\n`],
    [
      String.raw`p: "request.headers[\"x-mcp-toolname\"] in auth.roles && true"`,
      String.raw`p: "(\"tool:\" + request.headers[\"x-mcp-toolname\"]) in auth.roles && true"`,
    ],
    [
      `p: 'request.headers[''x-mcp-toolname''] in auth.roles'`,
      `p: '(''tool:'' + request.headers[''x-mcp-toolname'']) in auth.roles'`,
    ],
    [String.raw`allowed-tools: "{\"s\":[]}"`, String.raw`allowed-capabilities: "{\"tools\":{\"s\":[]}}"`],
  ])('rewrites in the quotes and sequences that stand there: %j', async (before, after) => {
    const { code, texts } = await written({ 'a.yaml': `kind: AuthPolicy\n${before}` })
    expect({ code, texts }).toEqual({ code: 0, texts: [`kind: AuthPolicy\n${after}`] })
  })

  it.each(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob', 'Pod'])(
    'rewrites the flags and variables of a %s',
    async (kind) => {
      const workload = (flag: string, name: string) =>
        `kind: ${kind}\nspec:\n  containers:\n    - args: [${flag}]\n      env: [{name: ${name}, value: x}]\n`
      const before = workload('--enforce-tool-filtering', 'JWT_SESSION_SIGNING_KEY')
      const after = workload('--enforce-capability-filtering', 'GATEWAY_SIGNING_KEY')
      expect(await written({ 'a.yaml': before })).toMatchObject({ code: 0, texts: [after] })
    },
  )

  it('rewrites the items of a List, in JSON too', async () => {
    const list = (name: string) =>
      JSON.stringify({ kind: 'List', items: [{ kind: 'AuthPolicy', a: name }] }, null, '\t')
    expect((await written({ 'a.json': list('x-authorized-tools') })).texts).toEqual([list('x-mcp-authorized')])
  })

  it('keeps CRLF and a byte order mark', async () => {
    const crlf = (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`
    expect((await written({ 'all.yaml': crlf(manifests) })).texts).toEqual([crlf(migrated)])
  })
})

describe('migrate without --write', () => {
  it('writes nothing without --write, prints a diff that says it all, and exits 1', async () => {
    const cwd = await folder({ 'a.yaml': 'kind: MCPServerRegistration\nspec:\n  toolPrefix: a_' })
    expect(await runIn(cwd, ['migrate', 'a.yaml'])).toMatchObject({
      code: 1,
      out: `--- a.yaml
+++ a.yaml
@@ -1,3 +1,3 @@
 kind: MCPServerRegistration
 spec:
-  toolPrefix: a_
\\ No newline at end of file
+  prefix: a_
\\ No newline at end of file
`,
    })
    expect(await readdir(cwd)).toEqual(['a.yaml'])
    expect(await readFile(join(cwd, 'a.yaml'), 'utf8')).toContain('toolPrefix')
  })

  it('prints a diff that makes the new file of the old one', async () => {
    const { out } = await runIn(await folder({ 'all.yaml': manifests }), ['migrate', 'all.yaml'])
    expect(patched(manifests, out)).toBe(migrated)
  })
})

describe('what migrate leaves to a person', () => {
  it('leaves a computed claim and its header as they are, and says where to look', async () => {
    const { code, texts, err } = await written({ 'p.yaml': computed })
    expect({ code, texts }).toEqual({ code: 1, texts: [computed] })
    expect(err).toContain('p.yaml:8: problem: Rego reads client roles as names of tools')
    expect(err).toMatch(/p\.yaml:13: problem: the claim `allowed-tools` is built here: .*look at this by hand/)
    expect(err).toContain('0 of 1 files rewritten, 2 problems')
  })

  it.each([
    ['a prefix that v0.7.0 refuses', 'kind: MCPServerRegistration\nspec: {toolPrefix: My-Tools}\n', 'is left'],
    ['two prefixes', 'kind: MCPServerRegistration\nspec: {toolPrefix: a, prefix: b}\n', 'both toolPrefix and prefix'],
    ['a router key in a script', 'kind: ConfigMap\ndata: {run: "x --mcp-router-key=1"}\n', 'router key is named here'],
    [
      'two signing keys',
      'kind: Deployment\nenv: [{name: JWT_SESSION_SIGNING_KEY}, {name: GATEWAY_SIGNING_KEY}]\n',
      'set twice',
    ],
  ])('reports %s and leaves it', async (_, text, problem) => {
    const { code, texts, err } = await written({ 'a.yaml': text })
    expect({ code, texts }).toEqual({ code: 1, texts: [text] })
    expect(err).toContain(`problem`)
    expect(err).toContain(problem)
  })

  it('rewrites the flags, headers and checks of a Rego file', async () => {
    const { code, texts } = await written({ 'p.rego': 'package p\nh := input.headers["x-authorized-tools"]\n' })
    expect({ code, texts }).toEqual({ code: 0, texts: ['package p\nh := input.headers["x-mcp-authorized"]\n'] })
    expect((await written({ 'p.rego': 'package p\nc := {"allowed-tools": t}\n' })).code).toBe(1)
  })
})

/** An old name in what is not rewritten, and the lines of it that are a problem. */
describe('migrate of a realm', () => {
  it('prefixes the roles of MCP servers wherever they stand, keeping indentation', async () => {
    const text = JSON.stringify(realm, null, '\t')
    const { code, texts, err } = await written({ 'realm.json': text })
    const after = text.replaceAll(/"(name": ")?forecast"(?!,\n\t\t\t"clientRoles)/g, '"$1tool:forecast"')
    expect({ code, texts }).toEqual({ code: 0, texts: [after] })
    expect(err).toContain('clients taken as MCP servers: team/weather: their ids look like namespace/name')
  })

  it('takes the clients it is told', async () => {
    const { texts } = await written({ 'realm.json': JSON.stringify(realm) }, '--client', 'account')
    expect(texts).toEqual([JSON.stringify(realm).replaceAll('"view"', '"tool:view"')])
  })

  it('says which client it was told has no role there', async () => {
    const { err } = await written({ 'realm.json': JSON.stringify(realm) }, '--client', 'acount')
    expect(err).toContain('clients taken as MCP servers: none')
    expect(err).toContain('client acount: this realm has no role of it')
  })

  it('leaves a client whose roles would clash', async () => {
    const text = '{"realm":"r","roles":{"client":{"a/b":[{"name":"x"},{"name":"tool:x"}]}}}'
    const { code, texts, err } = await written({ 'realm.json': text })
    expect({ code, texts }).toEqual({ code: 1, texts: [text] })
    expect(err).toContain('has both the roles x and tool:x')
  })

  it('migrates to the same twice as once', async () => {
    const typed = /^(tool|prompt|resource|template):/
    const name = fc.oneof(fc.string(), fc.constantFrom('greet', 'tool:x', 'prompt:y', '"', '\\', 'tool'))
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name), fc.array(name), async (roles, given) => {
        const text = JSON.stringify({
          realm: 'r',
          roles: { client: { 'a/b': roles.map((role) => ({ name: role })) } },
          users: [{ clientRoles: { 'a/b': given } }],
        })
        const once = await written({ 'r.json': text })
        const clashes = roles.some((role) => roles.includes(`tool:${role}`) && !typed.test(role))
        expect(once.texts[0] === text).toBe(clashes || [...roles, ...given].every((role) => typed.test(role)))
        expect(await runIn(once.cwd, ['migrate', 'r.json'])).toMatchObject({ out: '' })
      }),
      { numRuns: 50 },
    )
  })
})

describe('migrate of files', () => {
  it.each([
    ['broken.yaml', 'a: [1\n'],
    ['broken.json', '{"a":1,}'],
    ['missing.yaml', undefined],
  ])('writes none where one is unreadable: %s', async (name, text) => {
    const cwd = await folder({ 'a.yaml': manifests, ...(text === undefined ? {} : { [name]: text }) })
    const { code, err } = await runIn(cwd, ['migrate', 'a.yaml', name, '--write'])
    expect(code).toBe(2)
    expect(err).toContain(`${name}: `)
    expect(err).toContain('no file was written')
    expect(await readFile(join(cwd, 'a.yaml'), 'utf8')).toBe(manifests)
  })

  it('leaves other files as they are, and says of which nothing is known', async () => {
    const files = {
      'a.txt': 'hello',
      'b.json': '{"realm":5}',
      'c.yaml': 'a:   1\r\n\n',
      'd.yml': '',
      'e.yml': '---\n# toolPrefix\n---\n',
      'f.png': '\u0089PNG\r\n',
      'g.json': '[1]',
      'h.yaml': '7',
    }
    const others = { 'x.yaml': 'kind: Service\n---\na: 1\n', 'y.rego': '', 'z.json': '[{"realm":"r","clients":[]}]' }
    const { code, texts, err } = await written({ ...files, ...others })
    expect({ code, texts }).toEqual({ code: 0, texts: [...Object.values(files), ...Object.values(others)] })
    const noted = [...err.matchAll(/^(\S+):1: note: nothing here is known to this command: /gm)].map(([, name]) => name)
    expect(noted).toEqual(Object.keys(files))
  })

  it('keeps modes and links', async () => {
    const cwd = await folder({ 'a.yaml': manifests })
    await chmod(join(cwd, 'a.yaml'), 0o640)
    await symlink('a.yaml', join(cwd, 'link.yaml'))
    expect((await runIn(cwd, ['migrate', 'link.yaml', 'a.yaml', '--write'])).code).toBe(0)
    expect((await stat(join(cwd, 'a.yaml'))).mode & 0o777).toBe(0o640)
    expect((await lstat(join(cwd, 'link.yaml'))).isSymbolicLink()).toBe(true)
    expect(await readFile(join(cwd, 'link.yaml'), 'utf8')).toBe(migrated)
    expect(await readdir(cwd)).toEqual(['a.yaml', 'link.yaml'])
  })

  it('prints one JSON document with --json', async () => {
    const { code, out } = await runIn(await folder({ 'p.yaml': computed }), ['migrate', 'p.yaml', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      written: false,
      files: [{ file: 'p.yaml', changed: false, diff: '', notes: [], problems: [{ line: 8 }, { line: 13 }] }],
    })
  })
})

/** Applies a unified diff by its line numbers. */
function patched(text: string, diff: string): string {
  const old = text.split('\n')
  const lines: string[] = []
  let at = 0
  for (const line of diff.split('\n').slice(2, -1)) {
    const start = /^@@ -(\d+),/.exec(line)?.[1]
    if (start !== undefined) {
      lines.push(...old.slice(at, Number(start) - 1))
      at = Number(start) - 1
    } else {
      if (line[0] !== '-') lines.push(line.slice(1))
      if (line[0] !== '+') expect(old[at++]).toBe(line.slice(1))
    }
  }
  return [...lines, ...old.slice(at)].join('\n')
}
