import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiKey } from '../../src/api-keys/create.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { openState } from '../../src/state/open.ts'
import { isBody, orderOf } from '../api-keys/place.ts'
import { catalogue, forge, issuer, makePlace, type Place } from './place.ts'
import { bearer, events, handlerOf, messagesOf, result, rpcRequest } from './requests.ts'

let place: Place
let guard: Guard
/** Another process or replica over the same state. */
let other: Guard
let alice: Headers
let bob: Headers
const faults: string[] = []

type Headers = Readonly<Record<string, string>>

beforeAll(async () => {
  place = await makePlace({ more: { state: { file: 'state.db' } } })
  guard = await createGuard({ config: place.config, onFault: (_, cause) => faults.push(cause) })
  other = await createGuard({ config: place.config })
  alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
  bob = bearer(await place.token('bob', { roles: ['meteorologist'] }))
})
afterAll(async () => {
  await guard.close()
  await other.close()
  await place.remove()
})

let ids = 0
function freshId(): string {
  ids += 1
  return `task-${ids}`
}

const core = (taskId: string) => ({ task: { taskId, status: 'working', ttl: 60_000 } })
const extension = (taskId: string) => ({ resultType: 'task', taskId, status: 'working', ttlMs: null })
const inCore = { name: 'weather_forecast', task: { ttl: 60_000 } }
const inExtension = {
  name: 'weather_forecast',
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
  },
}

/** Calls a tool that answers so; what the client gets. */
async function call(params: unknown, answer: Response, headers = alice, through = guard): Promise<Response> {
  return await through.fetch(handlerOf(() => answer).fetch)(rpcRequest('tools/call', params, headers))
}

async function made(id: string, headers = alice): Promise<string> {
  expect((await call(inCore, result(core(id)), headers)).status).toBe(200)
  return id
}

/** `passed`, or the reason why the request did not reach the handler. */
async function asked(method: string, params: unknown, headers = alice, through = guard): Promise<string> {
  const handler = handlerOf(() => result({}))
  const response = await through.fetch(handler.fetch)(rpcRequest(method, params, headers))
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  if (response.ok) return 'passed'
  return ((await response.json()) as { error: { data: { reason: string } } }).error.data.reason
}

const methods = ['tasks/get', 'tasks/result', 'tasks/update', 'tasks/cancel']

describe('a task', () => {
  it.each([
    ['of 2025-11-25 in JSON', inCore, (id: string) => result(core(id))],
    ['of 2025-11-25 in a stream', inCore, (id: string) => events({ jsonrpc: '2.0', id: 1, result: core(id) })],
    ['of the extension in JSON', inExtension, (id: string) => result(extension(id))],
    [
      'of the extension in a stream',
      inExtension,
      (id: string) => events({ jsonrpc: '2.0', id: 1, result: extension(id) }),
    ],
  ])('%s belongs to whoever called, through every process', async (_, params, answer) => {
    const id = freshId()
    const response = await call(params, answer(id))
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining(id)])
    for (const method of methods) {
      for (const through of [guard, other]) {
        expect(await asked(method, { taskId: id }, alice, through)).toBe('passed')
        expect(await asked(method, { taskId: id }, bob, through)).toBe('item_unknown')
      }
    }
  })

  it('of somebody else cannot be told from one that does not exist', async () => {
    const id = await made(freshId())
    const answerTo = async (taskId: string): Promise<unknown> => {
      const denial = await guard.fetch(async () => result({}))(rpcRequest('tasks/get', { taskId }, bob))
      const text = (await denial.text()).replaceAll(/"decision_id":"[^"]+"/g, '')
      return [denial.status, text, [...denial.headers]]
    }
    expect(await answerTo(id)).toEqual(await answerTo('never-made'))
  })
})

it('says by the codes of MCP that a task does not exist, whoever has it', async () => {
  const id = await made(freshId())
  const { _meta: meta } = inExtension
  const silent = { 'io.modelcontextprotocol/protocolVersion': meta['io.modelcontextprotocol/protocolVersion'] }
  const said = async (taskId: string, _meta: object): Promise<unknown> => {
    const request = rpcRequest('tasks/get', { taskId, _meta }, bob)
    const denial = await guard.fetch(async () => expect.fail('reached'))(request)
    const { code, data } = ((await denial.json()) as { error: { code: number; data: object } }).error
    return [denial.status, code, data]
  }
  for (const taskId of [id, 'never-made']) {
    const data = { reason: 'item_unknown', decision_id: expect.any(String) }
    expect(await said(taskId, {})).toEqual([403, -32602, data])
    expect(await said(taskId, meta)).toEqual([403, -32602, data])
    const requiredCapabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } }
    expect(await said(taskId, silent)).toEqual([400, -32021, { ...data, requiredCapabilities }])
  }
})

describe('the owner of a task', () => {
  it('has it no longer once its tool is not listed to them', async () => {
    const id = await made(freshId())
    const demoted = bearer(await place.token('alice', { roles: ['reader'] }))
    for (const method of methods) expect(await asked(method, { taskId: id }, demoted)).toBe('item_unknown')
    expect(await asked('tasks/get', { taskId: id }, { ...alice, 'x-mcp-virtualserver': 'team/none' })).toBe(
      'virtual_server_unknown',
    )
    expect(await asked('tasks/get', { taskId: id }, { ...alice, 'x-mcp-virtualserver': 'team/desk' })).toBe('passed')
    expect(await asked('tasks/get', { taskId: id })).toBe('passed')
  })

  it('is the same by a token and by the x-mcp-authorized that was minted for it', async () => {
    const id = await made(freshId())
    const capability = async (origin: object): Promise<Headers> => {
      const capabilities = JSON.stringify({ tools: { weather: ['forecast'] } })
      const parties = { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60 }
      const claims = { ...parties, 'allowed-capabilities': capabilities, ...origin }
      return { 'x-mcp-authorized': await forge(place.capabilityPem, claims) }
    }
    const get = async (origin: object) => await asked('tasks/get', { taskId: id }, await capability(origin))
    expect(await get({ origin: { iss: issuer } })).toBe('passed')
    expect(await get({ origin: { iss: 'https://other.example' } })).toBe('item_unknown')
    expect(await get({ origin: { iss: issuer, sub: 'somebody' } })).toBe('item_unknown')
    expect(await get({ origin: { iss: issuer, api_key: 'k' } })).toBe('item_unknown')
    expect(await get({})).toBe('item_unknown')
  })

  it('is nobody where the call did not speak of tasks', async () => {
    const id = freshId()
    expect((await call({ name: 'weather_forecast' }, result(core(id)))).status).toBe(200)
    expect(await asked('tasks/get', { taskId: id })).toBe('item_unknown')
  })

  it('names it in the header as in the body', async () => {
    const id = await made(freshId())
    const base64 = `=?base64?${Buffer.from(id).toString('base64')}?=`
    for (const name of [id, base64]) {
      expect(await asked('tasks/get', { taskId: id }, { ...alice, 'mcp-name': name, 'mcp-method': 'tasks/get' })).toBe(
        'passed',
      )
    }
    expect(await asked('tasks/get', { taskId: id }, { ...alice, 'mcp-name': 'task-0' })).toBe('header_mismatch')
  })

  it('names it by a string', async () => {
    for (const params of [{}, { taskId: 1 }, { taskId: null }, { taskId: ['t'] }]) {
      expect(await asked('tasks/get', params)).toBe('body_malformed')
    }
  })
})

describe('the answer to a call that may make a task', () => {
  it.each([
    ['JSON', (id: string) => result(core(id)), 500],
    ['a stream', (id: string) => events({ jsonrpc: '2.0', id: 1, result: core(id) }), 200],
  ])('is withheld where its task has the id of another one, in %s, and changes nothing', async (_, answer, status) => {
    const id = await made(freshId())
    const stolen = await call(inCore, answer(id), bob)
    const text = await stolen.text()
    expect(stolen.status).toBe(status)
    expect(text).not.toContain(id)
    const message = status === 200 ? messagesOf(text)[0] : JSON.parse(text)
    expect(message).toMatchObject({ id: 1, error: { code: -32603 } })
    expect(faults.at(-1)).toContain('made by another call')
    expect(await asked('tasks/get', { taskId: id }, bob)).toBe('item_unknown')
    expect(await asked('tasks/get', { taskId: id })).toBe('passed')
  })

  it('is withheld from a caller without a name', async () => {
    const nameless = { 'x-mcp-authorized': await place.authorized({ tools: { weather: ['forecast'] } }, '') }
    expect((await call(inCore, result(core(freshId())), nameless)).status).toBe(500)
  })

  it('that makes none is left as it was, byte for byte', async () => {
    const text = '{"jsonrpc":"2.0","id":1, "result":{"content":[{"type":"text","text":"taskId"}]} }'
    const answer = new Response(text, { headers: { 'content-type': 'application/json', etag: '"1"' } })
    const response = await call(inCore, answer)
    expect([await response.text(), response.headers.get('etag')]).toEqual([text, '"1"'])
    for (const [body, type] of [
      ['{"taskId":', 'application/json'],
      ['taskId', 'text/plain'],
    ] as const) {
      const odd = await call(inCore, new Response(body, { headers: { 'content-type': type } }))
      expect(await odd.text()).toBe(body)
    }
  })
})

describe('a list of tasks', () => {
  it.each([
    ['JSON', (value: unknown) => result(value)],
    ['a stream', (value: unknown) => events({ jsonrpc: '2.0', id: 1, result: value })],
  ])('shows the own ones alone, in %s', async (_, answer) => {
    const [mine, theirs] = [await made(freshId()), await made(freshId(), bob)]
    const tasks = [mine, 'never-made', theirs].map((taskId) => ({ taskId, status: 'working' }))
    const listed = async (headers: Headers): Promise<unknown> => {
      const handler = handlerOf(() => answer({ tasks, nextCursor: 'n' }))
      const text = await (await guard.fetch(handler.fetch)(rpcRequest('tasks/list', {}, headers))).text()
      return text.startsWith('{') ? JSON.parse(text) : messagesOf(text)[0]
    }
    const shown = (taskId: string) => ({ result: { tasks: [{ taskId, status: 'working' }], nextCursor: 'n' } })
    expect(await listed(alice)).toMatchObject(shown(mine))
    expect(await listed(bob)).toMatchObject(shown(theirs))
    const demoted = bearer(await place.token('alice', { roles: ['reader'] }))
    expect(await listed(demoted)).toMatchObject({ result: { tasks: [], nextCursor: 'n' } })
  })

  it('needs a credential', async () => {
    expect(await asked('tasks/list', {}, {})).toBe('token_missing')
  })
})

describe('listening to tasks', () => {
  it('is allowed for the own ones alone, and for every resource beside them', async () => {
    const [mine, theirs] = [await made(freshId()), await made(freshId(), bob)]
    const listen = async (taskIds: unknown, uris: readonly string[] = []): Promise<string> =>
      await asked('subscriptions/listen', { notifications: { taskIds, resourceSubscriptions: uris } })
    expect(await listen([])).toBe('passed')
    expect(await listen([mine])).toBe('passed')
    expect(await listen([mine], ['weather://stations'])).toBe('passed')
    expect(await listen([mine], ['files://index'])).toBe('role_missing')
    expect(await listen([mine, theirs])).toBe('item_unknown')
    expect(await listen(['never-made'])).toBe('item_unknown')
    for (const odd of [mine, [1], null]) expect(await listen(odd)).toBe('body_malformed')
  })
})

it('decides about tasks only where answers are seen', async () => {
  const id = await made(freshId())
  const token = await place.token('alice', { roles: ['meteorologist'] })
  const decision = await guard.decide({ credential: token, method: 'tasks/get', params: { taskId: id } })
  expect(decision.reasons.map(({ code }) => code)).toEqual(['method_unknown'])
})

it('names tool and method of a task in the decision', async () => {
  const decisions: unknown[] = []
  const recording = await createGuard({ config: place.config, record: (decision) => decisions.push(decision) })
  const id = await made(freshId())
  expect(await asked('tasks/cancel', { taskId: id }, alice, recording)).toBe('passed')
  expect(await asked('tasks/cancel', { taskId: id }, bob, recording)).toBe('item_unknown')
  expect(decisions).toMatchObject([
    { allow: true, action: 'tasks/cancel', resource: { type: 'tool', name: 'weather_forecast' }, subject: 'alice' },
    { allow: false, action: 'tasks/cancel', resource: { type: 'server' }, subject: 'bob' },
  ])
  await recording.close()
})

it('keeps the tasks of two servers apart', async () => {
  const id = await made(freshId())
  const weather = await createGuard({ config: place.config, server: 'weather' })
  expect(await asked('tasks/get', { taskId: id }, alice, weather)).toBe('item_unknown')
  expect((await call({ name: 'forecast', task: {} }, result(core(id)), bob, weather)).status).toBe(200)
  expect(await asked('tasks/get', { taskId: id }, bob, weather)).toBe('passed')
  expect(await asked('tasks/get', { taskId: id })).toBe('passed')
  await weather.close()
})

it('makes and shows no task where nothing can be kept or known', async () => {
  const id = await made(freshId())
  const failing = await makePlace({ more: { state: { file: 'state.db' } } })
  const broken = await createGuard({ config: failing.config })
  const token = bearer(await failing.token('alice', { roles: ['meteorologist'] }))
  const database = new DatabaseSync(join(dirname(failing.config), 'state.db'))
  database.exec('DROP TABLE bindings')
  database.close()
  const response = await call(inCore, result(core(id)), token, broken)
  expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining(id)])
  expect(await asked('tasks/get', { taskId: id }, token, broken)).toBe('policy_error')
  const handler = handlerOf(() => result({ tasks: [{ taskId: id }] }))
  const listed = await broken.fetch(handler.fetch)(rpcRequest('tasks/list', {}, token))
  expect(await listed.json()).toMatchObject({ result: { tasks: [] } })
  await broken.close()
  await failing.remove()
})

it('keeps the tasks of two API keys of one person apart, and from those of their tokens', async () => {
  const keyed = await makePlace({ more: { state: { file: 'state.db' } } })
  const report = (text: string): never => expect.fail(text)
  const reports = { onFault: report, onWarning: report }
  const state = await openState({ file: join(dirname(keyed.config), 'state.db'), named: true, ...reports })
  const order = { ...orderOf('alice'), roles: ['meteorologist'] }
  const make = async () => bearer((await createApiKey(order, { ledger: state.ledger, isBody })).secret)
  const [one, another] = [await make(), await make()]
  await state.close()
  const keyedGuard = await createGuard({ config: keyed.config })
  const token = bearer(await keyed.token('alice', { roles: ['meteorologist'] }))
  expect((await call(inCore, result(core('t')), one, keyedGuard)).status).toBe(200)
  expect(await asked('tasks/get', { taskId: 't' }, one, keyedGuard)).toBe('passed')
  expect(await asked('tasks/get', { taskId: 't' }, another, keyedGuard)).toBe('item_unknown')
  expect(await asked('tasks/get', { taskId: 't' }, token, keyedGuard)).toBe('item_unknown')
  await keyedGuard.close()
  await keyed.remove()
})

it('denies every task of a server that is disabled', async () => {
  const disabled = { ...catalogue.servers.weather, state: 'Disabled' }
  const elsewhere = await makePlace({ more: { state: { file: 'state.db' } } })
  const token = bearer(await elsewhere.token('alice', { roles: ['meteorologist'] }))
  const before = await createGuard({ config: elsewhere.config, server: 'weather' })
  expect((await call({ name: 'forecast', task: {} }, result(core('t')), token, before)).status).toBe(200)
  await before.close()
  await elsewhere.writeCatalogue({ ...catalogue, servers: { ...catalogue.servers, weather: disabled } })
  const after = await createGuard({ config: elsewhere.config, server: 'weather' })
  expect(await asked('tasks/get', { taskId: 't' }, token, after)).toBe('server_disabled')
  await after.close()
  await elsewhere.remove()
})
