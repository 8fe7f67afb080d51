import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { post, rpcRequest } from './requests.ts'
import {
  acknowledged,
  changed,
  feed,
  get,
  listen,
  looked,
  news,
  opened,
  reading,
  streamScene,
  subscriptionId,
  withWeather,
} from './stream-scene.ts'

const never = 1_000_000_000

/** The end of a subscription as 2026-07-28 has it. */
const closure = { jsonrpc: '2.0', id: 's', result: { resultType: 'complete', _meta: { [subscriptionId]: 's' } } }

const streams = [
  ['a GET stream', get, undefined],
  ['a subscription', listen, closure],
] as const

describe.each(streams)('%s', (_, open, last) => {
  it('hands on what the server says, and is recorded once', async () => {
    const scene = await streamScene(never)
    const { send, message, next, close } = await opened(scene, open)
    send(news)
    expect(await message()).toEqual(news)
    send(news)
    close()
    expect([await message(), await next()]).toEqual([news, undefined])
    expect(scene.recorded()).toBe(1)
  })

  it('ends instead of an event that comes after the credential has ended', async () => {
    const scene = await streamScene(never)
    const { send, message, next, cancelled } = await opened(scene, open)
    send(news)
    expect(await message()).toEqual(news)
    send(news, news)
    scene.expire()
    if (last !== undefined) expect(await message()).toEqual(last)
    expect(await next()).toBeUndefined()
    await cancelled
    expect(scene.recorded()).toBe(2)
  })

  it('ends without an event when the credential has ended', async () => {
    const scene = await streamScene()
    const { send, message, next, cancelled } = await opened(scene, open)
    send(news)
    expect(await message()).toEqual(news)
    scene.expire()
    if (last !== undefined) expect(await message()).toEqual(last)
    expect(await next()).toBeUndefined()
    await cancelled
    const answer = await scene.guard.fetch(() => expect.unreachable())(open(scene.alice))
    expect(answer.status).toBe(401)
  })
})

describe.each(streams)('%s', (_, open, last) => {
  it('ends when nothing can be decided any more', async () => {
    const scene = await streamScene()
    const { message, next } = await opened(scene, open)
    scene.unload()
    if (last !== undefined) expect(await message()).toEqual(last)
    expect(await next()).toBeUndefined()
  })

  it('ends with the guard', async () => {
    const scene = await streamScene(never)
    const { message, next, cancelled } = await opened(scene, open)
    const end = message()
    await scene.guard.close()
    expect(await end).toEqual(last)
    if (last !== undefined) expect(await next()).toBeUndefined()
    await cancelled
  })

  it('fetches no more than its client reads', async () => {
    const { guard, alice } = await streamScene(never)
    let fetched = 0
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          fetched += 1
          controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(news)}\n\n`))
        },
      },
      { highWaterMark: 0 },
    )
    const response = new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    const { message, cancel } = reading(await guard.fetch(() => response)(open(alice)))
    for (const _turn of [1, 2, 3]) expect(await message()).toEqual(news)
    expect(fetched).toBeLessThan(8)
    await cancel()
  })
})

describe.each(streams)('the timer of %s', (_, open) => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('ends once its client has gone', async () => {
    const scene = await streamScene(never)
    const { next, cancel, cancelled } = await opened(scene, open)
    const pending = next()
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0))
    await cancel('gone')
    expect([await pending, await cancelled, vi.getTimerCount()]).toEqual([undefined, 'gone', 0])
  })

  it.each(['close', 'fail'] as const)('ends once the server lets it %s', async (how) => {
    const scene = await streamScene(never)
    const source = await opened(scene, open)
    const pending = source.next()
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0))
    source[how](new Error('broken'))
    if (how === 'fail') await expect(pending).rejects.toThrow('broken')
    else expect(await pending).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not begin before anybody reads it', async () => {
    const scene = await streamScene(never)
    await opened(scene, open)
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('ends a stream when its request is aborted', async () => {
  const { guard, alice } = await streamScene(never)
  const source = feed()
  const leaving = new AbortController()
  const response = await guard.fetch(source.handler)(get(alice, leaving.signal))
  const { next } = reading(response)
  const pending = next()
  leaving.abort()
  expect(await pending).toBeUndefined()
  await source.cancelled
})

it('lets the answer to a call finish, which was allowed', async () => {
  const scene = await streamScene()
  const source = feed()
  const call = rpcRequest('tools/call', { name: 'weather_alerts' }, scene.alice)
  const { message, next } = reading(await scene.guard.fetch(source.handler)(call))
  source.send(news)
  expect(await message()).toEqual(news)
  scene.expire()
  const result = { jsonrpc: '2.0', id: 1, result: { content: [] } }
  source.send(result)
  source.close()
  expect([await message(), await next()]).toEqual([result, undefined])
})

describe('a subscription', () => {
  it('is told, under its id, of the lists that are others and were acknowledged', async () => {
    const scene = await streamScene()
    const { send, message } = await opened(scene, listen)
    send(acknowledged({ toolsListChanged: true }))
    expect(await message()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
    scene.replaceData(withWeather({ tools: ['alerts'], prompts: [] }))
    expect(await message()).toEqual(changed('tools', 's'))
    scene.replaceData(withWeather({ tools: ['alerts'], prompts: ['brief'] }))
    await looked(scene)
    send(news)
    expect(await message()).toEqual(news)
  })

  it('judges what comes after it was told of a list when its client reads on, not before', async () => {
    const scene = await streamScene()
    const { send, message } = await opened(scene, listen)
    send(acknowledged({ toolsListChanged: true }))
    await message()
    scene.replaceData(withWeather({ tools: ['alerts'] }))
    expect(await message()).toEqual(changed('tools', 's'))
    send(news)
    await looked(scene)
    scene.expire()
    expect(await message()).toEqual(closure)
  })

  it('is told nothing before it is acknowledged, and then what has changed meanwhile', async () => {
    const scene = await streamScene()
    const { send, message } = await opened(scene, listen)
    const first = message()
    scene.replaceData(withWeather({ tools: ['alerts'] }))
    await looked(scene)
    send(acknowledged({ toolsListChanged: true }))
    expect(await first).toMatchObject({ method: 'notifications/subscriptions/acknowledged' })
    expect(await message()).toEqual(changed('tools', 's'))
  })

  it('is told nothing where nothing changed of what its person may use', async () => {
    const scene = await streamScene()
    const { send, message } = await opened(scene, listen)
    send(acknowledged({ toolsListChanged: true }))
    await message()
    scene.replaceData({ ...withWeather({}), roles: { ...withWeather({}).roles, other: { files: ['tool:*'] } } })
    const next = message()
    await looked(scene)
    send(news)
    expect(await next).toEqual(news)
  })
})

describe('a subscription', () => {
  it('ends when a resource of it may not be read any more', async () => {
    const scene = await streamScene()
    const source = feed()
    const uris = { resourceSubscriptions: ['weather://stations', 'weather://maps'] }
    const { message, next } = reading(await scene.guard.fetch(source.handler)(listen(scene.alice, uris)))
    source.send(acknowledged(uris))
    await message()
    scene.replaceData(withWeather({ resources: ['weather://maps'] }))
    expect(await message()).toEqual(closure)
    expect(await next()).toBeUndefined()
    await source.cancelled
    const again = await scene.guard.fetch(() => expect.unreachable())(listen(scene.alice, uris))
    expect(again.status).toBe(403)
  })

  it('that the server refuses is passed on', async () => {
    const { guard, alice } = await streamScene()
    const error = { jsonrpc: '2.0', id: 's', error: { code: -32602, message: 'no' } }
    const response = await guard.fetch(() => Response.json(error))(listen(alice))
    expect([response.status, await response.json()]).toEqual([200, error])
  })

  it('in a form that cannot be watched is not handed on', async () => {
    const { guard, alice } = await streamScene()
    const source = feed({ 'content-encoding': 'gzip' })
    source.send(news)
    const response = await guard.fetch(source.handler)(listen(alice))
    expect([response.status, await response.json()]).toMatchObject([500, { id: 's', error: { code: -32603 } }])
  })
})

it('answers a POST that is no stream as before', async () => {
  const { guard, alice } = await streamScene()
  const accepted = await guard.fetch(() => new Response(null, { status: 202 }))(
    post('{"jsonrpc":"2.0","method":"notifications/initialized"}', alice),
  )
  expect([accepted.status, await accepted.text()]).toEqual([202, ''])
})
