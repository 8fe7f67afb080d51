import type { RequestListener } from 'node:http'
import { json } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { begin, httpAt, listen } from './place.ts'
import type { RawRequest } from './servers.ts'

/** A server of 2026-07-28 that gives one result to every call. */
function modernRaw(result: Record<string, unknown>, asked: RawRequest[] = []): RequestListener {
  const known: Record<string, object> = {
    'server/discover': {
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      ttlMs: 0,
      cacheScope: 'private',
    },
    'tools/list': {
      tools: [{ name: 'any', inputSchema: { type: 'object' }, own: 1 }],
      ttlMs: 0,
      cacheScope: 'private',
    },
  }
  return async (request, response) => {
    const message = (await json(request)) as RawRequest
    asked.push(message)
    const answer = { resultType: 'complete', ...(known[message.method] ?? result) }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result: answer }))
  }
}

it('gives the result of 2026-07-28 as it came, and says for itself that it can do nothing', async () => {
  const asked: RawRequest[] = []
  const result = {
    content: [{ type: 'text', text: 'a', own: 1 }],
    structuredContent: [1],
    own: { deep: [null] },
    _meta: { 'a/b': 1 },
  }
  const upstream = begin(httpAt((await listen(modernRaw(result, asked))).url))
  await upstream.first
  expect(upstream.offered()?.tools).toEqual([{ name: 'any', inputSchema: { type: 'object' }, own: 1 }])
  const alice = await upstream.session('alice')
  const _meta = { traceparent: '00-1', 'io.modelcontextprotocol/clientCapabilities': { sampling: {} } }
  expect(await alice.callTool({ name: 'any', _meta })).toEqual(result)
  const { params } = asked.find(({ method }) => method === 'tools/call') ?? {}
  expect(params?.['_meta']).toMatchObject({
    traceparent: '00-1',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'test-broker', version: '1.2.3' },
  })
})

it.each([
  ['input of whoever asks', { resultType: 'input_required', requestState: 'a' }],
  ['something that is no result', { resultType: 'later' }],
])('gives no %s', async (_, result) => {
  const upstream = begin(httpAt((await listen(modernRaw(result))).url))
  await upstream.first
  const alice = await upstream.session('alice')
  await expect(alice.callTool({ name: 'any' })).rejects.toMatchObject({
    outage: 'answer',
    message: 'server `weather` gave no valid answer',
  })
  expect(upstream.state().kind).toBe('ready')
})
