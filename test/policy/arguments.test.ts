import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ArgumentLimits, Data } from '../../src/policy/data.gen.ts'
import { buildInput } from '../../src/policy/input.ts'
import { engineOf, itemsOf } from './questions.ts'

const who = { subject: { id: 'u', grants: {}, roles: ['r'] }, virtualServers: [], profile: 'strict' } as const

const text = fc.constantFrom('', '/', '/a', '/a/b', '/a/.', 'b')
const limits: fc.Arbitrary<ArgumentLimits> = fc.record(
  {
    required: fc.constant(true as const),
    absent: fc.constant(true as const),
    enum: fc.subarray(['/a', '/a/b', 'b', 1, 3, true]),
    min: fc.integer({ min: 0, max: 4 }),
    max: fc.integer({ min: 0, max: 4 }),
    prefix: text,
    below: text.filter((folder) => folder !== ''),
    max_length: fc.integer({ min: 0, max: 5 }),
  },
  { requiredKeys: [] },
)
const rule = fc.record(
  {
    values: fc.dictionary(fc.constantFrom('x', 'y'), limits),
    only: fc.subarray(['x', 'y', 'z']),
    annotations: fc.record({ readOnlyHint: fc.boolean() }),
    refused: fc.constant(true as const),
  },
  { requiredKeys: [] },
)
const item = fc.oneof(
  fc.constant('t'),
  fc.record({ name: fc.constant('t'), annotations: fc.record({ readOnlyHint: fc.boolean() }) }),
)

// Of every kind that a rule speaks of, around every bound above; and the argument left out.
const values = [
  undefined,
  null,
  true,
  0,
  1,
  2,
  3,
  4,
  '',
  'a',
  'b',
  '/',
  '/a',
  '/a/',
  '/a/a',
  '/a/.a',
  '/a/b',
  '/a/b/',
  'b/a',
]

it('lists an item if and only if some arguments are allowed', { timeout: 120_000 }, () => {
  const seen = { listed: 0, hidden: 0 }
  const property = fc.property(
    fc.array(rule, { minLength: 1, maxLength: 2 }),
    item,
    ([first = {}, second = {}], tool) => {
      const data: Data = {
        servers: { s: { tools: [tool] } },
        roles: { r: { s: ['tool:*'] } },
        arguments: { s: { 'tool:t': first }, '*': { 'tool:*': second } },
      }
      const engine = engineOf(data)
      const isListed = itemsOf(engine, who)?.length === 1
      const allows = (given: object): boolean =>
        engine.decide(
          buildInput({ ...who, action: 'tools/call', target: { type: 'tool', name: 't', arguments: given } }),
        ).allow
      const isCallable = values.some((x) => values.some((y) => allows(JSON.parse(JSON.stringify({ x, y })))))
      expect(isListed).toBe(isCallable)
      seen[isListed ? 'listed' : 'hidden'] += 1
    },
  )
  fc.assert(property, { numRuns: 150 })
  expect(seen.listed).toBeGreaterThan(10)
  expect(seen.hidden).toBeGreaterThan(10)
})
