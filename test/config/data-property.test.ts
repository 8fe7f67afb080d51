import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseData } from '../../src/config/data.ts'
import { locate, merge, plainOf } from '../../src/config/located.ts'
import type { Data } from '../../src/policy/data.gen.ts'

function data(...texts: readonly string[]): Data {
  return parseData(texts.map((text, index) => ({ file: `${'abc'[index]}.yaml`, text })))
}

const name = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'a', '*', 'team/x', 'null', '1'),
  fc.string({ unit: 'grapheme', minLength: 1 }),
)
const word = fc.string({ unit: 'grapheme', minLength: 1 })
const itemNamed = (text: fc.Arbitrary<string>) =>
  fc.oneof(
    text,
    fc.record(
      {
        name: text,
        tags: fc.array(fc.string({ unit: 'grapheme' })),
        annotations: fc.dictionary(name, fc.jsonValue({ maxDepth: 3 })),
      },
      { requiredKeys: ['name'] },
    ),
  )
const templates = fc.constantFrom('x://{a}', 'x://{+a}{?b,c}', 'x://y', '{#f.g}')
const server = fc.record(
  {
    state: fc.constantFrom('Enabled', 'Disabled'),
    tools: fc.array(itemNamed(word)),
    prompts: fc.array(itemNamed(word)),
    resources: fc.array(itemNamed(word)),
    templates: fc.array(itemNamed(templates)),
  },
  { requiredKeys: [] },
)
const patterns = fc.array(
  fc.oneof(
    fc.tuple(fc.constantFrom('tool', 'prompt', 'resource'), word).map(([type, rest]) => `${type}:${rest}`),
    fc.constantFrom('template:*', 'template:x{*', 'template:x://{a}'),
  ),
)
const scope = fc.oneof(fc.constantFrom('__proto__', 'mcp:tools', "!#[]~'"), fc.stringMatching(/^[!#-[\]-~]+$/))
const anyData = fc.record(
  {
    servers: fc.dictionary(name, server, { maxKeys: 4 }),
    virtual_servers: fc.dictionary(
      name,
      fc.record({ tools: fc.array(word), templates: fc.array(templates) }, { requiredKeys: [] }),
      { maxKeys: 3 },
    ),
    roles: fc.dictionary(name, fc.dictionary(name, patterns, { maxKeys: 3 }), { maxKeys: 3 }),
    groups: fc.dictionary(name, fc.array(word), { maxKeys: 3 }),
    scopes: fc.dictionary(scope, fc.dictionary(name, patterns, { maxKeys: 3 }), { maxKeys: 3 }),
    settings: fc.record(
      { catalogue: fc.constantFrom('closed', 'open'), unprefixed_roles: fc.boolean() },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
)

describe('any data of the right shape', () => {
  it('survives unchanged, as JSON in a YAML and in a JSON file', () => {
    fc.assert(
      fc.property(
        anyData,
        fc.constantFrom('a.yaml', 'a.json'),
        fc.constantFrom(undefined, 2, '\t'),
        (value, file, indent) => {
          const text = JSON.stringify(value, undefined, indent)
          expect(JSON.stringify(parseData([{ file, text }]))).toBe(JSON.stringify(JSON.parse(text)))
        },
      ),
    )
  })

  it('is unchanged by merging it with itself or with nothing', () => {
    fc.assert(
      fc.property(anyData, (value) => {
        const text = JSON.stringify(value)
        const once = JSON.stringify(data(text))
        expect(JSON.stringify(data(text, text))).toBe(once)
        expect(JSON.stringify(data(text, ''))).toBe(once)
        expect(JSON.stringify(data('', text))).toBe(once)
      }),
    )
  })
})

describe('merging', () => {
  // Upper-case keys hold objects and lower-case ones do not, so that one key never is an object here and a list there.
  const { tree } = fc.letrec<{ tree: Record<string, unknown> }>((tie) => ({
    tree: fc
      .tuple(
        fc.dictionary(
          fc.constantFrom('a', 'b', '__proto__', 'constructor'),
          fc.oneof(fc.integer(), fc.array(fc.integer()), fc.constant(null)),
          { maxKeys: 3 },
        ),
        fc.dictionary(fc.constantFrom('A', 'B'), fc.oneof({ maxDepth: 3 }, fc.constant({}), tie('tree')), {
          maxKeys: 2,
        }),
      )
      .map(([leaves, branches]) => Object.fromEntries([...Object.entries(leaves), ...Object.entries(branches)])),
  }))

  it('is associative for objects', () => {
    fc.assert(
      fc.property(tree, tree, tree, (a, b, c) => {
        const [x, y, z] = [locate(a), locate(b), locate(c)]
        expect(JSON.stringify(plainOf(merge(merge(x, y), z)))).toBe(JSON.stringify(plainOf(merge(x, merge(y, z)))))
      }),
    )
  })

  it('holds every key of both and the later value', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const merged = plainOf(merge(locate(a), locate(b))) as Record<string, unknown>
        expect(new Set(Object.keys(merged))).toEqual(new Set([...Object.keys(a), ...Object.keys(b)]))
        for (const key of Object.keys(b)) if (/[a-z]/.test(key)) expect(merged[key]).toEqual(b[key])
      }),
    )
  })
})
