import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import type { CallOptions, UpstreamClient } from '../../src/broker/upstream.ts'
import { begin, httpAt, listen, shut, stdioOf, textOf, until } from './place.ts'
import { type RawAnswer, type RawRequest, rawServer } from './servers.ts'

const secret = 'sEcReT-of-the-broker'
const headers = { authorization: `Bearer ${secret}`, 'x-own': 'visible-too' }

const tools = [{ name: 'any', inputSchema: { type: 'object' }, outputSchema: { type: 'object', required: ['a'] } }]

type Seen = RawRequest & { readonly headers: IncomingHttpHeaders }

/** A caller of a server that lists one tool, and answers calls as it is told. */
async function callerOf(answer: RawAnswer, seen: Seen[] = []): Promise<UpstreamClient> {
  const server = rawServer(
    (request, ...rest) => (request.method === 'tools/list' ? { result: { tools } } : answer(request, ...rest)),
    { tools: {}, completions: {} },
    seen,
  )
  const upstream = begin(httpAt((await listen(server)).url, { headers }))
  await upstream.first
  return await upstream.session('alice')
}

const call = (client: UpstreamClient, options?: CallOptions) => client.callTool({ name: 'any' }, options)

describe('a request to a server', () => {
  it('is answered as the server did: nothing is checked, nothing left out', async () => {
    const result = {
      content: [{ type: 'hologram', size: 7 }],
      structuredContent: { b: 1 },
      own: { deep: [null] },
      _meta: { 'a/b': 1 },
    }
    expect(await call(await callerOf(() => ({ result })))).toEqual(result)
  })

  it('of every kind has the parameters that it was given', async () => {
    const seen: Seen[] = []
    const client = await callerOf(() => ({ result: {} }), seen)
    await client.callTool({ name: 'a', arguments: { b: 1 } })
    await client.getPrompt({ name: 'c', arguments: { d: 'e' } })
    await client.readResource({ uri: 'f:g' })
    await client.complete({ ref: { type: 'ref/prompt', name: 'h' }, argument: { name: 'i', value: 'j' } })
    const asked = seen.filter(({ method }) =>
      ['tools/call', 'prompts/get', 'resources/read', 'completion/complete'].includes(method),
    )
    expect(asked.map(({ method, params }) => ({ method, params: { ...params, _meta: undefined } }))).toEqual([
      { method: 'tools/call', params: { name: 'a', arguments: { b: 1 } } },
      { method: 'prompts/get', params: { name: 'c', arguments: { d: 'e' } } },
      { method: 'resources/read', params: { uri: 'f:g' } },
      {
        method: 'completion/complete',
        params: { ref: { type: 'ref/prompt', name: 'h' }, argument: { name: 'i', value: 'j' } },
      },
    ])
    for (const request of seen) expect(request.headers).toMatchObject(headers)
  })
})

describe('what a request says beside', () => {
  it('is nothing of the caller’s connection, and of the broker that it can do nothing for a server', async () => {
    const seen: Seen[] = []
    const client = await callerOf(() => ({ result: {} }), seen)
    const _meta = {
      progressToken: 'mine',
      traceparent: '00-1',
      'io.modelcontextprotocol/clientCapabilities': { sampling: {} },
    }
    await client.callTool({ name: 'any', _meta })
    const { params } = seen.find(({ method }) => method === 'tools/call') ?? {}
    expect(params?.['_meta']).toEqual({ traceparent: '00-1', progressToken: expect.any(Number) })
    expect(seen.find(({ method }) => method === 'initialize')?.params).toMatchObject({
      capabilities: {},
      clientInfo: { name: 'test-broker', version: '1.2.3' },
    })
  })

  it('is arguments in headers where a tool of 2026-07-28 asks for it', async () => {
    const region = { type: 'string', 'x-mcp-header': 'Region' }
    const inputSchema = { type: 'object' as const, properties: { place: { type: 'object', properties: { region } } } }
    const handler = createMcpHandler(({ requestInfo }) => {
      const server = new Server({ name: 'headers', version: '1' }, { capabilities: { tools: {} } })
      server.setRequestHandler('tools/list', () => ({ tools: [{ name: 'any', inputSchema }] }))
      const text = requestInfo?.headers.get('mcp-param-region') ?? 'none'
      server.setRequestHandler('tools/call', () => ({ content: [{ type: 'text', text }] }))
      return server
    })
    const upstream = begin(httpAt((await listen(toNodeHandler(handler) as RequestListener)).url))
    await upstream.first
    const client = await upstream.session('alice')
    const asked = async (value: unknown) =>
      textOf(await client.callTool({ name: 'any', arguments: { place: { region: value } } }))
    expect(await asked('north')).toBe('north')
    expect(await asked('Zürich')).toBe(`=?base64?${Buffer.from('Zürich').toString('base64')}?=`)
    expect(await asked(undefined)).toBe('none')
  })
})

describe('a request that fails', () => {
  it.each([200, 403])('with an error of the server gives that error: HTTP %i', async (status) => {
    const error = { code: 4242, message: 'no such station', data: { station: 7, list: ['a'] } }
    const client = await callerOf(({ id }, _, response) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ jsonrpc: '2.0', id, error }))
      return undefined
    })
    await expect(call(client)).rejects.toMatchObject(error)
  })

  it('shows no credential of the broker in it', async () => {
    const client = await callerOf((_, { headers: { authorization = '' } }) => ({
      error: { code: 1, message: `who is ${authorization}?`, data: { [secret]: [authorization.slice(7)] } },
    }))
    await expect(call(client)).rejects.toMatchObject({
      code: 1,
      message: 'who is [redacted]?',
      data: { '[redacted]': ['[redacted]'] },
    })
  })

  it.each<readonly [string, number, string]>([
    ['of a gateway', 502, 'text/html'],
    ['that is no JSON', 200, 'application/json'],
    ['that is no answer', 200, 'text/plain'],
  ])('with something %s says no more than that the server could not be asked', async (_, status, type) => {
    const client = await callerOf((_request, { headers: { authorization } }, response) => {
      response.writeHead(status, { 'content-type': type }).end(`<p>${authorization}</p>`)
      return undefined
    })
    const thrown = await call(client).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ name: 'UpstreamUnavailable', server: 'weather' })
    expect((thrown as Error).message).toMatch(/^server `weather` (?:is not reachable|gave no valid answer)$/)
    expect(String((thrown as Error).cause)).not.toContain(secret)
  })
})

describe('an answer that breaks', () => {
  it('off fails the request, which does not wait for its time limit', async () => {
    const client = await callerOf((_, incoming, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(': not yet\n\n', () => incoming.socket.destroy())
      return undefined
    })
    await expect(call(client)).rejects.toMatchObject({ outage: 'unreachable' })
  })

  it('off without a word does so too', async () => {
    const client = await callerOf((_, _incoming, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n')
      return undefined
    })
    await expect(call(client)).rejects.toMatchObject({ outage: 'unreachable' })
  })
})

describe('a request that takes long', () => {
  it('is given up', async () => {
    const client = await callerOf(() => undefined)
    await expect(call(client, { timeoutMs: 50 })).rejects.toMatchObject({
      outage: 'timeout',
      message: 'server `weather` did not answer in time',
    })
  })

  it('is given up when its caller does, with the reason', async () => {
    const client = await callerOf(() => undefined)
    const reason = new Error('enough')
    const ending = new AbortController()
    const asked = call(client, { signal: ending.signal })
    ending.abort(reason)
    await expect(asked).rejects.toBe(reason)
    await expect(call(client, { signal: ending.signal })).rejects.toBe(reason)
  })

  it('is waited for as long as it makes progress, which is passed on', async () => {
    const client = await callerOf(async ({ id, params = {} }, _, response) => {
      const { progressToken } = params['_meta'] as { readonly progressToken: number }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const send = (message: object) => response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
      for (const progress of [1, 2, 3]) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        send({ method: 'notifications/progress', params: { progressToken, progress, total: 3, message: 'm' } })
      }
      send({ id, result: { content: [{ type: 'text', text: 'done' }] } })
      response.end()
      return undefined
    })
    const told: unknown[] = []
    expect(textOf(await call(client, { timeoutMs: 1200, onprogress: (progress) => told.push(progress) }))).toBe('done')
    expect(told).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: 'm' })))
  })
})

describe('a server whose check fails', () => {
  it('still answers what it was asked before', async () => {
    let isHung = false
    const { promise: gate, resolve: release } = Promise.withResolvers<void>()
    const server = rawServer(async ({ method }) => {
      if (method === 'tools/list') return isHung ? undefined : { result: { tools } }
      await gate
      return { result: { content: [{ type: 'text', text: 'done' }] } }
    })
    const limits = { health: { everySeconds: 0.1, timeoutSeconds: 0.2, maxBackoffSeconds: 1 } }
    const upstream = begin(httpAt((await listen(server)).url), limits)
    await upstream.first
    const asked = call(await upstream.session('alice'))
    isHung = true
    await until(() => expect(upstream.state().kind).toBe('unreachable'))
    release()
    expect(textOf(await asked)).toBe('done')
  })
})

describe('what is said of a server', () => {
  it('holds no header that the server says again', async () => {
    const echo = rawServer((_, incoming, response) => {
      const { authorization = '' } = incoming.headers
      response.writeHead(500)
      response.end(`xx\n\u0007${authorization} ${authorization.slice(7)} ${'y'.repeat(500)}`)
      return undefined
    })
    const { url } = await listen(echo)
    const upstream = begin(httpAt(`${url}?key=the-key-of-weather`, { headers }))
    await upstream.first
    const { lastError = '' } = upstream.state()
    expect(lastError).toContain('HTTP 500')
    expect(lastError).toContain('[redacted] [redacted]')
    expect(lastError).toMatch(/^[\x20-\x7e…]{1,200}$/u)
    for (const text of [lastError, ...upstream.warnings]) {
      expect(text).not.toContain(secret)
      expect(text).not.toContain('the-key-of-weather')
    }
    expect(upstream.warnings).toHaveLength(1)
  })

  it('holds no variable of a program', async () => {
    const upstream = begin(
      stdioOf('v1', { command: '/nowhere/the-key-of-weather', env: { KEY: 'the-key-of-weather' } }),
    )
    await upstream.first
    expect(upstream.state().lastError).toContain('[redacted]')
    expect([...upstream.warnings, ...upstream.log].join()).not.toContain('the-key-of-weather')
  })

  it('is found out by a request that fails, before it is time for a check', async () => {
    const server = await listen(rawServer(() => ({ result: { tools } })))
    const upstream = begin(httpAt(server.url), {
      health: { everySeconds: 3600, timeoutSeconds: 5, maxBackoffSeconds: 1 },
    })
    await upstream.first
    const client = await upstream.session('alice')
    await shut(server)
    await expect(call(client)).rejects.toMatchObject({ outage: 'unreachable' })
    await until(() => expect(upstream.state().kind).toBe('unreachable'))
  })
})
