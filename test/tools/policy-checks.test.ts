import { describe, expect, it } from 'vitest'
import {
  checkCoverage,
  checkFormat,
  checkTests,
  checkTypes,
  type PolicyTree,
  parsedFiles,
} from '../../tools/policy-checks.ts'
import { entrypoints, entrypointTests, opa, projectWith } from './folders.ts'

const patient = { timeout: 60_000 }

async function treeWith(policies: Readonly<Record<string, string>>): Promise<PolicyTree> {
  return { opa: String(opa), root: await projectWith(policies) }
}

async function coverageOf(tree: PolicyTree): Promise<readonly string[]> {
  return await checkCoverage(tree, await parsedFiles(tree))
}

describe.runIf(opa)('policy checks of types', patient, () => {
  it('find nothing in a sound policy whose tests reach every line', async () => {
    const tree = await treeWith({ 'authz.rego': entrypoints, 'authz_test.rego': entrypointTests })
    expect(await checkFormat(tree)).toEqual([])
    expect(await checkTypes(tree)).toEqual([])
    expect(await checkTests(tree, 'rego')).toEqual([])
    expect(await checkTests(tree, 'wasm')).toEqual([])
    expect(await coverageOf(tree)).toEqual([])
  })

  it('name file, line and column of a misspelt input path, and what is known there', async () => {
    const tree = await treeWith({ 'authz.rego': entrypoints.replace('input.subject.id', 'input.subject.idd') })
    const [problem, ...more] = await checkTypes(tree)
    expect(problem).toMatch(
      /^policies\/mcp\/authz\/authz\.rego:12:32: rego_type_error: undefined ref: input\.subject\.idd/,
    )
    expect(problem).toMatch(/known here: .*\bid\b/)
    expect(more).toEqual([])
  })

  it('see a misspelt input path in a package below the one that binds the schema', async () => {
    const below = '# METADATA\n# title: Below\npackage mcp.authz.below\n\nok if input.resorce.type == "tool"\n'
    const tree = await treeWith({ 'authz.rego': entrypoints, 'below/below.rego': below })
    expect(await checkTypes(tree)).toEqual([expect.stringContaining('policies/mcp/authz/below/below.rego:5:')])
  })

  it('name file and line of a builtin that the WASM host lacks', async () => {
    const tree = await treeWith({ 'authz.rego': entrypoints.replace('"alice"', 'format_int(time.now_ns(), 10)') })
    const [problem] = await checkTypes(tree)
    expect(problem).toMatch(
      /^policies\/mcp\/authz\/authz\.rego:12:\d+: rego_type_error: undefined function time\.now_ns/,
    )
  })
})

describe.runIf(opa)('policy checks of tests and form', patient, () => {
  it('name a file that is not formatted', async () => {
    const tree = await treeWith({ 'authz.rego': entrypoints.replace('visible := []', 'visible   :=   []') })
    expect(await checkFormat(tree)).toEqual([expect.stringMatching(/^policies\/mcp\/authz\/authz\.rego: run /)])
  })

  it.each(['rego', 'wasm'] as const)('name a test that fails (%s)', async (target) => {
    const wrong = entrypointTests.replace('if not authz', 'if authz')
    const tree = await treeWith({ 'authz.rego': entrypoints, 'authz_test.rego': wrong })
    expect(await checkTests(tree, target)).toEqual([
      'policies/mcp/authz/authz_test.rego:7: data.mcp.authz_test.test_deny fails',
    ])
  })

  it('refuse a test that is only skipped', async () => {
    const tree = await treeWith({
      'authz.rego': entrypoints,
      'authz_test.rego': entrypointTests.replace('test_deny', 'todo_test_deny'),
    })
    expect(await checkTests(tree, 'rego')).toEqual([expect.stringContaining('todo_test_deny is skipped')])
  })

  it('refuse a policy without any test', async () => {
    const tree = await treeWith({ 'authz.rego': entrypoints })
    expect(await checkTests(tree, 'rego')).toEqual(['no test was found below policies/'])
  })
})

describe.runIf(opa)('policy coverage', patient, () => {
  it('names the lines that no test reaches, however well the tests cover themselves', async () => {
    const fewer = entrypointTests.replace('\tauthz.visible == []\n', '')
    const tree = await treeWith({ 'authz.rego': entrypoints, 'authz_test.rego': fewer })
    expect(await coverageOf(tree)).toEqual(['policies/mcp/authz/authz.rego:20'])
  })

  it('counts a file that no test touches as uncovered', async () => {
    const lost = '# METADATA\n# title: Lost\npackage mcp.authz.lost\n\nfound if {\n\t1 == 1\n\t2 == 2\n}\n'
    const tree = await treeWith({
      'authz.rego': entrypoints,
      'authz_test.rego': entrypointTests,
      'lost/lost.rego': lost,
    })
    expect(await coverageOf(tree)).toEqual([expect.stringMatching(/^policies\/mcp\/authz\/lost\/lost\.rego:5-[67]$/)])
  })

  it('is not given where tests fail', async () => {
    const wrong = entrypointTests.replace('if not authz', 'if authz')
    const tree = await treeWith({ 'authz.rego': entrypoints, 'authz_test.rego': wrong })
    expect(await coverageOf(tree)).toEqual(['no coverage, because the tests do not pass'])
  })
})
