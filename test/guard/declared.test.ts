import { describe, expect, it } from 'vitest'
import { createDeclared } from '../../src/guard/declared.ts'
import { rpcRequest } from './requests.ts'
import { changed, feed, get, looked, news, opened, reading, streamScene, withWeather } from './stream-scene.ts'

const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
const session = { 'mcp-session-id': 'abc' }

function answering(capabilities: object, headers: Readonly<Record<string, string>> = session): Response {
  const result = { protocolVersion: '2025-11-25', capabilities, serverInfo: { name: 's', version: '1' } }
  return Response.json({ jsonrpc: '2.0', id: 1, result }, { headers })
}

describe('a session', () => {
  it.each([
    ['JSON', (answer: Response) => answer],
    [
      'events',
      async (answer: Response) =>
        new Response(`data: ${await answer.text()}\n\n`, {
          headers: { ...session, 'content-type': 'text/event-stream' },
        }),
    ],
  ])('that begins in %s says that it tells of every kind of list it has, and does', async (_, formed) => {
    const scene = await streamScene()
    const begin = async () => await formed(answering({ tools: {}, resources: { subscribe: true }, logging: {} }))
    const answer = await scene.guard.fetch(begin)(rpcRequest('initialize', initialize, scene.alice))
    const text = await answer.text()
    expect(JSON.parse(text.replace(/^data: /u, ''))).toMatchObject({
      result: {
        capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, logging: {} },
        serverInfo: { name: 's' },
      },
    })
    expect(text).not.toContain('prompts')
    const source = feed()
    const opening = get({ ...scene.alice, ...session, 'mcp-protocol-version': '2025-11-25' })
    const { message } = reading(await scene.guard.fetch(source.handler)(opening))
    const first = message()
    scene.replaceData(withWeather({ prompts: [], resources: ['weather://maps'] }))
    expect(await first).toEqual(changed('resources'))
    scene.replaceData(withWeather({ prompts: [], resources: ['weather://maps'], tools: [] }))
    expect(await message()).toEqual(changed('tools'))
  })

  it('that began elsewhere is told nothing, and ends all the same', async () => {
    const scene = await streamScene()
    const source = feed()
    const opening = get({ ...scene.alice, 'mcp-session-id': 'other' })
    const { message, next } = reading(await scene.guard.fetch(source.handler)(opening))
    const first = message()
    scene.replaceData(withWeather({ tools: [] }))
    await looked(scene)
    source.send(news)
    expect(await first).toEqual(news)
    scene.expire()
    expect(await next()).toBeUndefined()
  })
})

describe('what is no session, or none that says what it has', () => {
  it('promises nothing', async () => {
    const { guard, alice } = await streamScene()
    const whole = answering({ tools: {} }, {})
    const expected = await whole.clone().text()
    const answer = await guard.fetch(() => whole)(rpcRequest('initialize', initialize, alice))
    expect(await answer.text()).toBe(expected)
  })

  it.each(['[]', 'no JSON', '{"result":1}', '{"result":{"protocolVersion":"x","capabilities":[]}}'])(
    'that begins with %s begins with that',
    async (text) => {
      const { guard, alice } = await streamScene()
      const headers = { ...session, 'content-type': 'application/json' }
      const answer = await guard.fetch(() => new Response(text, { headers }))(
        rpcRequest('initialize', initialize, alice),
      )
      expect(await answer.text()).toBe(text)
    },
  )

  it('of 2024-11-05 is told on the stream that it begins on', async () => {
    const scene = await streamScene()
    const { write, send, next, message } = await opened(scene, get)
    write('event: endpoint\ndata: /messages?session=1\n\n')
    expect(await next()).toBe('event: endpoint\ndata: /messages?session=1\n\n')
    send(await answering({ tools: {} }).json())
    expect(await message()).toMatchObject({ result: { capabilities: { tools: { listChanged: true } } } })
    scene.replaceData(withWeather({ tools: [] }))
    expect(await message()).toEqual(changed('tools'))
  })
})

describe('what sessions declared', () => {
  const day = 24 * 60 * 60 * 1000

  it('is forgotten a day after it was last asked for', () => {
    let now = 0
    const declared = createDeclared({ now: () => now })
    declared.keep('a', ['tools'])
    now = day - 1
    expect(declared.of('a')).toEqual(['tools'])
    now += day - 1
    expect(declared.of('a')).toEqual(['tools'])
    now += day
    expect(declared.of('a')).toEqual([])
  })

  it('is kept of so many sessions, those that were asked for last', () => {
    const declared = createDeclared({ now: () => 0, max: 2 })
    declared.keep('a', ['tools'])
    declared.keep('b', ['prompts'])
    declared.of('a')
    declared.keep('c', ['resources'])
    expect(['a', 'b', 'c'].map((id) => declared.of(id))).toEqual([['tools'], [], ['resources']])
  })
})
