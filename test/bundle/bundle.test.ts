import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readBundle } from '../../src/bundle/bundle.ts'
import { shippedBundle } from '../../src/engine.ts'
import { PolicyError } from '../../src/policy/errors.ts'
import { archiveOf, manifest, policy } from './archives.ts'

async function refusalOf(bytes: Uint8Array): Promise<string> {
  try {
    await readBundle(bytes)
  } catch (thrown) {
    if (thrown instanceof PolicyError && thrown.code === 'bundle_unusable') return thrown.message
    throw thrown
  }
  return 'none'
}

describe('a bundle', () => {
  it('is the one that ships with the package', async () => {
    const { revision, wasm } = await readBundle(await readFile(shippedBundle))
    expect(revision).toMatch(/^[0-9a-f]{12}$/)
    expect([...wasm.subarray(0, 4)]).toEqual([0, ...Buffer.from('asm')])
  })

  it('is any archive with a policy and our manifest', async () => {
    const bytes = await archiveOf(manifest({ rego_version: 1, metadata: {} }), policy, ['data.json', '{}'])
    expect((await readBundle(bytes)).revision).toBe('r1')
  })
})

describe('what is no bundle of ours', () => {
  it('is said to be no archive', async () => {
    expect(await refusalOf(Buffer.from('PK'))).toMatch(/^it is not a gzipped tar: ./)
    expect(await refusalOf(new Uint8Array())).toMatch(/^it is not a gzipped tar: ./)
  })

  it('is said to lack its policy or its manifest', async () => {
    expect(await refusalOf(await archiveOf(manifest()))).toBe('it holds no policy.wasm: build it with -t wasm')
    expect(await refusalOf(await archiveOf(manifest(), ['sub/policy.wasm', 'x']))).toMatch('no policy.wasm')
    expect(await refusalOf(await archiveOf(policy))).toBe('it holds no .manifest')
  })

  it.each(['', '{', '[]', 'null', '7', '"text"', '\ufeff{}'])('is refused for the manifest %j', async (text) => {
    expect(await refusalOf(await archiveOf(['.manifest', text], policy))).toMatch(/^its \.manifest /)
  })

  it('is refused for a manifest that is not UTF-8', async () => {
    const bytes = Buffer.from('{"revision":"\xff","roots":["mcp/authz"]}', 'latin1')
    expect(await refusalOf(await archiveOf(['.manifest', bytes], policy))).toBe('its .manifest is not a JSON object')
  })

  it.each([undefined, '', null, 7, ['r1']])('is refused for the revision %j', async (revision) => {
    expect(await refusalOf(await archiveOf(manifest({ revision }), policy))).toMatch('names no revision')
  })

  // With other roots the bundle would own the data that the operator's files hold.
  it.each([undefined, [], [''], ['mcp'], ['mcp/authz/'], ['mcp/authz', 'other'], 'mcp/authz', { 0: 'mcp/authz' }])(
    'is refused for the roots %j',
    async (roots) => {
      expect(await refusalOf(await archiveOf(manifest({ roots }), policy))).toMatch('must have the roots')
    },
  )
})
