// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainOf } from '../../src/config/located.ts'
import { formatProblem } from '../../src/config/problem.ts'
import { maxSourceBytes, parseSource, readSource } from '../../src/config/source.ts'
import { makeDirectory } from './workspace.ts'

function parsed(text: string, file = 'a.yaml'): unknown {
  const parsing = parseSource(file, text)
  if (!parsing.ok) throw new Error(parsing.problems.map(formatProblem).join('\n'))
  return plainOf(parsing.root)
}

function linesOf(text: string, file = 'a.yaml'): string[] {
  const parsing = parseSource(file, text)
  return parsing.ok ? [] : parsing.problems.map(formatProblem)
}

describe('a document', () => {
  it.each(['', '\n', '# nothing\n', '---\n', '~', 'null\n', '\ufeff', '{}'])('may be empty: %j', (text) => {
    expect(parsed(text)).toEqual({})
  })

  it('reads keys as text, whatever they look like', () => {
    expect(parsed('1: a\ntrue: b\nnull: c\n2024-01-01: d\n')).toEqual({
      1: 'a',
      true: 'b',
      null: 'c',
      '2024-01-01': 'd',
    })
  })

  it('reads values by YAML 1.2, also under a directive for 1.1', () => {
    const text = 'a: yes\nb: 010\nc: 0x10\nd: 2024-01-01\ne: ~\nf: 1.5\ng: true\n'
    const value = { a: 'yes', b: 10, c: 16, d: '2024-01-01', e: null, f: 1.5, g: true }
    expect(parsed(text)).toEqual(value)
    expect(parsed(`%YAML 1.1\n---\n${text}`)).toEqual(value)
  })

  it('takes `__proto__`, `constructor` and `<<` as keys like any other', () => {
    const value = parsed('__proto__: {a: 1}\nconstructor: {b: 2}\n<<: {c: 3}\n') as object
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor', '<<'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.getOwnPropertyDescriptor(value, '__proto__')?.value).toEqual({ a: 1 })
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1},"constructor":{"b":2},"<<":{"c":3}}')
  })

  it('may use aliases, also one anchor twice', () => {
    expect(parsed('a: &x [1]\nb: *x\nc: &x [2]\nd: [*x, *x]\n')).toEqual({ a: [1], b: [1], c: [2], d: [[2], [2]] })
  })

  it('is read as JSON reads it, whatever its whitespace', () => {
    const indents = fc.constantFrom(undefined, 1, 4, '\t', ' \t', '\n')
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), indents, (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        expect(JSON.stringify(parsed(text, 'a.json'))).toBe(JSON.stringify(JSON.parse(text)))
      }),
    )
  })

  it('keeps a JSON key of any length', () => {
    const key = 'k'.repeat(5000)
    expect(parsed(JSON.stringify({ [key]: 1 }), 'a.json')).toEqual({ [key]: 1 })
  })
})

const faults: readonly (readonly [name: string, text: string, line: string | RegExp])[] = [
  ['two documents', 'a: 1\n---\nb: 2\n', 'a.yaml:2:1: expected one document; mend: remove `---` and what follows'],
  ['bad indentation', 'a:\n  b: 1\n c: 2\n', /^a\.yaml:3:1: not well-formed YAML: .*; mend: check the indentation/],
  ['an open list', 'a: [1\n', /^a\.yaml:2:1: not well-formed YAML: .*; mend: check/],
  ['an unquoted reference in braces', 'a: {b: ${X}}\n', /^a\.yaml:1:9: not well-formed YAML: .*in quotes$/],
  ['a tag', 'a: !ruby/object x\n', 'a.yaml:1:4: unknown tag; mend: remove the `!tag`'],
  ['a date tag', 'a: !!timestamp 2024-01-01\n', 'a.yaml:1:4: unknown tag; mend: remove the `!tag`'],
  ['a set', 'a: !!set {x}\n', 'a.yaml:1:4: unknown tag; mend: remove the `!tag`'],
  ['a list as key', '? [a]\n: b\n', 'a.yaml:1:3: expected a key that is text; mend: put the key in quotes'],
  ['infinity', 'a: {b: .inf}\n', 'a.yaml:1:8: a.b: expected a number that is finite; mend: write a smaller number'],
  ['a huge number', '{"a": 1e999}', 'a.yaml:1:7: a: expected a number that is finite; mend: write a smaller number'],
  ['half a surrogate pair', 'a: "\\ud800"\n', /^a\.yaml:1:4: a: expected well-formed Unicode; mend: /],
  ['half a surrogate pair in a key', '"\\ud800": 1\n', /^a\.yaml:1:1: a key is not well-formed Unicode; mend: /],
  [
    'an alias before its anchor',
    'a: *x\nb: &x 1\n',
    /^a\.yaml:1:4: a: there is no anchor `x` before this alias; mend: define it/,
  ],
  ['an alias inside its own anchor', 'a: &x [*x]\n', /^a\.yaml:1:8: a\[0\]: there is no anchor `x`/],
]

describe('a document that cannot be used', () => {
  it.each(faults)('says where: %s', (_, text, line) => {
    const [first] = linesOf(text)
    if (typeof line === 'string') expect(first).toBe(line)
    else expect(first).toMatch(line)
  })

  it('says where a key is there twice, in YAML and JSON, at any depth, also `__proto__`', () => {
    const mend = 'mend: remove or rename one of them'
    expect(linesOf('a:\n  b: 1\n  c: 2\n  "b": 3\n')).toEqual([
      `a.yaml:4:3: a.b: the key is there twice, first on line 2; ${mend}`,
    ])
    expect(linesOf('{"a": [{"x": 1,\n "\\u0078": 2}]}', 'a.json')).toEqual([
      `a.json:2:2: a[0].x: the key is there twice, first on line 1; ${mend}`,
    ])
    expect(linesOf('{"__proto__": 1, "__proto__": 2}', 'a.json')).toEqual([
      `a.json:1:18: __proto__: the key is there twice, first on line 1; ${mend}`,
    ])
  })

  it('says each key that is there twice', () => {
    expect(linesOf('a: 1\na: 2\nb: 1\nb: 2\n')).toHaveLength(2)
  })
})

describe('a document that is no JSON or too much', () => {
  it.each(['a: 1', "{'a': 1}", '{"a": 1,}', '{"a": 01}', '// a\n{}', '{"a": "x\ny"}', '{"a": nul}', '{"a": 1} # c'])(
    'is not JSON in a file that says it is: %j',
    (text) => {
      const [line] = linesOf(text, 'a.json')
      expect(line).toMatch(
        /^a\.json:\d+:\d+: (not JSON; mend: mend it, or rename it to `\.yaml`|not well-formed YAML: )/,
      )
    },
  )

  it('may not stand for billions of values by aliases', () => {
    const rows = Array.from({ length: 12 }, (_, row) => `a${row + 1}: &a${row + 1} [${`*a${row}, `.repeat(9)}]`)
    const lines = linesOf(`a0: &a0 [x]\n${rows.join('\n')}\n`)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/: aliases stand for more than 250000 values; mend: write the values/)
  })

  it.each([
    ['lists', `a: ${'['.repeat(101)}${']'.repeat(101)}`],
    ['very many lists', '['.repeat(50_000)],
    ['objects', `${'{"a":'.repeat(102)}1${'}'.repeat(102)}`],
    [
      'aliases',
      Array.from({ length: 102 }, (_, row) => (row === 0 ? 'a0: &a0 [x]' : `a${row}: &a${row} [*a${row - 1}]`)).join(
        '\n',
      ),
    ],
  ])('may not nest too deeply by %s', (_, text) => {
    const lines = linesOf(text)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatch(/: nested (too deeply|in more than 100 levels); mend: nest less$/)
  })

  it('may nest a hundred levels', () => {
    expect(linesOf(`${'['.repeat(100)}${']'.repeat(100)}`)).toEqual([])
  })
})

describe('any text', () => {
  it('that is refused is not shown', () => {
    const secret = 'c3VwZXItc2VjcmV0'
    for (const text of [
      `a: "${secret}`,
      `a: [${secret}`,
      `{"a": ${secret}`,
      `a: b: ${secret}`,
      `a: "\\q${secret}"`,
      `@${secret}`,
    ]) {
      for (const file of ['a.yaml', 'a.json']) expect(linesOf(text, file).join('\n')).not.toContain(secret)
    }
  })

  it('is parsed without throwing', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '\n',
      '  ',
      '&x ',
      '*x',
      '"',
      "'",
      '|',
      '>',
      '!t ',
      '? ',
      '#',
      '---',
      '...',
      '%',
      ',',
      '\t',
      '@',
      '<<',
    )
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 30 }),
        (parts) => {
          const parsing = parseSource('a.yaml', parts.join(''))
          if (!parsing.ok) for (const problem of parsing.problems) expect(problem.line).toBeGreaterThan(0)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a file', () => {
  it('is read as UTF-8, without its byte-order mark', async () => {
    const directory = await makeDirectory({ 'a.yaml': '\ufeffa: ü\n' })
    expect(await readSource(`${directory}/a.yaml`)).toEqual({ ok: true, text: 'a: ü\n' })
  })

  it.each([
    ['absent.yaml', 'no such file'],
    ['a.yaml/b.yaml', 'no such file'],
    ['.', 'expected a file, found a directory'],
    ['latin1.yaml', 'expected text in UTF-8'],
    ['large.yaml', 'larger than 16 MiB'],
  ])('is refused with its name and the mend: %s', async (name, message) => {
    const directory = await makeDirectory({
      'a.yaml': '',
      'latin1.yaml': Uint8Array.of(0x61, 0x3a, 0x20, 0xfc),
      'large.yaml': new Uint8Array(maxSourceBytes + 1),
    })
    const file = `${directory}/${name}`
    expect(await readSource(file)).toMatchObject({
      ok: false,
      problem: { file, message, mend: expect.stringMatching(/./) },
    })
  })

  it('may not be given as too much text either', () => {
    expect(linesOf(`# ${'ü'.repeat(maxSourceBytes / 2)}`)).toEqual([
      'a.yaml:1:1: larger than 16 MiB; mend: split it, or name another file',
    ])
  })
})
