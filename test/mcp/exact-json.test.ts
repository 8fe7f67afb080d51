import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { definitionDigest } from '../../src/mcp/definition.ts'
import { parseExact, withPlainNumbers } from '../../src/mcp/exact-json.ts'
import { type Filter, filteredJson, rewriter } from '../../src/mcp/list-filter.ts'

const all: Filter = {
  visible: async (_, names) => names,
  maxTtlMs: undefined,
  rpcId: { text: '1' },
  brokerTool: undefined,
}

/** The sources of all numbers of a text, in order. */
function numbersOf(text: string): readonly string[] {
  const inStrings = /"(?:[^"\\]|\\.)*"/g
  return [...text.replace(inStrings, '""').matchAll(/-?\d[-+.\deE]*/g)].map(([source]) => source)
}

async function filtered(text: string, filter: Filter = all): Promise<string> {
  return (await filteredJson(Buffer.from(text), filter)) ?? 'unreadable'
}

const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^[0-9]{1,${maxLength}}$`))
const whole = fc.oneof(fc.bigInt(), fc.constant(-0n), fc.bigInt({ min: -300n, max: 300n })).map(String)
const source = fc.oneof(
  whole,
  fc.tuple(whole, digits(20)).map(([start, fraction]) => `${start}.${fraction}`),
  fc.tuple(whole, fc.constantFrom('e', 'E'), fc.constantFrom('', '-', '+'), digits(3)).map((parts) => parts.join('')),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  fc.constantFrom('-0', '-0.5', '0.50', '1e400', '9007199254740993', '9223372036854775807', '100'),
)
const blank = fc.constantFrom('', '', ' ', '\n\t', '\r\n')
const word = fc.oneof(fc.string(), fc.constantFrom(': 1.0', '__proto__', 'rawJSON', '[1e400', '\\":9007199254740993,'))

// Objects put keys that look like indices first, whatever the order in the text.
const key = word.filter((text) => !/^\d+$/.test(text))

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    source,
    word.map((text) => JSON.stringify(text)),
    fc
      .tuple(blank, fc.array(tie('value'), { maxLength: 3 }))
      .map(([gap, values]) => `[${gap}${values.join(`${gap},`)}]`),
    fc
      .tuple(blank, fc.uniqueArray(fc.tuple(key, tie('value')), { maxLength: 3, selector: ([name]) => name }))
      .map(([gap, members]) => `{${members.map(([name, of]) => `${gap}${JSON.stringify(name)}:${gap}${of}`).join()}}`),
  ),
}))

describe('an answer in which nothing is hidden', () => {
  it('has every number as it stood there', async () => {
    const answer = fc.record({ id: source, ttlMs: digits(25), first: value, second: value, beside: value })
    await fc.assert(
      fc.asyncProperty(answer, async ({ id, ttlMs, first, second, beside }) => {
        const ttl = String(BigInt(ttlMs))
        const tools = `[{"name":"a","inputSchema":${first}},{"name":"b","x":${second}}]`
        const text = `{"jsonrpc":"2.0","id": ${id},"result":{"ttlMs":${ttl},"tools":${tools},"x":${beside}}}`
        const answered = await filtered(text)
        expect(numbersOf(answered)).toEqual(numbersOf(text))
        expect(JSON.parse(answered)).toEqual({
          ...JSON.parse(text),
          result: { ...JSON.parse(text).result, cacheScope: 'private' },
        })
        expect(numbersOf(await rewriter(all)(text))).toEqual(numbersOf(text))
      }),
    )
  })

  it.each([
    ['{"jsonrpc":"2.0","id":9007199254740993,"result":{"tools":[]}}'],
    ['{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","inputSchema":{"maximum":9223372036854775807}}]}}'],
    ['{"jsonrpc":"2.0","id":1,"result":{"prompts":[{"name":"a","b":[1e400,-0,1.0,1E5]}]}}'],
    ['[{"jsonrpc":"2.0","id":18446744073709551615,"result":{"tools":[]}}]'],
  ])('is the same text: %s', async (text) => {
    expect(await filtered(text)).toBe(text)
  })

  it('names tools in text whose numbers stay as well', async () => {
    const text = '{"tools":[{"name":"a","n":9007199254740993}],"n":[1.0]}'
    const result = { content: [{ type: 'text', text }], structuredContent: 'N' }
    const structured = '{"tools":["a"],"n":9007199254740993}'
    const answer = JSON.stringify({ jsonrpc: '2.0', id: 1, result }).replace('"N"', structured)
    expect(await filtered(answer, { ...all, brokerTool: 'discover_tools' })).toBe(answer)
  })
})

describe('a number that is kept as it stood', () => {
  it('is no item, no list, no result and no answer', async () => {
    const big = '9007199254740993'
    expect(await filtered(`{"jsonrpc":"2.0","id":1,"result":{"tools":[${big},{"name":${big}}]}}`)).toBe(
      '{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}',
    )
    expect(await filtered(`{"jsonrpc":"2.0","id":1,"result":{"tools":${big}}}`)).toContain('"tools":[]')
    expect(await filtered(`{"jsonrpc":"2.0","id":1,"result":${big}}`)).not.toContain(big)
    expect(await filtered(big)).toBe('unreadable')
    const broker = { ...all, brokerTool: 'discover_tools' }
    const number = `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"${big}"}]}}`
    expect(await filtered(number, broker)).toBe('unreadable')
  })

  it.each([
    ['60000.0', '60000.0'],
    ['1e2', '1e2'],
    ['9007199254740993', '90000'],
    ['-1.0', '0'],
  ])('is a time to live like another: %s', async (ttl, wanted) => {
    const answered = await filtered(`{"jsonrpc":"2.0","id":1,"result":{"tools":[],"ttlMs":${ttl}}}`, {
      ...all,
      maxTtlMs: 90_000,
    })
    expect(answered).toContain(`"ttlMs":${wanted},`)
  })

  it('counts in a definition as the double that every SDK makes of it', () => {
    fc.assert(
      fc.property(value, (text) => {
        const entry = (of: unknown) => ({ name: 'a', inputSchema: of })
        const digest = (of: unknown) => {
          try {
            return definitionDigest('tool', entry(of), 'a')
          } catch (thrown) {
            return String(thrown)
          }
        }
        expect(digest(parseExact(text))).toBe(digest(JSON.parse(text)))
        expect(withPlainNumbers(parseExact(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  it('is looked for in linear time', () => {
    const started = performance.now()
    const runs = ['1', ' ', ', ', ',1.', '-0', '1e', ': 1', '.1']
    for (const run of runs) parseExact(`["${run.repeat(300_000)}", 9007199254740993]`)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})
