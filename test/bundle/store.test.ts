import { describe, expect, it } from 'vitest'
import { readBundle } from '../../src/bundle/bundle.ts'
import type { Store } from '../../src/bundle/store.ts'
import { createCheckedStore } from '../../src/engine.ts'
import { PolicyError } from '../../src/policy/errors.ts'
import { buildInput } from '../../src/policy/input.ts'
import { bundle, decideCall, nobody } from '../policy/questions.ts'
import { buildPolicy, denyAll, opa, rulesWith } from './built-policy.ts'

const good = { servers: { s: { tools: ['a'] } }, roles: { all: { s: ['tool:*'] } } }
const alice = { ...nobody, subject: { id: 'alice', grants: {}, roles: ['all'] } }

/** A store that serves the real policy over the good data. */
function serving(): Store {
  const store = createCheckedStore()
  store.replace(bundle, good)
  return store
}

function calls(store: Store, name: string): boolean | undefined {
  const engine = store.current()
  return engine === undefined ? undefined : decideCall(engine, alice, 'tool', name).allow
}

describe('the store', () => {
  it('is empty at first, and stays so when the first engine is refused', () => {
    const store = createCheckedStore()
    expect(store.current()).toBeUndefined()
    expect(() => store.replace({ revision: 'r', wasm: new Uint8Array() }, good)).toThrow(PolicyError)
    expect(store.current()).toBeUndefined()
  })

  it('serves other data from one call to the next, while who took the old engine keeps it', () => {
    const store = serving()
    const old = store.current()
    expect(calls(store, 'b')).toBe(false)
    const next = store.replace(bundle, { ...good, servers: { s: { tools: ['b'] } } })
    expect(store.current()).toBe(next)
    expect([calls(store, 'a'), calls(store, 'b')]).toEqual([false, true])
    expect(old !== undefined && decideCall(old, alice, 'tool', 'a').allow).toBe(true)
    expect(old?.revision).not.toBe(next.revision)
  })

  it('names one revision for the same policy and data, another for any change of either', () => {
    const revision = (id: string, data: object) =>
      createCheckedStore().replace({ ...bundle, revision: id }, data).revision
    expect(revision('r', good)).toBe(revision('r', structuredClone(good)))
    expect(
      new Set([revision('r', good), revision('q', good), revision('r', {}), revision('r', { servers: {} })]).size,
    ).toBe(4)
  })

  it('goes on serving when a bundle or data cannot be used', () => {
    const store = serving()
    const before = store.current()
    const halfOfPair = { servers: { s: { tools: ['\ud800'] } } }
    for (const [wasm, data] of [
      [new Uint8Array(), good],
      [bundle.wasm.slice(0, 1000), good],
      [bundle.wasm, halfOfPair],
    ] as const) {
      expect(() => store.replace({ revision: 'bad', wasm }, data)).toThrow(PolicyError)
      expect(store.current()).toBe(before)
      expect(calls(store, 'a')).toBe(true)
    }
  })
})

describe.runIf(opa !== undefined)('a policy that is tried out', { timeout: 30_000 }, () => {
  const allow = 'decision := {"allow": true, "reasons": [], "resource": {"type": "tool"}}'

  it.each([
    ['allows everything', { decision: allow }, 'it allows a call that nothing grants'],
    [
      'allows what is no tool, and denies lists',
      { decision: `default ${denyAll.decision}\n\n${allow} if input.resource.type == "tool"` },
      'it allows a call that nothing grants',
    ],
    ['has no capabilities', { capabilities: 'capabilities := {} if false' }, 'its capabilities are undefined'],
    [
      'gives capabilities to anybody',
      { capabilities: 'capabilities := {"tools": {"s": ["a"]}, "prompts": {}, "resources": {}, "templates": {}}' },
      'it gives capabilities to a subject without any grant',
    ],
    ['answers in another shape', { decision: 'decision := true' }, 'the decision does not fit its schema'],
    ['answers nothing', { decision: 'decision := true if false' }, 'the decision does not fit its schema'],
    ['has no index', { index: 'index := {} if false' }, 'the index of the catalogue is undefined'],
  ])('is refused where it %s', async (_, changes, message) => {
    const store = serving()
    const before = store.current()
    const foreign = await readBundle(await buildPolicy(rulesWith(changes)))
    expect(() => store.replace(foreign, good)).toThrow(message)
    expect(() => store.replace(foreign, good)).toThrow(PolicyError)
    expect(store.current()).toBe(before)
    expect(calls(store, 'a')).toBe(true)
  })

  it('is put in place where it denies', async () => {
    const store = serving()
    const engine = store.replace(await readBundle(await buildPolicy(rulesWith({}))), good)
    expect(engine.revision).toMatch(/^foreign\+/)
    const input = buildInput({ ...alice, action: 'tools/call', target: { type: 'tool', name: 'a' } })
    expect(store.current()?.decide(input).allow).toBe(false)
  })
})
