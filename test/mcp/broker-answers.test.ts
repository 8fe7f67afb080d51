import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { filterBrokerAnswer } from '../../src/mcp/broker-answers.ts'

const onlyA = async (names: readonly string[]) => names.filter((name) => name.startsWith('a_'))

async function cut(tool: string, value: unknown): Promise<unknown> {
  const response = { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: JSON.stringify(value) }] } }
  const { result } = (await filterBrokerAnswer(tool, response, onlyA)) as typeof response
  return JSON.parse(result.content[0]?.text ?? '')
}

describe('the answer of a tool that names tools', () => {
  it('keeps the visible ones, in their order, and no server without any', async () => {
    const servers = [
      { name: 'a', category: 'c', tools: ['a_two', 'b_wipe', 'a_one'] },
      { name: 'b', hint: 'h', tools: ['b_wipe'] },
      { name: 'empty', tools: [] },
    ]
    expect(await cut('discover_tools', { servers })).toEqual({
      servers: [
        { name: 'a', category: 'c', tools: ['a_two', 'a_one'] },
        { name: 'empty', tools: [] },
      ],
    })
  })

  it('keeps the definitions of visible tools', async () => {
    const tools = [{ name: 'b_wipe' }, { name: 'a_one', inputSchema: { type: 'object', required: ['x'] } }]
    expect(await cut('filter_tools_by_tags', tools)).toEqual(tools.slice(1))
    expect(await cut('filter_tools_by_tags', { tools })).toEqual({ tools: tools.slice(1) })
  })

  it('is cut in its structured form, too', async () => {
    const result = { content: [], structuredContent: { Tools: ['a_one', 'b_wipe'] } }
    expect(await filterBrokerAnswer('discover_tools', { id: 1, result }, onlyA)).toEqual({
      id: 1,
      result: { content: [], structuredContent: { Tools: ['a_one'] } },
    })
  })

  it.each([
    ['text', 'use b_wipe'],
    ['a JSON string', '"b_wipe"'],
  ])('is none where it is %s', async (_, text) => {
    const response = { id: 1, result: { content: [{ type: 'text', text }] } }
    await expect(filterBrokerAnswer('discover_tools', response, onlyA)).rejects.toThrow(TypeError)
    const failed = { id: 1, result: { ...response.result, isError: true } }
    expect(await filterBrokerAnswer('discover_tools', failed, onlyA)).toEqual(failed)
  })

  it('names nothing else, whatever the answer is', async () => {
    const names = fc.array(fc.constantFrom('a_one', 'b_wipe', 'b_drop'))
    const definitions = names.map((all) => all.map((name) => ({ name })))
    const tools = fc.oneof(names, definitions)
    const answers = fc.oneof(tools, fc.record({ servers: fc.array(fc.record({ name: fc.string(), tools })) }))
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        expect(JSON.stringify(await cut('discover_tools', answer))).not.toMatch(/"b_(?:wipe|drop)"/)
      }),
    )
  })
})

describe('the answer of a tool that names none', () => {
  it.each(['select_tools', 'list_tags'])('of %s is kept', async (tool) => {
    const said = { id: 1, result: { content: [{ type: 'text', text: 'Session scoped to 2 tools.' }] } }
    expect(await filterBrokerAnswer(tool, said, onlyA)).toEqual(said)
    const failed = { id: 1, error: { code: -32602, message: 'no' } }
    expect(await filterBrokerAnswer(tool, failed, onlyA)).toBe(failed)
  })
})
