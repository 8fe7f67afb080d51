import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Scope } from '../../src/authorizer/verdicts.ts'
import { createVisibleNames, type ListQuestion } from '../../src/authorizer/visible-names.ts'
import { loadEngine } from '../../src/engine.ts'
import type { Subject } from '../../src/identity/subject.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Engine } from '../../src/policy/engine.ts'

const data: Data = {
  servers: { s: { prefix: 's_', tools: ['a', 'b'], resources: ['r://1'] }, t: { tools: ['a', 's_c'] } },
  virtual_servers: { v: { tools: ['s_a'] } },
  roles: { r: { s: ['tool:*', 'resource:*'] } },
}
const subjects: readonly Subject[] = [
  { id: 'u', grants: {}, roles: ['r'] },
  { id: 'u', grants: {}, roles: [] },
  { id: 'u', grants: { t: ['tool:a'] }, roles: [], virtualServer: 'v' },
]

function counting(engine: Engine): { readonly engine: Engine; readonly asked: () => number } {
  let count = 0
  const visible: Engine['visible'] = (input) => {
    count += 1
    return engine.visible(input)
  }
  return { engine: { ...engine, visible }, asked: () => count }
}

function scopeOf(subject: Subject, virtualServers: readonly string[] = []): Scope {
  return { subject, virtualServers, profile: 'strict' }
}

const tools = (...names: readonly string[]): ListQuestion => ({ type: 'tool', names })

describe('names that may be seen', () => {
  it('are those of the engine, in the order of the list, whatever was asked before', async () => {
    const engine = await loadEngine({ data })
    const seeNames = createVisibleNames()
    const asked = fc.record({
      subject: fc.constantFrom(...subjects),
      virtualServers: fc.constantFrom([], ['v'], ['nobody']),
      type: fc.constantFrom('tool' as const, 'resource' as const),
      server: fc.constantFrom(undefined, 's', 't'),
      names: fc.uniqueArray(fc.constantFrom('s_a', 's_b', 's_c', 'a', 'b', 'r://1', 'nothing')),
    })
    const property = fc.property(asked, ({ subject, virtualServers, ...list }) => {
      const scope = scopeOf(subject, virtualServers)
      expect(seeNames(engine, scope, list)).toEqual(createVisibleNames()(engine, scope, list))
    })
    fc.assert(property, { numRuns: 2000 })
    expect(seeNames(engine, scopeOf(subjects[0] as Subject), tools('s_b', 'x', 's_a'))).toEqual(['s_b', 's_a'])
  })

  it('are asked for once for the same list of the same subject, and again for any other', async () => {
    const { engine, asked } = counting(await loadEngine({ data }))
    const seeNames = createVisibleNames()
    const [subject, other] = subjects as readonly [Subject, Subject]
    for (let at = 0; at < 3; at += 1) expect(seeNames(engine, scopeOf(subject), tools('s_a', 'a'))).toEqual(['s_a'])
    expect(asked()).toBe(1)
    expect(seeNames(engine, scopeOf(other), tools('s_a', 'a'))).toEqual([])
    expect(seeNames(engine, scopeOf(subject), tools('a', 's_a'))).toEqual(['s_a'])
    expect(seeNames(engine, scopeOf({ ...subject }), tools('s_a', 'a'))).toEqual(['s_a'])
    expect(seeNames(engine, scopeOf(subject, ['nobody']), tools('s_a', 'a'))).toEqual([])
    expect(asked()).toBe(5)
  })

  it('are asked for again under another revision', async () => {
    const seeNames = createVisibleNames()
    const [subject] = subjects as readonly [Subject]
    const before = counting(await loadEngine({ data }))
    const after = counting(await loadEngine({ data: { ...data, roles: {} } }))
    expect(seeNames(before.engine, scopeOf(subject), tools('s_a'))).toEqual(['s_a'])
    expect(seeNames(after.engine, scopeOf(subject), tools('s_a'))).toEqual([])
    expect([before.asked(), after.asked()]).toEqual([1, 1])
  })
})
