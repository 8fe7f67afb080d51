import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byCodePoint } from '../../src/policy/code-point.ts'
import { buildInput } from '../../src/policy/input.ts'
import { engineOf, nobody } from './questions.ts'

const points = (text: string): number[] => [...text].map((letter) => letter.codePointAt(0) ?? 0)

function compared(a: string, b: string): number {
  const [x, y] = [points(a), points(b)]
  const at = x.findIndex((point, i) => point !== y[i])
  return at === -1 || y[at] === undefined ? x.length - y.length : (x[at] ?? 0) - y[at]
}

describe('the order by code point', () => {
  it('is that of the code points of well-formed strings, astral ones above all others', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', '\uffff', '\ue000', '\u{10000}', '\u{10ffff}'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
      maxLength: 4,
    })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(byCodePoint(a, b))).toBe(Math.sign(compared(a, b)))
      }),
      { numRuns: 10_000 },
    )
    expect('\u{10000}' < '\uffff').toBe(true)
    expect(byCodePoint('\u{10000}', '\uffff')).toBeGreaterThan(0)
  })

  it('orders the names and servers of capabilities', () => {
    const names = ['z', 'a', '\u{1f600}', '\uffee', 'Z', '\u{10ffff}', '\ue000', 'aa', 'é', '10', '9']
    const sorted = ['10', '9', 'Z', 'a', 'aa', 'z', 'é', '\ue000', '\uffee', '\u{1f600}', '\u{10ffff}']
    const ids = names.filter((name) => !/^\d/.test(name))
    const engine = engineOf({
      servers: Object.fromEntries(ids.map((id, i) => [id, { prefix: `p${i}_`, tools: names, prompts: names }])),
      roles: { admin: { '*': ['tool:*', 'prompt:*'] } },
    })
    const asker = { ...nobody, subject: { id: 'admin', grants: {}, roles: ['admin'] } }
    const input = buildInput({ ...asker, action: 'tools/list', target: { type: 'server' } })
    const { tools = {}, prompts = {} } = engine.capabilities(input) ?? {}
    expect(Object.keys(tools)).toEqual(sorted.filter((name) => !/^\d/.test(name)))
    for (const list of [...Object.values(tools), ...Object.values(prompts)]) expect(list).toEqual(sorted)
  })
})
