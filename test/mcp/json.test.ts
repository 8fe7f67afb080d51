import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseStrictJson, parseStrictText } from '../../src/mcp/json.ts'

const limits = { maxDepth: 64 }
const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
const codeOf = (text: string, maxDepth = 64): string => {
  const read = parseStrictText(text, { maxDepth })
  return read.ok ? 'read' : read.code
}

/** Every code unit as an escape, so that no key looks as it is spelt. */
const escaped = (text: string): string =>
  `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`

it('never throws, whatever the bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(typeof parseStrictJson(bytes, limits).ok).toBe('boolean')
    }),
  )
})

it('never throws on text made of the characters that steer a parser', () => {
  const steering = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ u0d8e\ud800\udc00-1\n'), maxLength: 40 })
  fc.assert(
    fc.property(steering, (text) => {
      expect(typeof parseStrictText(text, limits).ok).toBe('boolean')
    }),
  )
})

it('gives every JSON value back as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'grapheme' }), (value) => {
      const text = JSON.stringify(value)
      expect(parseStrictJson(encode(text), limits)).toEqual({ ok: true, value: JSON.parse(text), text })
    }),
  )
})

it('gives spaced JSON back as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = ` ${JSON.stringify(value, null, '\t')}\r\n`
      expect(parseStrictText(text, limits)).toMatchObject({ ok: true, text })
    }),
  )
})

it('refuses a key that stands twice, in any spelling, at any place and depth', () => {
  const key = fc.string({ unit: 'grapheme', maxLength: 12 })
  const others = fc.uniqueArray(fc.string({ minLength: 13, maxLength: 15 }), { maxLength: 30 })
  const spelling = fc.constantFrom(escaped, JSON.stringify)
  fc.assert(
    fc.property(key, others, spelling, spelling, fc.nat(30), fc.nat(20), (twice, names, one, two, at, depth) => {
      const members = names.map((name) => `${JSON.stringify(name)}:{"in":[1]}`)
      members.splice(at % (members.length + 1), 0, `${one(twice)}:1`)
      const duplicated = [...members, `${two(twice)} : 2`]
      const nest = (inner: readonly string[]): string =>
        `${'[{"d":'.repeat(depth)}{${inner.join(',')}}${'}]'.repeat(depth)}`
      expect(codeOf(nest(members))).toBe('read')
      expect(codeOf(nest(duplicated))).toBe('body_ambiguous')
    }),
  )
})

it('lets the same key stand in different objects', () => {
  expect(codeOf('[{"a":{"a":[{"a":1},{"a":2}]}},{"a":3}]')).toBe('read')
})

it('does not take a value or an array element for a key', () => {
  expect(codeOf('{"a":"a","b":["a","a","b"],"c":"a"}')).toBe('read')
})

it.each(['__proto__', 'constructor', 'hasOwnProperty', ''])('treats %j as a key like any other', (key) => {
  const name = JSON.stringify(key)
  const read = parseStrictText(`{${name}:{"x":1}}`, limits)
  expect(read.ok && Object.entries(read.value as object)).toEqual([[key, { x: 1 }]])
  expect(codeOf(`{${name}:1,${name}:1}`)).toBe('body_ambiguous')
})

it('refuses a byte-order mark', () => {
  expect(parseStrictJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d), limits)).toMatchObject({
    code: 'body_malformed',
  })
  expect(codeOf('\ufeff{}')).toBe('body_malformed')
})

it.each([
  ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
  ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
  ['a sequence that is cut', [0x22, 0xe2, 0x82, 0x22]],
  ['UTF-16', [0xff, 0xfe, 0x7b, 0, 0x7d, 0]],
  ['nothing', []],
])('refuses %s', (_, bytes) => {
  expect(parseStrictJson(Uint8Array.from(bytes), limits)).toMatchObject({ ok: false, code: 'body_malformed' })
})

it.each(['"\\ud800"', '"\\uDC00\\uD800"', '{"\\udfff":1}', '["a",{"b":"x\\uD83Dy"}]', '"\ud800"', '"\ud83d\\ude00"'])(
  'refuses half of a surrogate pair in %j',
  (text) => {
    expect(codeOf(text)).toBe('body_malformed')
  },
)

it.each(['"\\ud83d\\ude00"', '{"\\uD83D\\uDE00":"😀"}', '"\\\\ud800"'])('accepts %j', (text) => {
  expect(codeOf(text)).toBe('read')
})

it('says malformed where a text is ambiguous too', () => {
  expect(codeOf('{"a":1,"a":2,"b":"\\ud800"}')).toBe('body_malformed')
  expect(codeOf('{"a":1,"a":[[[]]]}', 3)).toBe('body_malformed')
  expect(codeOf('{"a":1,"a":2}}')).toBe('body_malformed')
})

it('counts nested arrays and objects', () => {
  expect(codeOf('1', 0)).toBe('read')
  expect(codeOf('[]', 0)).toBe('body_malformed')
  expect(codeOf('{"a":[{}]}', 3)).toBe('read')
  expect(codeOf('{"a":[{}]}', 2)).toBe('body_malformed')
  expect(codeOf(`[${'[],'.repeat(100)}[]]`, 2)).toBe('read')
})

it('needs no stack for depth', () => {
  const depth = 500_000
  expect(codeOf('['.repeat(depth) + ']'.repeat(depth))).toBe('body_malformed')
  expect(codeOf('{"a":'.repeat(depth))).toBe('body_malformed')
})

it('reads a large body with many keys and long strings', () => {
  const members = Array.from({ length: 40_000 }, (_, at) => `"k${at}":"\\u00e9"`)
  expect(codeOf(`{${members.join(',')}}`)).toBe('read')
  expect(codeOf(`{${members.join(',')},"k7":0}`)).toBe('body_ambiguous')
  expect(codeOf(JSON.stringify({ text: '\\"'.repeat(500_000) }))).toBe('read')
})

it.each([
  ['9007199254740993', '9007199254740993'],
  ['1e400', '1e400'],
  [' -0.10E+2 ', '-0.10E+2'],
  ['"a\\u0062\\"c"', '"a\\u0062\\"c"'],
  ['null', 'null'],
])('gives the source of a member: %s', (id, source) => {
  const text = `{"x":{"id":1},"i\\u0064" :\n${id},"y":[{"id":2}]}`
  expect(parseStrictText(text, { maxDepth: 9, sourceOf: 'id' })).toMatchObject({ source })
})

it('gives no source for a member that is absent, inner, or no scalar', () => {
  for (const text of ['{}', '{"a":{"id":1}}', '[{"id":1}]', '{"id":[1]}', '{"id":{}}', '"id"'])
    expect(parseStrictText(text, { maxDepth: 9, sourceOf: 'id' })).not.toHaveProperty('source')
})
