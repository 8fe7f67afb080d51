import { describe, expect, it } from 'vitest'
import { begin, health, httpAt, listen, type Tested, until } from './place.ts'
import { modernServer, type RawAnswer, rawServer, sessionServer } from './servers.ts'

const tool = (name: string, more = {}) => ({ name, inputSchema: { type: 'object' }, ...more })

async function reached(answer: RawAnswer, capabilities = {}, options = {}): Promise<Tested> {
  const { url } = await listen(rawServer(answer, { tools: {}, ...capabilities }))
  const upstream = begin(httpAt(url), options)
  await upstream.first
  return upstream
}

const namesOf = (upstream: Tested) => upstream.offered()?.tools.map(({ name }) => name)

describe('a list of a server', () => {
  it('is read page by page, definitions as they came', async () => {
    const pages: Record<string, object> = {
      first: { tools: [tool('a', { 'x-own': [1], annotations: { own: true } })], nextCursor: '' },
      '': { tools: [], nextCursor: 'c' },
      c: { tools: [tool('b')] },
    }
    const upstream = await reached(({ params }) => ({ result: pages[String(params?.['cursor'] ?? 'first')] }))
    expect(upstream.offered()?.tools).toEqual([tool('a', { 'x-own': [1], annotations: { own: true } }), tool('b')])
  })

  it('is not asked for where the server has none', async () => {
    const asked: string[] = []
    const upstream = await reached(({ method }) => {
      asked.push(method)
      return { result: { tools: [], prompts: [] } }
    })
    expect(upstream.state().kind).toBe('ready')
    expect(new Set(asked)).toEqual(new Set(['tools/list']))
  })

  it('of templates may be unknown to a server with resources', async () => {
    const upstream = await reached(
      ({ method }) =>
        method === 'resources/templates/list'
          ? { error: { code: -32601, message: 'Method not found' } }
          : { result: { tools: [], resources: [{ uri: 'a:b', name: 'b' }] } },
      { resources: {}, completions: {} },
    )
    expect(upstream.offered()).toMatchObject({ resources: [{ uri: 'a:b' }], templates: [], completions: true })
  })

  it('has each name once, and no entry without one; told once', async () => {
    const tools = [tool('a', { title: 'one' }), tool('a', { title: 'two' }), tool(''), { name: 'b' }, 'c', null]
    let rounds = 0
    const upstream = await reached(() => {
      rounds += 1
      return { result: { tools } }
    })
    await until(() => expect(rounds).toBeGreaterThan(2))
    expect(upstream.offered()?.tools).toEqual([tool('a', { title: 'one' })])
    expect(upstream.warnings).toEqual([
      'server `weather`: tools/list: `a` is there twice, the first counts',
      'server `weather`: tools/list: an entry is not valid',
    ])
    expect(upstream.changes()).toBe(1)
  })
})

describe('a list that is none', () => {
  it.each<readonly [string, RawAnswer, string]>([
    ['does not end', () => ({ result: { tools: [], nextCursor: 'a' } }), 'tools/list: a cursor came twice'],
    [
      'has too many pages',
      ({ params }) => ({ result: { tools: [], nextCursor: `${Number(params?.['cursor'] ?? 0) + 1}` } }),
      'tools/list: more than 1000 pages',
    ],
    [
      'is too long',
      () => ({ result: { tools: Array.from({ length: 100_001 }, () => 0) } }),
      'tools/list: more than 100000 entries',
    ],
    ['is no list', () => ({ result: { tools: {} } }), 'tools/list: a page has no list `tools`'],
    ['is an error', () => ({ error: { code: 1, message: 'never\nmind' } }), 'never mind'],
  ])('leaves the server unreachable: it %s', async (_, answer, lastError) => {
    const upstream = await reached(answer)
    expect(upstream.state()).toMatchObject({ kind: 'unreachable', lastError })
    expect(upstream.offered()).toBeUndefined()
  })
})

describe('a list that changes', () => {
  const seldom = { health: { ...health, everySeconds: 3600 } }

  it('is read again when a server of 2026-07-28 says so', async () => {
    const tools = ['a']
    const server = modernServer(tools)
    const upstream = begin(httpAt((await listen(server.listener)).url), seldom)
    await upstream.first
    tools.push('b')
    server.toolsChanged()
    await until(() => expect(namesOf(upstream)).toEqual(['a', 'b']))
    expect(upstream.changes()).toBe(2)
  })

  it('is read again when a server of 2025-11-25 says so', async () => {
    const server = sessionServer()
    const upstream = begin(httpAt((await listen(server.listener)).url), seldom)
    await upstream.first
    const [session] = server.sessions.values()
    // What is sent before the client's stream is there is lost.
    let count = 0
    await until(() => {
      session?.server.registerTool(`more-${count++}`, {}, () => ({ content: [] }))
      expect(namesOf(upstream)).toContain('more-0')
    })
  })

  it('is read again in time where nobody says so, and is news only if it is', async () => {
    let [rounds, title] = [0, 'one']
    const upstream = await reached(() => {
      rounds += 1
      return { result: { tools: [tool('a', { title })] } }
    })
    await until(() => expect(rounds).toBeGreaterThan(3))
    expect(upstream.changes()).toBe(1)
    title = 'two'
    await until(() => expect(upstream.offered()?.tools).toEqual([tool('a', { title: 'two' })]))
    expect(upstream.changes()).toBe(2)
  })
})
