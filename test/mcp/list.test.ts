import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterList, filterListText, isListMethod, type ListMethod, listedType } from '../../src/mcp/list.ts'

const shapes: readonly (readonly [ListMethod, string, string, string])[] = [
  ['tools/list', 'tools', 'name', 'tool'],
  ['prompts/list', 'prompts', 'name', 'prompt'],
  ['resources/list', 'resources', 'uri', 'resource'],
  ['resources/templates/list', 'resourceTemplates', 'uriTemplate', 'template'],
  ['tasks/list', 'tasks', 'taskId', 'task'],
]
const only =
  (...names: readonly string[]) =>
  (asked: readonly string[]): readonly string[] =>
    asked.filter((name) => names.includes(name))
const response = (result: unknown): unknown => ({ jsonrpc: '2.0', id: 7, result })
const filteredTools = async (result: unknown, options = {}): Promise<unknown> => {
  const filtered = await filterList('tools/list', response(result), only('b', 'd'), options)
  return (filtered as { result: unknown }).result
}

it.each(shapes)('keeps what may be seen of %s, in order, and everything beside it', async (method, list, key, type) => {
  const entries = ['d', 'a', 'b', 'c'].map((name) => ({ [key]: name, title: name, _meta: { x: 1 } }))
  const whole = { [list]: entries, nextCursor: 'n', resultType: 'complete', _meta: { y: 2 } }
  expect(await filterList(method, response(whole), only('b', 'd'))).toEqual(
    response({ ...whole, [list]: [entries[0], entries[2]] }),
  )
  expect(listedType(method)).toBe(type)
})

it('asks for each name once, and not at all for nothing', async () => {
  const asked: (readonly string[])[] = []
  const visible = async (names: readonly string[]): Promise<readonly string[]> => {
    asked.push(names)
    return names
  }
  const twice = { tools: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] }
  expect(await filterList('tools/list', response(twice), visible)).toEqual(response(twice))
  await filterList('tools/list', response({ tools: [{}] }), visible)
  expect(asked).toEqual([['a', 'b']])
})

it('shows no name that was not asked for', async () => {
  const list = response({ tools: [{ name: 'a' }] })
  expect(await filterList('tools/list', list, () => ['b', 'c'])).toEqual(response({ tools: [] }))
})

it('drops entries without a name', async () => {
  const tools = [{}, null, 'b', ['b'], { name: 7 }, { name: ['b'] }, { Name: 'b' }, { title: 'b' }, { name: 'b' }]
  expect(await filteredTools({ tools })).toEqual({ tools: [{ name: 'b' }] })
})

it.each([null, 'b', 7, { 0: { name: 'b' } }, { name: 'b' }])('empties a list that is no array: %j', async (tools) => {
  expect(await filteredTools({ tools, nextCursor: 'n' })).toEqual({ tools: [], nextCursor: 'n' })
})

it.each([null, 'b', 7, [{ name: 'a' }]])('empties a result that is no object: %j', async (result) => {
  expect(await filteredTools(result)).toEqual({ tools: [] })
})

it('drops a second list under a key in another case', async () => {
  expect(await filteredTools({ tools: [], Tools: [{ name: 'a' }], toolſ: 1 })).toEqual({ tools: [] })
  const twofold = { jsonrpc: '2.0', id: 1, Result: { tools: [{ name: 'a' }] } }
  expect(await filterList('tools/list', twofold, only('b'))).toEqual({ jsonrpc: '2.0', id: 1 })
})

it('leaves alone what has no result, and a result without a list', async () => {
  const error = { jsonrpc: '2.0', id: 1, error: { code: -32601, message: 'm' } }
  const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { tools: [1] } }
  for (const message of [error, progress, 7, null, 'x'])
    expect(await filterList('tools/list', message, only())).toEqual(message)
  const more = response({ resultType: 'input_required', inputRequests: {} })
  expect(await filterList('tools/list', more, only())).toEqual(more)
})

it('filters a result that comes with an error', async () => {
  const both = { jsonrpc: '2.0', id: 1, error: {}, result: { tools: [{ name: 'a' }] } }
  expect(await filterList('tools/list', both, only())).toEqual({ ...both, result: { tools: [] } })
})

it('filters each response of a batch', async () => {
  const one = response({ tools: [{ name: 'a' }, { name: 'b' }] })
  expect(await filterList('tools/list', [one, 7, [one]], only('b'))).toEqual([
    response({ tools: [{ name: 'b' }] }),
    7,
    [response({ tools: [{ name: 'b' }] })],
  ])
})

it.each([
  [{ cacheScope: 'public' }, {}, { cacheScope: 'private' }],
  [{ cacheScope: 'public', ttlMs: 9000 }, {}, { cacheScope: 'private', ttlMs: 9000 }],
  [{ ttlMs: 9000 }, { maxTtlMs: 500 }, { cacheScope: 'private', ttlMs: 500 }],
  [{ ttlMs: 100 }, { maxTtlMs: 500 }, { cacheScope: 'private', ttlMs: 100 }],
  [{ ttlMs: 9000 }, { maxTtlMs: -5 }, { cacheScope: 'private', ttlMs: 0 }],
  [{ ttlMs: '9000' }, { maxTtlMs: 500 }, { cacheScope: 'private', ttlMs: 0 }],
  [{ cacheScope: null, ttlMs: null }, {}, { cacheScope: 'private', ttlMs: 0 }],
  [{}, { maxTtlMs: 500 }, {}],
])('lets nobody else have what was cut for one caller: %j under %j', async (caching, options, expected) => {
  expect(await filteredTools({ tools: [], ...caching }, options)).toEqual({ tools: [], ...expected })
})

it('takes __proto__ for a name and a key like any other', async () => {
  const text =
    '{"id":1,"__proto__":{"result":1},"result":{"__proto__":[1],"tools":[{"name":"__proto__"},{"name":"a"}]}}'
  expect(await filterListText('tools/list', text, only('__proto__'))).toBe(text.replace(',{"name":"a"}', ''))
})

it('never lets through an entry that may not be seen', async () => {
  const entry = fc.oneof(fc.record({ name: fc.constantFrom('a', 'b', 'c') }), fc.jsonValue())
  await fc.assert(
    fc.asyncProperty(fc.array(entry), fc.subarray(['a', 'b', 'c']), async (tools, names) => {
      const filtered = (await filterList('tools/list', response({ tools }), only(...names))) as typeof kept
      const kept = { result: { tools: tools.filter((tool) => names.includes(nameOf(tool))) } }
      expect(filtered.result.tools).toEqual(kept.result.tools)
    }),
  )
})

const nameOf = (entry: unknown): string => String((entry as { name?: unknown } | null)?.name)

describe('filterListText', () => {
  it('reads and writes JSON', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"b"}]}}'
    expect(await filterListText('tools/list', text, only('b'))).toBe(text.replace('{"name":"a"},', ''))
  })

  it('gives one reading of keys that stand twice', async () => {
    const text = '{"result":{"tools":[{"name":"a"}]},"result":{"tools":[{"name":"a","name":"b"}]}}'
    expect(await filterListText('tools/list', text, only('b'))).toBe('{"result":{"tools":[{"name":"b"}]}}')
  })

  it.each(['', ' ', '\n'])('keeps the blank text %j', async (text) => {
    expect(await filterListText('tools/list', text, only())).toBe(text)
  })

  it.each(['{', '\ufeff{}', '{} {}', 'data: {}'])('rejects %j', async (text) => {
    await expect(filterListText('tools/list', text, only())).rejects.toThrow(SyntaxError)
  })
})

describe('isListMethod', () => {
  it.each(['tools/call', 'tools/List', '__proto__', 'constructor', 'tasks/get', ''])('does not know %j', (method) => {
    expect(isListMethod(method)).toBe(false)
    expect(listedType(method)).toBeUndefined()
  })
})
