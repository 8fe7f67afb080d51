import { chmod, lstat, readdir, readFile, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { folder, runIn } from './terminal.ts'

const manifests = `# the weather team's
apiVersion: mcp.kuadrant.io/v1alpha1
kind: MCPServerRegistration
metadata:
  name: weather
spec:
  toolPrefix: weather_ # never changes
---
kind: Service
metadata: {annotations: {x-authorized-tool: kept, toolPrefixes: kept}} # not toolPrefix
---
apiVersion: kuadrant.io/v1
kind: AuthPolicy
spec:
  rules:
    authorization:
      calls:
        patternMatching:
          patterns:
            - predicate: |
                request.headers['x-mcp-toolname'] in (has(auth.identity.resource_access) ? auth.identity.resource_access[request.headers['x-mcp-servername']].roles : [])
            - predicate: "request.headers['x-mcp-toolname'] in ['greet']"
    response:
      success:
        headers:
          x-authorized-tools: # for the broker
            wristband:
              customClaims:
                'allowed-tools':
                  value: '{"team/weather":["forecast"]}'
---
kind: Deployment
spec:
  template:
    spec:
      containers:
        - command: ["./gateway", "--mcp-router-key", "k", "--enforce-tool-filtering=true"]
          args:
            # two keys
            - --session-signing-key=$(JWT_SESSION_SIGNING_KEY)
            - --mcp-router-key=$(MCP_ROUTER_API_KEY)
          env:
            - name: MCP_ROUTER_API_KEY
              valueFrom:
                secretKeyRef: {name: router, key: key}
            - name: JWT_SESSION_SIGNING_KEY # 32 bytes
              value: secret
`

const migrated = `# the weather team's
apiVersion: mcp.kuadrant.io/v1alpha1
kind: MCPServerRegistration
metadata:
  name: weather
spec:
  prefix: weather_ # never changes
---
kind: Service
metadata: {annotations: {x-authorized-tool: kept, toolPrefixes: kept}} # not toolPrefix
---
apiVersion: kuadrant.io/v1
kind: AuthPolicy
spec:
  rules:
    authorization:
      calls:
        patternMatching:
          patterns:
            - predicate: |
                ('tool:' + request.headers['x-mcp-toolname']) in (has(auth.identity.resource_access) ? auth.identity.resource_access[request.headers['x-mcp-servername']].roles : [])
            - predicate: "request.headers['x-mcp-toolname'] in ['greet']"
    response:
      success:
        headers:
          x-mcp-authorized: # for the broker
            wristband:
              customClaims:
                'allowed-capabilities':
                  value: '{"tools":{"team/weather":["forecast"]}}'
---
kind: Deployment
spec:
  template:
    spec:
      containers:
        - command: ["./gateway", "--enforce-capability-filtering=true"]
          args:
            # two keys
            - --gateway-signing-key=$(GATEWAY_SIGNING_KEY)
          env:
            - name: GATEWAY_SIGNING_KEY # 32 bytes
              value: secret
`

const computed = `kind: AuthPolicy
spec:
  authorization:
    allowed-tools:
      opa:
        rego: |
          allow = true
          tools = {server: roles | roles := input.auth.identity.resource_access[server].roles}
  headers:
    x-authorized-tools:
      wristband:
        customClaims:
          allowed-tools:
            selector: auth.authorization.allowed-tools.tools.@tostr
`

const realm = {
  realm: 'mcp',
  roles: {
    realm: [{ name: 'all', composites: { client: { 'team/weather': ['forecast'], account: ['view'] } } }],
    client: {
      'team/weather': [
        { name: 'forecast' },
        { name: 'tool:alerts' },
        { name: 'prompt:plan' },
        { name: 'uma_protection' },
      ],
      account: [{ name: 'view' }],
    },
  },
  clientScopeMappings: { 'team/weather': [{ clientScope: 'basic', roles: ['forecast'] }] },
  users: [{ username: 'forecast', clientRoles: { 'team/weather': ['forecast', 'tool:alerts'], account: ['view'] } }],
  groups: [{ name: 'a', subGroups: [{ name: 'b', clientRoles: { 'team/weather': ['forecast'] } }] }],
}

async function written(files: Readonly<Record<string, string>>, ...args: string[]) {
  const cwd = await folder(files)
  const ran = await runIn(cwd, ['migrate', ...Object.keys(files), '--write', ...args])
  const texts = await Promise.all(Object.keys(files).map((name) => readFile(join(cwd, name), 'utf8')))
  return { ...ran, cwd, texts }
}

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
const leftovers: readonly (readonly [what: string, file: string, text: string, problems: readonly string[]])[] = [
  ['values of a chart', 'values.yaml', 'gateway:\n  headers: [x-authorized-tools]\n', ['2 x-authorized-tools']],
  ['a key of a chart', 'values.yaml', 'args:\n  enforce-tool-filtering: true\n', ['2 enforce-tool-filtering']],
  ['a JSON patch', 'p.json', '[{"op":"add",\n"path":"/spec/toolPrefix","value":"a_"}]', ['2 toolPrefix']],
  [
    'a patch as text',
    'k.yaml',
    'kind: Kustomization\npatches:\n- patch: |-\n    - path: /spec/toolPrefix\n',
    ['4 toolPrefix'],
  ],
  [
    'another kind',
    's.yaml',
    'kind: Secret\nstringData:\n  JWT_SESSION_SIGNING_KEY: x\n',
    ['3 JWT_SESSION_SIGNING_KEY'],
  ],
  ['an item of a List', 'l.yaml', 'kind: List\nitems:\n- kind: Service\n  a: allowed-tools\n', ['4 allowed-tools']],
  [
    'what kubectl has applied',
    'r.yaml',
    `kind: MCPServerRegistration\nmetadata:\n  annotations:\n    last: '{"spec":{"toolPrefix":"a_"}}'\nspec: {prefix: a_}\n`,
    ['4 toolPrefix'],
  ],
  ['text of a ConfigMap', 'c.yaml', 'kind: ConfigMap\ndata:\n  a: "spec: {toolPrefix: a_}"\n', ['3 toolPrefix']],
  ['an escaped name', 'e.yaml', 'kind: Service\na: "JWT_SESSION\\u005fSIGNING_KEY"\n', ['2 JWT_SESSION_SIGNING_KEY']],
  [
    'a mapper of a realm',
    'realm.json',
    '{"realm":"r","clients":[{"protocolMappers":[{"config":\n{"claim.name":"allowed-tools"}}]}]}',
    ['2 allowed-tools'],
  ],
  ['a Rego file', 'p.rego', 'package p\n# toolPrefix\nx := input.spec.toolPrefix # toolPrefix\n', ['3 toolPrefix']],
  [
    'a script',
    'run.sh',
    '# --mcp-router-key\nexec gateway "#" --enforce-tool-filtering --session-signing-key=$K //x # --mcp-router-key\n',
    ['2 --enforce-tool-filtering', '2 --session-signing-key'],
  ],
  [
    'an environment',
    '.env',
    'JWT_SESSION_SIGNING_KEY=x\nMCP_ROUTER_API_KEY=https://a\n',
    ['1 JWT_SESSION_SIGNING_KEY', '2 MCP_ROUTER_API_KEY'],
  ],
  ['a header in any case', 'n.conf', '\nset X-Authorized-Tools 1;', ['2 X-Authorized-Tools']],
]

describe('an old name in what migrate does not rewrite', () => {
  it.each(leftovers)('is a problem: %s', async (_, file, text, problems) => {
    const { code, texts, err, cwd } = await written({ [file]: text })
    expect({ code, texts }).toEqual({ code: 1, texts: [text] })
    const said = /^\S+?:(\d+): problem: `(\S+)` stands in something that is not rewritten: .*; look at it by hand$/gm
    expect([...err.matchAll(said)].map(([, line, name]) => `${line} ${name}`)).toEqual(problems)
    expect(err).toContain(`, ${problems.length} problems\n`)
    expect(await runIn(cwd, ['migrate', file])).toMatchObject({
      code: 1,
      out: '',
      err: err.replace('rewritten,', 'to rewrite,'),
    })
  })

  it.each([
    ['a comment', 'a.yaml', 'kind: Service # toolPrefix\n# x-authorized-tools\nspec: {}\n'],
    ['a comment of nothing known', 'a.yaml', '# --enforce-tool-filtering\na: 1 # allowed-tools\n'],
    [
      'part of another name',
      'a.yaml',
      'kind: Service\na: [toolPrefixes, my-toolPrefix, disallowed-tools, MY_JWT_SESSION_SIGNING_KEY]\n',
    ],
    ['the name of a Secret', 'a.yaml', 'kind: Service\na: [session-signing-key, mcp-router-key]\n'],
    ['an evaluator of Authorino', 'a.yaml', 'kind: AuthPolicy\nspec: {authorization: {allowed-tools: {opa: {}}}}\n'],
  ])('is none where it is %s', async (_, file, text) => {
    const { code, err } = await written({ [file]: text })
    expect(code).toBe(0)
    expect(err).toContain('0 of 1 files rewritten, 0 problems')
  })

  it('is none where it was rewritten beside', async () => {
    const { code, texts, err } = await written({
      'a.yaml':
        'kind: Deployment\nargs: [--enforce-tool-filtering]\n---\nkind: Service\nargs: [--enforce-tool-filtering]\n',
    })
    expect({ code, texts }).toEqual({
      code: 1,
      texts: [
        'kind: Deployment\nargs: [--enforce-capability-filtering]\n---\nkind: Service\nargs: [--enforce-tool-filtering]\n',
      ],
    })
    expect(err).toContain('1 of 1 files rewritten, 1 problems')
  })
})

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
