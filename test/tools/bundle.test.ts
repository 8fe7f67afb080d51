import { cp, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildBundle, committedBundle, revisionOf, staleBundle } from '../../tools/bundle.ts'
import { root } from '../../tools/paths.ts'
import { runCommand } from '../../tools/run-command.ts'
import { entrypoints, entrypointTests, folderWith, opa, projectWith } from './folders.ts'

const patient = { timeout: 60_000 }

async function bytesOf(policies: string): Promise<Buffer> {
  const out = join(await folderWith({}), 'bundles/out.tar.gz')
  expect(await buildBundle(policies, out)).toEqual({ ok: true, revision: await revisionOf(policies) })
  return await readFile(out)
}

async function problemWith(decision: string): Promise<string> {
  const folder = await projectWith({ 'authz.rego': entrypoints.replace('{"allow": true}', decision) })
  const out = join(folder, 'out.tar.gz')
  const built = await buildBundle(join(folder, 'policies'), out)
  await expect(stat(out)).rejects.toThrow('ENOENT')
  return built.ok ? 'it was built' : built.problem
}

describe.runIf(opa)('the committed bundle', patient, () => {
  it('is what the policies compile to, from any folder and at any time', async () => {
    const elsewhere = await folderWith({})
    await cp(join(root, 'policies'), elsewhere, { recursive: true })
    await utimes(join(elsewhere, '.manifest'), 1, 1)
    const committed = await readFile(committedBundle)
    expect((await bytesOf(join(root, 'policies'))).equals(committed)).toBe(true)
    expect((await bytesOf(elsewhere)).equals(committed)).toBe(true)
  })

  it('passes its own check', async () => {
    expect(await staleBundle()).toBeUndefined()
  })
})

describe.runIf(opa)('a bundle', patient, () => {
  it('depends on its policies, and on no test', async () => {
    const policies = join(await projectWith({ 'authz.rego': entrypoints }), 'policies')
    const first = await bytesOf(policies)
    await writeFile(join(policies, 'mcp/authz/authz_test.rego'), entrypointTests)
    expect((await bytesOf(policies)).equals(first)).toBe(true)
    await writeFile(join(policies, 'mcp/authz/authz.rego'), entrypoints.replace('alice', 'carol'))
    expect((await bytesOf(policies)).equals(first)).toBe(false)
  })

  it('is not built from a policy that calls what the WASM host lacks, and file and line are named', async () => {
    expect(await problemWith('{"allow": time.now_ns() > 0}')).toMatch(
      /mcp\/authz\/authz\.rego:12: rego_type_error: undefined function time\.now_ns/,
    )
  })

  it('is not built with sprintf, which the host renders in its own way', async () => {
    expect(await problemWith('{"allow": sprintf("%d", [1]) == "1"}')).toContain('undefined function sprintf')
  })

  it('is not built without one of the entrypoints', async () => {
    const folder = await projectWith({ 'authz.rego': entrypoints.replace('index := {}', 'other := {}') })
    const built = await buildBundle(join(folder, 'policies'), join(folder, 'out.tar.gz'))
    expect(built).toEqual({ ok: false, problem: expect.stringContaining('mcp/authz/index') })
  })
})

describe('a revision', () => {
  const manifest = { '.manifest': '{"roots": ["mcp/authz"]}' }
  const policy = { 'mcp/authz/a.rego': 'package mcp.authz\n' }

  async function revision(files: Readonly<Record<string, string>>): Promise<string> {
    return await revisionOf(await folderWith(files))
  }

  it('is 12 hex digits, the same for the same files in another order', async () => {
    const one = await revision({ ...manifest, ...policy, 'b.rego': 'package b\n' })
    expect(one).toMatch(/^[0-9a-f]{12}$/)
    expect(await revision({ 'b.rego': 'package b\n', ...policy, ...manifest })).toBe(one)
  })

  it.each([
    ['a changed policy', { ...manifest, 'mcp/authz/a.rego': 'package mcp.authz\n\n' }],
    ['a renamed policy', { ...manifest, 'mcp/authz/b.rego': 'package mcp.authz\n' }],
    ['one more policy', { ...manifest, ...policy, 'mcp/authz/b.rego': '' }],
    ['another manifest', { '.manifest': '{}', ...policy }],
    ['data beside the policy', { ...manifest, ...policy, 'mcp/authz/data.json': '{}' }],
  ])('differs with %s', async (_, files) => {
    expect(await revision(files)).not.toBe(await revision({ ...manifest, ...policy }))
  })

  it('is the same whatever the tests and other files are', async () => {
    const more = { 'mcp/authz/a_test.rego': 'package mcp.authz_test\n', 'notes.md': 'x' }
    expect(await revision({ ...manifest, ...policy, ...more })).toBe(await revision({ ...manifest, ...policy }))
  })
})

describe.runIf(opa)('npm run bundle', patient, () => {
  it('writes where --out says, and names the revision', async () => {
    const out = join(await folderWith({}), 'mine.tar.gz')
    const run = await runCommand(process.execPath, [join(root, 'tools/bundle.ts'), '--out', out])
    expect(run).toEqual({
      code: 0,
      stdout: `${out}: revision ${await revisionOf(join(root, 'policies'))}\n`,
      stderr: '',
    })
    expect((await stat(out)).size).toBeGreaterThan(1000)
  })

  it('refuses a flag that it does not know', async () => {
    const run = await runCommand(process.execPath, [join(root, 'tools/bundle.ts'), '--chek'])
    expect(run.code).toBe(1)
    expect(run.stderr).toContain('--chek')
  })
})
