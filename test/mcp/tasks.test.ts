import { describe, expect, it } from 'vitest'
import type { Reading, ReadOptions } from '../../src/mcp/reading.ts'
import { batches, type HeaderFields, outcome, post, rpc, strict } from './requests.ts'

/** Through a door that knows whose each task is. */
const bound = (body: string, headers: HeaderFields = {}, options: ReadOptions = strict): Reading =>
  post(body, headers, options, { tasks: true })
const methods = ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel']
const server = { type: 'server' }
const extension = {
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}
const modern = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }

describe('a method of tasks', () => {
  it.each(methods)('%s is not known where nobody knows whose each task is', (method) => {
    expect(outcome(post(rpc(method, { taskId: 't' })))).toBe('method_unknown')
    expect(outcome(post(rpc('tasks/list')))).toBe('method_unknown')
  })

  it.each(methods)('%s asks for one task', (method) => {
    expect(bound(rpc(method, { taskId: 't' }))).toMatchObject({ asks: [{ action: method, target: server, task: 't' }] })
    for (const params of [undefined, {}, { taskId: 1 }, { taskId: ['t'] }]) {
      expect(outcome(bound(rpc(method, params)))).toBe('body_malformed')
    }
    expect(outcome(bound(rpc(method, { taskId: 't' }).replace('"id":1,', '')))).toBe('body_malformed')
    expect(outcome(bound(rpc(method, { taskId: 't', TaskId: 'u' })))).toBe('body_ambiguous')
  })

  it('is named in the header as in the body', () => {
    for (const name of ['t', ' t ', '=?base64?dA==?=']) {
      expect(outcome(bound(rpc('tasks/get', { taskId: 't' }), { 'mcp-name': name }))).toBe('read')
    }
    for (const name of ['u', 'T', '', '=?base64?dQ==?=']) {
      expect(outcome(bound(rpc('tasks/get', { taskId: 't' }), { 'mcp-name': name }))).toBe('header_mismatch')
    }
  })

  it.each([
    ['before 2026-07-28', {}, {}, 'declared'],
    ['by a client that declares tasks', { ...modern, ...extension }, {}, 'declared'],
    ['by a client that declares none', modern, {}, 'undeclared'],
    [
      'by a client that declares another extension',
      { ...modern, 'io.modelcontextprotocol/clientCapabilities': { extensions: { x: {} } } },
      {},
      'undeclared',
    ],
    ['in a session, which is older', modern, { 'mcp-session-id': 's' }, 'declared'],
  ])('is known to be asked %s', (_, _meta, headers, tasks) => {
    const params = { taskId: 't', _meta }
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const reading = bound(rpc(method, params), headers)
      expect([outcome(reading), reading.rpcId?.tasks]).toEqual(['read', tasks])
    }
    expect(bound(rpc('tools/call', { name: 'a', _meta }), headers).rpcId).not.toHaveProperty('tasks')
    const notifications = { taskIds: ['t'] }
    expect(bound(rpc('subscriptions/listen', { notifications, _meta }), headers).rpcId).not.toHaveProperty('tasks')
  })

  it.each(['tasks/made', 'tasks/', 'Tasks/get', 'tasks/get ', 'tasks/__proto__'])('is not %j', (method) => {
    expect(outcome(bound(rpc(method, { taskId: 't' })))).toBe('method_unknown')
  })

  it('stands in no batch, since the version that has those has no tasks', () => {
    const old = { 'mcp-protocol-version': '2025-03-26' }
    expect(outcome(bound(`[${rpc('tasks/get', { taskId: 't' })}]`, old, batches))).toBe('method_unknown')
    const call = rpc('tools/call', { name: 'a', task: {} })
    expect(bound(`[${call}]`, old, batches)).toMatchObject({
      asks: [{ action: 'tools/call', target: { type: 'tool', name: 'a' } }],
    })
  })
})

it('listens to tasks and resources at once', () => {
  const listen = (notifications: unknown): Reading => bound(rpc('subscriptions/listen', { notifications }))
  const action = 'subscriptions/listen'
  expect(listen({ taskIds: ['t', 'u', 't'], resourceSubscriptions: ['a:b'] })).toMatchObject({
    asks: [
      { action, target: { type: 'resource', names: ['a:b'] } },
      { action, target: server, task: 't' },
      { action, target: server, task: 'u' },
    ],
  })
  expect(listen({ taskIds: ['t'] })).toMatchObject({ asks: [{ action, target: server, task: 't' }] })
  expect(listen({ taskIds: [] })).toMatchObject({ asks: [{ action, target: server }] })
})

it.each([
  ['params.task', { task: {} }, true],
  ['the capability of its client', { _meta: extension }, true],
  ['nothing', {}, undefined],
  [
    'another extension',
    { _meta: { 'io.modelcontextprotocol/clientCapabilities': { extensions: { x: {} } } } },
    undefined,
  ],
  ['capabilities that are none', { _meta: { 'io.modelcontextprotocol/clientCapabilities': [] } }, undefined],
  ['its arguments', { arguments: { task: {} } }, undefined],
])('by %s a call says whether it may make a task', (_, params, mayMakeTask) => {
  const body = rpc('tools/call', { name: 'a', ...params })
  const ask = (reading: Reading): unknown => (reading.ok ? reading.asks[0]?.mayMakeTask : reading.code)
  expect(ask(bound(body))).toBe(mayMakeTask)
  expect(ask(post(body))).toBeUndefined()
})

describe('a version that was never published', () => {
  const meta = (version: unknown) => rpc('ping', { _meta: { 'io.modelcontextprotocol/protocolVersion': version } })
  it.each([
    ['the header', rpc('ping'), { 'mcp-protocol-version': ' 2027-01-01' }, '2027-01-01'],
    ['_meta', meta('2027-01-01'), {}, '2027-01-01'],
    ['_meta, beside a header that is none', meta('x'), { 'mcp-protocol-version': 'x' }, 'x'],
    ['_meta, as a number', meta(2027), {}, undefined],
  ])('is repeated to whoever asked for it, in %s', (_, body, headers, unsupportedVersion) => {
    const reading = post(body, headers as HeaderFields)
    expect(reading).toMatchObject({ code: 'version_unsupported', rpcId: { text: '1' } })
    expect(reading.rpcId?.unsupportedVersion).toBe(unsupportedVersion)
  })
})
