import { describe, expect, it } from 'vitest'
import { readBundle } from '../../src/bundle/bundle.ts'
import { validatorOf } from '../../src/config/schema.ts'
import type { Capabilities, Verdict } from '../../src/policy/decision.gen.ts'
import { createEngine, type EngineOptions } from '../../src/policy/engine.ts'
import { PolicyError } from '../../src/policy/errors.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { buildInput } from '../../src/policy/input.ts'
import { loadWasmPolicy } from '../../src/policy/opa-wasm.ts'
import { buildPolicy, opa, rulesWith } from '../bundle/built-policy.ts'
import { bundle, nobody } from './questions.ts'

const yes = (_value: unknown): _value is never => true
const checks = { verdict: yes, capabilities: yes }
const ours: EngineOptions = { wasm: bundle.wasm, revision: 'r', data: {}, checks }
const call = buildInput({ ...nobody, action: 'tools/call', target: { type: 'tool', name: 'x' } })

/** The code and text of the PolicyError that making an engine ends in. */
function refusalOf(change: Partial<EngineOptions>): string {
  try {
    createEngine({ ...ours, ...change })
  } catch (thrown) {
    if (thrown instanceof PolicyError) return `${thrown.code}: ${thrown.message}`
    throw thrown
  }
  return 'none'
}

/** The module with every occurrence of a text replaced by one of the same length. */
function patched(from: string, to: string): Uint8Array {
  const bytes = Buffer.from(bundle.wasm)
  let at = bytes.indexOf(from)
  expect(at, `${from} is in the module`).toBeGreaterThan(-1)
  for (; at !== -1; at = bytes.indexOf(from, at + 1)) bytes.write(to, at)
  return bytes
}

describe('a module this host cannot run', () => {
  const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

  it.each<readonly [string, Uint8Array]>([
    ['no bytes', new Uint8Array()],
    ['bytes that are no module', new TextEncoder().encode('not a module')],
    ['a module cut short', bundle.wasm.slice(0, 5000)],
    ['a module without anything', empty],
  ])('is refused: %s', (_, wasm) => {
    expect(refusalOf({ wasm })).toMatch(/^bundle_unusable: ./)
  })

  it('is refused where an entrypoint is missing', () => {
    const refusal = refusalOf({ wasm: patched('mcp/authz/visible', 'mcp/authz/invisib') })
    expect(refusal).toBe('bundle_unusable: the policy has no entrypoint mcp/authz/visible')
  })

  it('is refused where it does not say which ABI it has', () => {
    const refusal = refusalOf({ wasm: patched('opa_wasm_abi_minor_version', 'opa_wasm_abi_minor_versioX') })
    expect(refusal).toBe('bundle_unusable: the policy has ABI 1.?, this host needs 1.3')
  })

  it('is refused where it imports what the host does not give', () => {
    expect(refusalOf({ wasm: patched('opa_builtin3', 'opa_builtinX') })).toMatch(/^bundle_unusable: /)
  })
})

describe('the bytes of a module', () => {
  it('may stand in the middle of a larger buffer', () => {
    const all = Buffer.concat([Buffer.from('before'), bundle.wasm, Buffer.from('after')])
    const wasm = all.subarray(6, 6 + bundle.wasm.length)
    expect(createEngine({ ...ours, wasm }).decide(call).allow).toBe(false)
  })
})

describe('memory', () => {
  const megabyte = 1 << 20
  const tools = Array.from({ length: 20_000 }, (_, i) => `tool-number-${i}`)

  it('is capped: data that does not fit is a PolicyError', () => {
    expect(refusalOf({ data: { servers: { s: { tools } } }, maxMemoryBytes: 4 * megabyte })).toMatch(
      /^evaluation_failed: /,
    )
    expect(refusalOf({ maxMemoryBytes: 65_536 })).toMatch(/^bundle_unusable: /)
    expect(refusalOf({ maxMemoryBytes: 0 })).toMatch(/^bundle_unusable: /)
  })

  it('is capped: an input that does not fit is a PolicyError, and the next one is decided', () => {
    const data = { servers: { s: { tools: ['x'] } } }
    const engine = createEngine({ ...ours, data, maxMemoryBytes: 4 * megabyte })
    const large = { ...call, resource: { type: 'tool', name: 'x'.repeat(8 * megabyte) } } as Input
    for (let round = 0; round < 3; round += 1) {
      expect(() => engine.decide(large)).toThrow(PolicyError)
      expect(engine.decide(call).reasons).toMatchObject([{ code: 'role_missing' }])
    }
  })

  it('takes ten thousand tools', () => {
    const engine = createEngine({ ...ours, data: { servers: { s: { tools: tools.slice(0, 10_000) } } } })
    expect(engine.decide({ ...call, resource: { type: 'tool', name: 'tool-number-9999' } }).reasons).toMatchObject([
      { code: 'role_missing' },
    ])
  })
})

describe('a policy', () => {
  it('knows its entrypoints by name, own names alone', () => {
    const policy = loadWasmPolicy(bundle.wasm, 0, 1 << 26)
    expect(Object.keys(policy.entrypoints).sort()).toEqual([
      'mcp/authz/capabilities',
      'mcp/authz/decision',
      'mcp/authz/index',
      'mcp/authz/visible',
    ])
    expect(() => policy.evaluate({}, 99)).toThrow(PolicyError)
    expect(() => policy.evaluate({}, -1)).toThrow(PolicyError)
  })
})

describe.runIf(opa !== undefined)('a policy that OPA compiled for somebody else', { timeout: 30_000 }, () => {
  async function wasmOf(changes: Parameters<typeof rulesWith>[0], asked?: readonly string[]): Promise<Uint8Array> {
    return (await readBundle(await buildPolicy(rulesWith(changes), asked))).wasm
  }

  it('is refused where it needs a builtin, also one that the SDK has', async () => {
    for (const [name, expression] of [
      ['time.now_ns', 'time.now_ns()'],
      ['sprintf', 'sprintf("%d", [input.n])'],
    ] as const) {
      const wasm = await wasmOf({ visible: `visible := [${expression}]` })
      expect(refusalOf({ wasm })).toBe(`bundle_unusable: the policy needs builtins this host lacks: ${name}`)
    }
  })

  it('is refused where it was built without an entrypoint', async () => {
    expect(refusalOf({ wasm: await wasmOf({}, ['decision', 'capabilities', 'index']) })).toBe(
      'bundle_unusable: the policy has no entrypoint mcp/authz/visible',
    )
  })

  it('ends in a PolicyError where its answers have another shape, are undefined or conflict', async () => {
    const wasm = await wasmOf({
      decision: 'decision := {"allow": true}',
      capabilities: 'capabilities := {"tools": {"s": []}, "prompts": {}, "resources": {}, "templates": {}}',
      visible: 'visible := [1]',
    })
    const engine = createCheckedEngine(wasm)
    expect(() => engine.decide(call)).toThrow(
      new PolicyError('evaluation_failed', 'the decision does not fit its schema'),
    )
    expect(() => engine.capabilities(call)).toThrow(
      new PolicyError('evaluation_failed', 'the capabilities do not fit their schema'),
    )
    expect(() => engine.visible(call)).toThrow(new PolicyError('evaluation_failed', 'the visible names are not a list'))

    const torn = createCheckedEngine(
      await wasmOf({
        decision: 'decision := true if input.context.profile\n\ndecision := false if input.resource.name',
        visible: 'visible := [] if false',
      }),
    )
    expect(() => torn.decide(call)).toThrow(/conflict/)
    expect(() => torn.decide(call)).toThrow(PolicyError)
    expect(() => torn.visible(call)).toThrow(PolicyError)
  })

  it.each([
    ['allowed with reasons', '{"allow": true, "reasons": [{"code": "role_missing"}], "resource": {"type": "tool"}}'],
    ['denied without reasons', '{"allow": false, "reasons": [], "resource": {"type": "tool"}}'],
    ['allowed by a word', '{"allow": "true", "reasons": [], "resource": {"type": "tool"}}'],
    ['a reason nobody knows', '{"allow": false, "reasons": [{"code": "because"}], "resource": {"type": "tool"}}'],
    ['a set of its own', '{"allow": true, "reasons": [], "resource": {"type": "tool"}, "also": 1}'],
  ])('gives no decision that is %s', async (_, decision) => {
    const engine = createCheckedEngine(await wasmOf({ decision: `decision := ${decision}` }))
    expect(() => engine.decide(call)).toThrow(PolicyError)
  })
})

/** An engine that was never tried out, with the real checks of its answers. */
function createCheckedEngine(wasm: Uint8Array) {
  const verdict = validatorOf<Verdict>('decision', 'verdict')
  const capabilities = validatorOf<Capabilities>('decision', 'capabilities')
  return createEngine({
    wasm,
    revision: 'r',
    data: {},
    checks: {
      verdict: (value): value is Verdict => verdict(value),
      capabilities: (value): value is Capabilities => capabilities(value),
    },
  })
}
