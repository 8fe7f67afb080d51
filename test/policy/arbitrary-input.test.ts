import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PolicyError } from '../../src/policy/errors.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { engineOf } from './questions.ts'

const engine = engineOf({
  servers: { s: { prefix: 's_', tools: ['a', 'b'], resources: ['r://1'], templates: ['r://{id}'] } },
  roles: { admin: { '*': ['tool:*', 'resource:*', 'template:*'] } },
  groups: { staff: ['admin'] },
  scopes: { read: { '*': ['tool:*'] } },
  virtual_servers: { v: { tools: ['s_a'] } },
})

// Nothing that a fuzzer makes up holds a role or a grant, since the words of this data are not among its letters.
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
})
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', '__proto__', '', '*', 's'))
const almostInput = fc.record(
  {
    subject: fc.oneof(
      anything,
      fc.record({ id: text, grants: fc.dictionary(text, anything), roles: fc.array(text) }),
      fc.record({ id: text, groups: anything, scopes: anything, withdrawn_roles: anything, limits: anything }),
    ),
    action: fc.oneof(anything, fc.record({ name: fc.oneof(text, fc.constantFrom('tools/call', 'resources/read')) })),
    resource: fc.oneof(
      anything,
      fc.record(
        {
          type: fc.oneof(text, fc.constantFrom('tool', 'resource', 'template')),
          server: text,
          name: text,
          names: anything,
        },
        { requiredKeys: [] },
      ),
    ),
    context: fc.oneof(anything, fc.record({ profile: text, virtual_servers: fc.oneof(anything, fc.array(text)) })),
  },
  { requiredKeys: [] },
)

it('throws a PolicyError or denies, whatever the input is', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.oneof(anything, almostInput), (value) => {
      const input = value as Input
      for (const question of [
        () => engine.decide(input).allow,
        () => Object.values(engine.capabilities(input) ?? {}).some((servers) => Object.keys(servers).length > 0),
        () => engine.visible(input).length > 0,
      ]) {
        expect(isRefused(question)).toBe(true)
      }
    }),
    { numRuns: 10_000 },
  )
})

function isRefused(question: () => boolean): boolean {
  try {
    return !question()
  } catch (thrown) {
    if (thrown instanceof PolicyError) return thrown.code === 'evaluation_failed' && thrown.message !== ''
    throw thrown
  }
}
