import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { afterEach, describe, expect, it } from 'vitest'
import {
  answerOf,
  bodyOf,
  type Exchange,
  events,
  json,
  leaving,
  list,
  listQuestion,
  metadata,
  openExchange,
  requestOf,
  secret,
  stream,
  tools,
  useListDoor,
} from './exchanges.ts'
import type { ProcessingFields, ProcessingReply } from './messages.ts'

const { door, client, asked, faults, lastReply } = useListDoor()
// Whatever a test does, no stream stays behind.
afterEach(async () => await expect.poll(() => door().filtering()).toBe(0))

const failed = { jsonrpc: '2.0', id: 7, error: { code: -32603, message: 'the answer could not be filtered' } }

async function namesFor(person: string, question: unknown = listQuestion): Promise<readonly string[]> {
  const text = leaving(await lastReply(requestOf(person, question), json, bodyOf(secret)))
  return (JSON.parse(text) as typeof list).result.tools.map(({ name }) => name)
}

function errorIn({ immediate_response: immediate }: ProcessingReply): unknown {
  expect(immediate?.status.code).toBe(500)
  const headers = immediate?.headers.set_headers.map(({ header }) => [header.key, String(header.raw_value)])
  expect(headers).toEqual([
    ['content-type', 'application/json'],
    ['cache-control', 'no-store'],
  ])
  return JSON.parse(String(immediate?.body))
}

describe('a list in JSON', () => {
  it('is cut for its caller, in order, and may be kept by nobody else', async () => {
    const expiresAt = Date.now() / 1000 + 100
    const reply = await lastReply(requestOf('alice', { ...listQuestion, expiresAt }), json, bodyOf(secret))
    const { result } = JSON.parse(leaving(reply)) as typeof list
    expect(result).toMatchObject({ tools: [{ name: 'forecast' }], nextCursor: 'n', cacheScope: 'private' })
    expect(result.tools).toHaveLength(1)
    expect(result.ttlMs).toBeGreaterThan(0)
    expect(result.ttlMs).toBeLessThanOrEqual(100_000)
    expect(await namesFor('bob')).toEqual(['wipe', 'forecast'])
    expect(await namesFor('mallory')).toEqual([])
  })

  it('is asked about with what the check said and who the request says it is', async () => {
    await namesFor('alice')
    const { id: _, ...said } = listQuestion
    const credential = { kind: 'authorization', values: ['Bearer alice'] }
    const names = ['wipe', 'forecast', 'unheard_of']
    expect(asked().queries).toEqual([{ credential, type: 'tool', names, ...said }])
    await namesFor('alice', { virtualServers: [null] })
    expect(asked().queries[1]).toMatchObject({ virtualServers: [null], address: undefined })
    expect(asked().queries[1]).not.toHaveProperty('server')
  })

  it('loses what was true of the body before, and is not asked for in a form that cannot be read', async () => {
    const exchange = openExchange(client())
    const { request_headers: request } = await exchange.send(requestOf('alice', listQuestion, { range: 'bytes=0-1' }))
    expect(request?.response?.header_mutation?.remove_headers).toEqual(
      expect.arrayContaining(['accept-encoding', 'if-none-match', 'range']),
    )
    const { response_headers: response, mode_override: mode } = await exchange.send(json)
    expect(response?.response?.header_mutation?.remove_headers).toEqual(
      expect.arrayContaining(['content-length', 'etag', 'content-encoding']),
    )
    expect(mode).toBeUndefined()
    await exchange.end()
  })

  it('is held back until it is whole, in however many pieces it comes', async () => {
    for (const at of [0, 1, 20, secret.length - 1, secret.length]) {
      const exchange = openExchange(client())
      await exchange.send(requestOf('alice'))
      await exchange.send(json)
      expect(leaving(await exchange.send(bodyOf(secret.slice(0, at), false)))).toBe('')
      expect(leaving(await exchange.send(bodyOf(secret.slice(at))))).not.toMatch(/wipe|unheard_of/)
      await exchange.end()
    }
  })
})

describe('lists in JSON', () => {
  it('of 20,000 tools are cut', async () => {
    const many = Array.from({ length: 20_000 }, (_, at) => ({ name: at === 9 ? 'forecast' : `tool_${at}` }))
    const body = JSON.stringify({ ...list, result: { tools: many } })
    const text = leaving(await lastReply(requestOf('alice'), json, bodyOf(body)))
    expect(JSON.parse(text)).toEqual({ ...list, result: { tools: [{ name: 'forecast' }] } })
  })

  it('are each their own where two people ask on one connection, their parts in between each other', async () => {
    const people = ['alice', 'bob', 'alice', 'mallory']
    const exchanges = people.map(() => openExchange(client()))
    const all = async (part: (person: string) => ProcessingFields) =>
      await Promise.all(exchanges.map((exchange, at) => exchange.send(part(people[at] ?? ''))))
    await all((person) => requestOf(person))
    await all(() => json)
    expect(door().filtering()).toBe(people.length)
    await all(() => bodyOf(secret.slice(0, 50), false))
    const lists = (await all(() => bodyOf(secret.slice(50)))).map((reply) =>
      (JSON.parse(leaving(reply)) as typeof list).result.tools.map(({ name }) => name),
    )
    expect(lists).toEqual([['forecast'], ['wipe', 'forecast'], ['forecast'], []])
    await Promise.all(exchanges.map((exchange) => exchange.end()))
  })
})

const type = (value: string | readonly string[]): ProcessingFields => answerOf({ 'content-type': value })
const unreadable: readonly (readonly [string, ProcessingFields, string | Uint8Array])[] = [
  ['text', type('text/plain'), secret],
  ['of no type', answerOf({}), secret],
  ['of two types', type(['application/json', 'text/html']), secret],
  ['gzip', answerOf({ 'content-type': 'application/json', 'content-encoding': 'gzip' }), gzipSync(secret)],
  ['gzip that is not said to be', json, gzipSync(secret)],
  ['gzipped events', answerOf({ 'content-type': 'text/event-stream', 'content-encoding': 'gzip' }), gzipSync(secret)],
  ['broken', json, secret.slice(0, -1)],
  ['two values', json, secret + secret],
  ['not UTF-8', json, Buffer.from([0x22, 0xff, 0x22])],
  ['no JSON-RPC', json, JSON.stringify({ tools })],
  ['longer than 8 MiB', json, Buffer.alloc(8 * 1024 * 1024 + 1, ' ')],
]

describe('an answer that cannot be read', () => {
  it.each(unreadable)('is an error instead: %s', async (_, headers, body) => {
    expect(errorIn(await lastReply(requestOf('alice'), headers, bodyOf(body)))).toEqual(failed)
    expect(faults).toMatchObject([{ code: 'policy_error' }])
  })

  it('is an error also where it grows too long piece by piece', async () => {
    const exchange = openExchange(client())
    await exchange.send(requestOf('alice'))
    await exchange.send(json)
    const piece = bodyOf(Buffer.alloc(1024 * 1024, ' '), false)
    for (let at = 0; at < 8; at += 1) expect(leaving(await exchange.send(piece))).toBe('')
    expect(errorIn(await exchange.send(piece))).toEqual(failed)
    await expect(exchange.send(piece)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
  })

  it.each([
    ['an error status', answerOf({ ':status': '404' }), bodyOf('no such session')],
    ['no type and no body', answerOf({ ':status': '202' }), bodyOf('')],
  ])('is passed on where it has %s', async (_, headers, body) => {
    expect(await lastReply(requestOf('alice'), headers, body)).toEqual({ response_body: {} })
  })

  it('is passed on where it has no body', async () => {
    const reply = await lastReply(requestOf('alice'), answerOf({ ':status': '202' }, true))
    expect(reply.response_headers?.response?.body_mutation).toBeUndefined()
    expect(reply.immediate_response).toBeUndefined()
  })

  it.each(['', '99', '2000', 'ok'])('is an error where its status is %j', async (value) => {
    const answer = answerOf({ ':status': value, 'content-type': 'application/json' })
    expect(errorIn(await lastReply(requestOf('alice'), answer))).toEqual(failed)
  })
})

describe('what is no list', () => {
  it('is not touched, and nobody is asked', async () => {
    const exchange = openExchange(client())
    const replies = [
      await exchange.send(requestOf('alice', 'none', { 'accept-encoding': 'gzip' })),
      await exchange.send(json),
      await exchange.send(bodyOf(secret, false)),
      await exchange.send(bodyOf(secret)),
      await exchange.send({ response_trailers: {} }),
    ]
    await exchange.end()
    const untouched = { response: { header_mutation: {} } }
    expect(replies).toEqual([
      { request_headers: untouched },
      { response_headers: untouched },
      { response_body: {} },
      { response_body: {} },
      { response_trailers: {} },
    ])
    expect(asked().queries).toEqual([])
  })
})

describe('a list among events', () => {
  async function begin(): Promise<Exchange> {
    const exchange = openExchange(client())
    await exchange.send(requestOf('alice'))
    const { mode_override: mode } = await exchange.send(events)
    expect(mode).toEqual({ response_body_mode: 'STREAMED' })
    return exchange
  }

  it('leaves cut, however the bytes come', async () => {
    const whole = leaving(await lastReply(requestOf('alice'), events, bodyOf(stream)))
    expect(whole).toMatch(
      /^: hi\n\nid: 1\ndata: \{"jsonrpc":"2.0","method":"notifications\/message","params":\{\}\}\n\n/,
    )
    expect(whole).toContain('"name":"forecast"')
    expect(whole).not.toMatch(/wipe|unheard_of/)
    for (let at = 0; at <= stream.length; at += 1) {
      const exchange = await begin()
      const first = leaving(await exchange.send(bodyOf(stream.slice(0, at), false)))
      expect(first + leaving(await exchange.send(bodyOf(stream.slice(at))))).toBe(whole)
      await exchange.end()
    }
    const exchange = await begin()
    let text = ''
    for (const byte of Buffer.from(stream)) text += leaving(await exchange.send(bodyOf(Buffer.from([byte]), false)))
    expect(text + leaving(await exchange.send(bodyOf('')))).toBe(whole)
    await exchange.end()
  })

  it('holds an event no longer than until it is whole', async () => {
    const exchange = await begin()
    expect(leaving(await exchange.send(bodyOf('data: {"method":"a"}\n', false)))).toBe('')
    expect(leaving(await exchange.send(bodyOf('\n', false)))).toBe('data: {"method":"a"}\n\n')
    await exchange.end()
  })

  it('is an error where it cannot be read', async () => {
    const text = leaving(await lastReply(requestOf('alice'), events, bodyOf('data: {"tools":[{"name":"wipe"}]}\n\n')))
    expect(text).toBe(`data: ${JSON.stringify(failed)}\n\n`)
  })

  it('ends the stream as failed where one event never ends', async () => {
    const exchange = await begin()
    const piece = bodyOf(Buffer.alloc(1024 * 1024, 'a'), false)
    for (let at = 0; at < 8; at += 1) await exchange.send(piece)
    await expect(exchange.send(piece)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
  })
})

describe('a request of which nobody knows what it asks', () => {
  const { metadata_context: said, ...bare } = requestOf('alice')
  it.each<[string, ProcessingFields]>([
    ['without metadata', bare],
    ['with metadata of another filter', { ...bare, ...metadata(listQuestion, 'envoy.filters.http.lua') }],
    [
      'with another key',
      { ...bare, metadata_context: { filter_metadata: { 'envoy.filters.http.ext_authz': { fields: {} } } } },
    ],
    ['with a word', requestOf('alice', 'None')],
    ['with an empty word', requestOf('alice', '')],
    ['with broken JSON', requestOf('alice', '{"virtualServers":[]')],
    ['with null', requestOf('alice', 'null')],
    ['without virtual servers', requestOf('alice', { server: 'weather' })],
    ['with virtual servers that are no names', requestOf('alice', { virtualServers: [1] })],
    ['with an empty server', requestOf('alice', { virtualServers: [], server: '' })],
    ['with an end that is no number', requestOf('alice', { virtualServers: [], expiresAt: 'never' })],
    ['in headers of its own', { ...bare, ...answerHeaders() }],
  ])('is answered with an error: %s', async (_, part) => {
    expect(said).toBeDefined()
    expect(errorIn(await lastReply(part))).toMatchObject({ error: failed.error })
  })

  it('is answered with an error where the request was left out', async () => {
    expect(errorIn(await lastReply({ ...json, ...metadata(listQuestion) }))).toEqual(failed)
    expect(errorIn(await lastReply(json))).toEqual({ ...failed, id: null })
  })

  function answerHeaders(): ProcessingFields {
    const forged = { 'x-mcp-authz-filter': 'none', list_filter: 'none', 'mcp-method': 'ping' }
    return { request_headers: requestOf('alice', 'none', forged).request_headers ?? {} }
  }
})
