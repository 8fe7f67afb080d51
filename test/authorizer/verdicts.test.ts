import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVerdicts, type SubjectQuestion } from '../../src/authorizer/verdicts.ts'
import { loadEngine } from '../../src/engine.ts'
import type { Subject } from '../../src/identity/subject.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Engine } from '../../src/policy/engine.ts'
import { buildInput } from '../../src/policy/input.ts'

const data: Data = {
  servers: { s: { prefix: 's_', tools: ['a', 'b'], resources: ['r://1'] }, t: { tools: ['a', 's_b'] } },
  virtual_servers: { v: { tools: ['s_a'] } },
  roles: { r: { s: ['tool:*'] } },
}

const subjects: readonly Subject[] = [
  { id: 'u', grants: {}, roles: ['r'] },
  { id: 'u', grants: {}, roles: [] },
  { id: 'u', grants: { t: ['tool:a'] }, roles: [], virtualServer: 'v' },
  { id: 'u', grants: {}, roles: ['r'], virtualServer: null },
]

function counting(engine: Engine): { engine: Engine; asked: () => number } {
  let count = 0
  const decide: Engine['decide'] = (input) => {
    count += 1
    return engine.decide(input)
  }
  return { engine: { ...engine, decide }, asked: () => count }
}

function call(subject: Subject, name: string, more: Partial<SubjectQuestion> = {}): SubjectQuestion {
  const target = { type: 'tool', name } as const
  return { subject, action: 'tools/call', target, virtualServers: [], profile: 'strict', ...more }
}

const question = fc
  .record({
    subject: fc.constantFrom(...subjects),
    name: fc.constantFrom('s_a', 's_b', 'a', 'b', 'nothing'),
    server: fc.constantFrom(undefined, 's', 't', 'ghost'),
    virtualServers: fc.constantFrom<(string | null)[]>([], ['v'], ['v', 'v'], [null], ['null'], ['nobody']),
    profile: fc.constantFrom('strict' as const, 'kuadrant' as const),
  })
  .map(({ subject, name, ...more }) => call(subject, name, more))

describe('remembered verdicts', () => {
  it('are those of the engine, whatever was asked before', async () => {
    const engine = await loadEngine({ data })
    const decide = createVerdicts()
    const property = fc.property(question, (asked) => {
      expect(decide(engine, asked)).toEqual(engine.decide(buildInput(asked)))
    })
    fc.assert(property, { numRuns: 10_000 })
  })

  it('are asked for once, from the second time on that a subject is met', async () => {
    const { engine, asked } = counting(await loadEngine({ data }))
    const decide = createVerdicts()
    const [subject] = subjects
    for (let i = 0; i < 5; i += 1) decide(engine, call(subject as Subject, 's_a'))
    expect(asked()).toBe(2)
  })

  it('are of one credential, not of everybody with the same subject', async () => {
    const engine = await loadEngine({ data })
    const decide = createVerdicts()
    const answers = [0, 1, 0, 1, 0, 1].map((i) => decide(engine, call(subjects[i] as Subject, 's_a')).allow)
    expect(answers).toEqual([true, false, true, false, true, false])
  })

  it('end with the revision', async () => {
    const before = await loadEngine({ data })
    const after = await loadEngine({ data: { ...data, roles: {} } })
    const decide = createVerdicts()
    const asked = call(subjects[0] as Subject, 's_a')
    expect([before, before, after].map((engine) => decide(engine, asked).allow)).toEqual([true, true, false])
  })

  it('are not kept for names of any length', async () => {
    const { engine, asked } = counting(await loadEngine({ data }))
    const decide = createVerdicts()
    for (let i = 0; i < 4; i += 1) decide(engine, call(subjects[0] as Subject, 'x'.repeat(2000)))
    expect(asked()).toBe(4)
  })

  it('cannot be changed by who gets them', async () => {
    const engine = await loadEngine({ data })
    const decide = createVerdicts()
    const asked = call(subjects[0] as Subject, 's_a')
    decide(engine, asked)
    const { resource } = decide(engine, asked)
    expect(() => Object.assign(resource, { name: 'other' })).toThrow(TypeError)
  })
})
