import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { structureFindings } from '../../tools/policy-structure.ts'
import { parsePolicies } from '../../tools/policy-trees.ts'
import { entrypoints, entrypointTests, opa, projectWith } from './folders.ts'

const sound = { 'authz.rego': entrypoints, 'authz_test.rego': entrypointTests }
const patient = { timeout: 30_000 }
const titled = '# METADATA\n# title: A part\n'

async function violations(policies: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const files = await parsePolicies(String(opa), join(await projectWith(policies), 'policies'))
  return structureFindings(files).map(({ file, row, rule }) => `${file}:${row} ${rule}`)
}

function ruleOf(lines: number): string {
  return `_long if {\n${'\t1 == 1\n'.repeat(lines - 2)}}\n`
}

describe.runIf(opa)('structure of packages', patient, () => {
  it('holds for a sound policy', async () => {
    expect(await violations(sound)).toEqual([])
  })

  it('wants the package to be the path', async () => {
    const found = await violations({ ...sound, 'part/part.rego': `${titled}package mcp.authz.other\n` })
    expect(found).toEqual(['mcp/authz/part/part.rego:3 package-path'])
  })

  it('wants the package of a test to be the tested one with _test', async () => {
    const found = await violations({ ...sound, 'more_test.rego': 'package mcp.authz\n\ntest_it if 1 == 1\n' })
    expect(found).toEqual(['mcp/authz/more_test.rego:1 package-path'])
  })

  it.each([
    ['none', ''],
    ['one that says nothing', '# METADATA\n# authors:\n#   - someone\n'],
    ['an empty one', '# METADATA\n# title: ""\n'],
  ])('wants METADATA on every package: %s', async (_, metadata) => {
    const found = await violations({ ...sound, 'part/part.rego': `${metadata}package mcp.authz.part\n` })
    expect(found).toEqual([expect.stringMatching(/^mcp\/authz\/part\/part\.rego:\d package-metadata$/)])
  })

  it('takes the METADATA of a package from any of its files', async () => {
    expect(await violations({ ...sound, 'second.rego': 'package mcp.authz\n\n_private := 1\n' })).toEqual([])
  })

  it('names a file that does not parse, and its line', async () => {
    const text = `${titled}package mcp.authz.part\n\nbroken := {\n`
    const [found, ...more] = await violations({ ...sound, 'part/part.rego': text })
    expect(found).toMatch(/^mcp\/authz\/part\/part\.rego:[67] unparsable$/)
    expect(more).toEqual([])
  })
})

describe.runIf(opa)('structure of rules', patient, () => {
  it('wants METADATA on every public rule, functions too, and on no private one', async () => {
    const text = `${titled}package mcp.authz.part\n\npublic := 1\n\ndouble(x) := x * 2\n\n_private := 3\n`
    expect(await violations({ ...sound, 'part/part.rego': text })).toEqual([
      'mcp/authz/part/part.rego:5 rule-metadata',
      'mcp/authz/part/part.rego:7 rule-metadata',
    ])
  })

  it('wants METADATA once for a rule of several bodies', async () => {
    const text = `${titled}package mcp.authz.part\n\n# METADATA\n# description: both\npublic if 1 == 1\n\npublic if 2 == 2\n`
    expect(await violations({ ...sound, 'part/part.rego': text })).toEqual([])
  })

  it('allows rules of 30 lines and no more', async () => {
    const part = (lines: number) => `${titled}package mcp.authz.part\n\n${ruleOf(lines)}`
    expect(await violations({ ...sound, 'part/part.rego': part(30) })).toEqual([])
    expect(await violations({ ...sound, 'part/part.rego': part(31) })).toEqual([
      'mcp/authz/part/part.rego:5 rule-length',
    ])
  })

  it('finds print, also inside a comprehension', async () => {
    const text = `${titled}package mcp.authz.part\n\n_shown := [x | some x in [1]; print(x)]\n\n_print := "print"\n`
    expect(await violations({ ...sound, 'part/part.rego': text })).toEqual(['mcp/authz/part/part.rego:5 print-call'])
  })
})

describe.runIf(opa)('structure of schema bindings', patient, () => {
  it('wants a package that reads input to be bound to its schema', async () => {
    const unbound = entrypoints.replace('# schemas:\n#   - input: schema.input\n', '')
    expect(await violations({ 'authz.rego': unbound })).toEqual(['mcp/authz/authz.rego:4 schema-unbound'])
  })

  it('does not take a binding of the parent alone for one of the packages below', async () => {
    const text = `${titled}package mcp.authz.part\n\n_own if input.subject.id == "bob"\n`
    const parent = entrypoints.replace('scope: subpackages', 'scope: package')
    expect(await violations({ 'authz.rego': parent, 'part/part.rego': text })).toEqual([
      'mcp/authz/part/part.rego:3 schema-unbound',
    ])
    expect(await violations({ 'authz.rego': entrypoints, 'part/part.rego': text })).toEqual([])
  })
})

describe.runIf(opa)('structure of tests', patient, () => {
  it('finds a misspelt test, which OPA would pass over in silence', async () => {
    const text = entrypointTests.replace('test_deny', 'tset_deny')
    expect(await violations({ ...sound, 'authz_test.rego': text })).toEqual(['mcp/authz/authz_test.rego:7 test-name'])
  })

  it('lets tests share a rule that is used', async () => {
    const text = `${entrypointTests}\nbob := {"subject": {"id": "bob"}}\n\ntest_bob if not authz.decision.allow with input as bob\n`
    expect(await violations({ ...sound, 'authz_test.rego': text })).toEqual([])
  })

  it('finds a test outside a test file', async () => {
    const text = `${entrypoints}\n# METADATA\n# description: lost\ntest_lost if 1 == 1\n`
    expect(await violations({ ...sound, 'authz.rego': text })).toEqual(['mcp/authz/authz.rego:28 test-name'])
  })
})
