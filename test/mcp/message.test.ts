import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readMessage } from '../../src/mcp/message.ts'

const request = (method: string, params?: unknown): Record<string, unknown> =>
  params === undefined ? { jsonrpc: '2.0', id: 1, method } : { jsonrpc: '2.0', id: 1, method, params }

const targetOf = (message: unknown): unknown => {
  const reading = readMessage(message)
  return reading.ok ? (reading.message.target ?? 'unknown') : reading.code
}

it.each([
  ['tools/call', { name: 'a' }, { type: 'tool', name: 'a', arguments: {} }],
  ['tools/call', { name: '' }, { type: 'tool', name: '', arguments: {} }],
  [
    'tools/call',
    { name: '__proto__', arguments: { Name: 1 } },
    { type: 'tool', name: '__proto__', arguments: { Name: 1 } },
  ],
  ['prompts/get', { name: 'a' }, { type: 'prompt', name: 'a', arguments: {} }],
  ['resources/read', { uri: 'a:b' }, { type: 'resource', name: 'a:b' }],
  ['resources/subscribe', { uri: 'a:b' }, { type: 'resource', name: 'a:b' }],
  ['resources/unsubscribe', { uri: 'a:b' }, { type: 'server' }],
  ['resources/unsubscribe', undefined, { type: 'server' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'a' } }, { type: 'prompt', name: 'a' }],
  ['completion/complete', { ref: { type: 'ref/resource', uri: 'a:{b}' } }, { type: 'resource', name: 'a:{b}' }],
  ['subscriptions/listen', undefined, { type: 'server' }],
  ['subscriptions/listen', {}, { type: 'server' }],
  ['subscriptions/listen', { notifications: { toolsListChanged: true } }, { type: 'server' }],
  ['subscriptions/listen', { notifications: { resourceSubscriptions: [] } }, { type: 'server' }],
  [
    'subscriptions/listen',
    { notifications: { resourceSubscriptions: ['a:b', 'c:d'] } },
    { type: 'resource', names: ['a:b', 'c:d'] },
  ],
  ['subscriptions/listen', { notifications: { taskIds: [] } }, 'unknown'],
  ['tools/list', { cursor: 'x' }, { type: 'server' }],
  ['tasks/get', { taskId: 't' }, 'unknown'],
  ['tasks/get', { taskId: 7 }, 'unknown'],
  ['sampling/createMessage', {}, 'unknown'],
])('reads %s %j', (method, params, target) => {
  expect(targetOf(request(method, params))).toEqual(target)
})

it.each([
  ['no object', 7],
  ['null', null],
  ['an array', []],
  ['nothing at all', {}],
  ['no version', { id: 1, method: 'ping' }],
  ['another version', { ...request('ping'), jsonrpc: '1.0' }],
  ['a number as version', { ...request('ping'), jsonrpc: 2 }],
  ['an id of null', { ...request('ping'), id: null }],
  ['an id of true', { ...request('ping'), id: true }],
  ['an id object', { ...request('ping'), id: {} }],
  ['a method that is no string', { jsonrpc: '2.0', id: 1, method: ['ping'] }],
  ['a method of null', { jsonrpc: '2.0', id: 1, method: null }],
  ['params of null', { ...request('ping'), params: null }],
  ['params as an array', { ...request('ping'), params: [] }],
  ['params as a string', { ...request('ping'), params: 'x' }],
  ['no name', request('tools/call', {})],
  ['no params', request('tools/call')],
  ['a name that is no string', request('tools/call', { name: ['a'] })],
  ['a name of null', request('prompts/get', { name: null })],
  ['an inherited name', request('tools/call', Object.create({ name: 'a' }))],
  ['a uri that is no string', request('resources/read', { uri: 1 })],
  ['a name where a uri belongs', request('resources/read', { name: 'a' })],
  ['a uri that is no string where only the server counts', request('resources/unsubscribe', { uri: 1 })],
  ['no ref', request('completion/complete', {})],
  ['a ref that is no object', request('completion/complete', { ref: 'ref/prompt' })],
  ['a ref without type', request('completion/complete', { ref: { name: 'a' } })],
  ['a ref of an unknown type', request('completion/complete', { ref: { type: 'ref/tool', name: 'a' } })],
  ['a prompt ref without name', request('completion/complete', { ref: { type: 'ref/prompt', uri: 'a' } })],
  ['a resource ref without uri', request('completion/complete', { ref: { type: 'ref/resource', name: 'a' } })],
  ['notifications of null', request('subscriptions/listen', { notifications: null })],
  ['notifications as an array', request('subscriptions/listen', { notifications: [] })],
  ...[null, 'a:b', {}, [1], ['a:b', null]].map((uris): [string, unknown] => [
    `subscriptions to ${JSON.stringify(uris)}`,
    request('subscriptions/listen', { notifications: { resourceSubscriptions: uris, taskIds: [] } }),
  ]),
  ['a response without id', { jsonrpc: '2.0', result: {} }],
  ['a response with an id of null', { jsonrpc: '2.0', id: null, result: {} }],
  ['a response with result and error', { jsonrpc: '2.0', id: 1, result: {}, error: {} }],
  ['a response with neither', { jsonrpc: '2.0', id: 1 }],
])('refuses %s as malformed', (_, message) => {
  expect(targetOf(message)).toBe('body_malformed')
})

it.each([
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'completion/complete',
  'subscriptions/listen',
])('refuses %s without an id', (method) => {
  const params = { name: 'a', uri: 'a:b', ref: { type: 'ref/prompt', name: 'a' } }
  expect(targetOf({ ...request(method, params) })).not.toBe('body_malformed')
  expect(targetOf({ jsonrpc: '2.0', method, params })).toBe('body_malformed')
})

it.each(['result', 'error'])('refuses a request that is a response too, by %s', (key) => {
  expect(targetOf({ ...request('tools/call', { name: 'a' }), [key]: {} })).toBe('body_ambiguous')
  expect(targetOf({ jsonrpc: '2.0', method: 'notifications/x', [key]: null })).toBe('body_ambiguous')
})

it('reads a response as a thing of the server as a whole', () => {
  const message = { action: 'response', target: { type: 'server' } }
  expect(readMessage({ jsonrpc: '2.0', id: 'x', result: {} })).toEqual({ ok: true, message })
  expect(readMessage({ jsonrpc: '2.0', id: 0, error: { code: 1 } })).toEqual({ ok: true, message })
})

it('names the method of a message it refuses, where it has one', () => {
  expect(readMessage(request('tools/call', {}))).toMatchObject({ ok: false, action: 'tools/call' })
  expect(readMessage({ method: 7 })).toMatchObject({ ok: false, action: '' })
})

it('keeps what Mcp-Name has to say, and the version of _meta whatever its type', () => {
  const meta = { 'io.modelcontextprotocol/protocolVersion': null }
  expect(readMessage(request('resources/unsubscribe', { uri: 'a:b', _meta: meta }))).toEqual({
    ok: true,
    message: {
      action: 'resources/unsubscribe',
      method: 'resources/unsubscribe',
      target: { type: 'server' },
      mirrored: 'a:b',
      metaVersion: null,
    },
  })
  expect(readMessage(request('tasks/get', { taskId: 't', _meta: [] }))).toEqual({
    ok: true,
    message: { action: 'tasks/get', method: 'tasks/get', mirrored: 't' },
  })
})

const spellings: Readonly<Record<string, readonly string[]>> = { s: ['S', 'ſ'], k: ['K', '\u212a'] }

/** A key with some letters in another case, and never the key itself. */
const variantOf = (key: string): fc.Arbitrary<string> =>
  fc
    .tuple(
      ...Array.from(key, (char) =>
        fc.constantFrom(char, ...(spellings[char.toLowerCase()] ?? [char.toUpperCase(), char.toLowerCase()])),
      ),
    )
    .map((chars) => chars.join(''))
    .filter((variant) => variant !== key)

const places: readonly (readonly [place: string, keys: readonly string[], put: (key: string) => unknown])[] = [
  [
    'the message',
    ['jsonrpc', 'id', 'method', 'params', 'result', 'error'],
    (key) => ({ ...request('tools/call', { name: 'a' }), [key]: 1 }),
  ],
  [
    'params',
    ['name', 'uri', 'ref', 'taskId', 'arguments', '_meta'],
    (key) => request('tools/call', { name: 'a', [key]: 1 }),
  ],
  [
    'params.ref',
    ['type', 'name', 'uri'],
    (key) => request('completion/complete', { ref: { type: 'ref/prompt', name: 'a', [key]: 1 } }),
  ],
  ['the params of listen', ['notifications'], (key) => request('subscriptions/listen', { [key]: {} })],
  [
    'the notifications of listen',
    ['resourceSubscriptions', 'taskIds'],
    (key) => request('subscriptions/listen', { notifications: { [key]: ['a:b'] } }),
  ],
]

describe('keys that differ in case only', () => {
  it.each(places)('are refused in %s', (_, keys, put) => {
    const variant = fc.constantFrom(...keys).chain(variantOf)
    fc.assert(
      fc.property(variant, (key) => {
        expect(targetOf(put(key))).toBe('body_ambiguous')
      }),
    )
  })

  it.each(['paramſ', 'reſult', 'jſonrpc', 'METHOD'])('are refused in other scripts too: %s', (key) => {
    expect(targetOf({ ...request('ping'), [key]: {} })).toBe('body_ambiguous')
  })

  it('are refused before a message is found malformed', () => {
    expect(targetOf({ Method: 'ping' })).toBe('body_ambiguous')
    expect(targetOf(request('tools/call', { ['tas\u212aId']: 1 }))).toBe('body_ambiguous')
  })

  it.each(['names', 'uri ', 'naıme', 'İd', 'ﬁ', 'Result'])('are not found in params for %j', (key) => {
    expect(targetOf(request('tools/call', { name: 'a', [key]: 1 }))).toEqual({ type: 'tool', name: 'a', arguments: {} })
  })

  it('are free in arguments', () => {
    const free = { Name: 1, URI: 2, Arguments: { ID: 3 } }
    expect(targetOf(request('tools/call', { name: 'a', arguments: free }))).toEqual({
      type: 'tool',
      name: 'a',
      arguments: free,
    })
  })
})
