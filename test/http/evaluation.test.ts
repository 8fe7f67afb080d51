import { describe, expect, it } from 'vitest'
import { messageOf } from '../../src/policy/reasons.ts'
import { bearer, data, sceneWith } from '../authorizer/scenes.ts'
import { engineOf } from '../policy/questions.ts'
import { type Answer, type Door, evaluation, openDoor, people, unasked } from './door.ts'

const path = '/access/v1/evaluation'

async function evaluate(changes: Record<string, unknown>, headers: Record<string, string> = {}): Promise<Answer> {
  return await (await openDoor()).post(path, evaluation(changes), headers)
}

function subject(properties: unknown, id = 'alice'): Record<string, unknown> {
  return { subject: { type: 'identity', id, ...(properties === undefined ? {} : { properties }) } }
}

function resource(type: string, id: string, properties?: unknown): Record<string, unknown> {
  return { resource: { type, id, ...(properties === undefined ? {} : { properties }) } }
}

/** `allow`, or the first reason of a denial. */
async function outcomeOf(changes: Record<string, unknown>, headers?: Record<string, string>): Promise<string> {
  const { status, json } = await evaluate(changes, headers)
  expect(status).toBe(200)
  return json.decision === true ? 'allow' : String(json.context.reasons[0]?.code)
}

describe('an evaluation', () => {
  it('is answered with the decision, its id, the revision and the reasons', async () => {
    const door: Door = await openDoor()
    const allowed = await door.post(path, evaluation())
    const [recorded] = door.scene.recorded
    expect(allowed.json).toEqual({
      decision: true,
      context: { id: recorded?.id, revision: recorded?.revision, reasons: [] },
    })
    const denied = await door.post(path, evaluation(resource('tool', 'nothing')))
    expect(denied).toMatchObject({
      status: 200,
      json: { decision: false, context: { reasons: [{ code: 'item_unknown' }] } },
    })
    expect(door.scene.recorded).toHaveLength(2)
  })

  it('ignores fields nobody knows', async () => {
    expect(await outcomeOf({ context: { time: 1 }, extra: [], decision: false })).toBe('allow')
  })

  it.each([
    ['no subject', { subject: undefined }],
    ['a subject that is a text', { subject: 'alice' }],
    ['a subject without a type', { subject: { id: 'alice' } }],
    ['a subject without an id', { subject: { type: 'identity' } }],
    ['a subject whose id is a number', { subject: { type: 'identity', id: 1 } }],
    ['no action', { action: undefined }],
    ['an action without a name', { action: {} }],
    ['an action that is a list', { action: ['tools/call'] }],
    ['no resource', { resource: undefined }],
    ['a resource without a type', { resource: { id: 'x' } }],
    ['a resource without an id', { resource: { type: 'tool' } }],
    ['a resource that is null', { resource: null }],
    ['resource properties that are a list', resource('tool', 'x', [])],
    ['subject properties that are a text', subject('x')],
    ['a token that is an object', subject({ token: {} })],
    ['claims that are a list', subject({ claims: [] })],
    ['claims that are null', subject({ claims: null })],
    ['a token and claims', subject({ token: bearer(), claims: people.alice })],
  ])('is a bad request with %s', async (_, changes) => {
    const door = await openDoor({ authorizer: unasked })
    const { status, json } = await door.post(path, evaluation(changes))
    expect(status).toBe(400)
    expect(json.error).toMatch(/^expected /)
  })
})

describe('who asks', () => {
  it('is who the token names', async () => {
    expect(await outcomeOf(subject({ token: bearer() }))).toBe('allow')
    expect(await outcomeOf(subject({ token: bearer({}, []) }))).toBe('role_missing')
    expect(await outcomeOf(subject({ token: `${bearer()}x` }))).toBe('token_malformed')
    expect(await outcomeOf(subject({ token: bearer({ aud: 'other' }) }))).toBe('token_audience')
    expect(await outcomeOf(subject({ token: '' }))).toBe('token_missing')
  })

  it('is nobody without a token or claims, whatever the HTTP request carries', async () => {
    const authorization = { authorization: `Bearer ${bearer()}` }
    for (const properties of [undefined, {}, { role: 'forecaster' }]) {
      expect(await outcomeOf(subject(properties), authorization)).toBe('token_missing')
    }
  })

  it('is not somebody else than the subject of the question', async () => {
    expect(await outcomeOf(subject({ token: bearer() }, 'bob'))).toBe('token_claim_missing')
    expect(await outcomeOf(subject({ claims: people.alice }, 'bob'))).toBe('token_claim_missing')
    expect(await outcomeOf(subject({ claims: people.alice }, 'Alice'))).toBe('token_claim_missing')
    expect(await outcomeOf(subject({ claims: {} }, ''))).toBe('token_claim_missing')
  })

  it.each([
    'x-forwarded-for',
    'X-Forwarded-Proto',
    'x-forwarded-host',
    'forwarded',
    'via',
    'x-real-ip',
    'x-envoy-external-address',
  ])('is not believed to have verified claims through a proxy that sends %s', async (header) => {
    const door = await openDoor({ authorizer: unasked })
    const { status, json } = await door.post(path, evaluation(), { [header]: '127.0.0.1' })
    expect(status).toBe(403)
    expect(json.error).toContain('subject.properties.token')
    const withToken = await (await openDoor()).post(path, evaluation(subject({ token: bearer() })), { [header]: 'x' })
    expect(withToken.json).toMatchObject({ decision: true })
  })
})

describe('what is asked about', () => {
  const uri = 'weather://stations'

  it.each([
    ['tools/call', 'tool', 'weather_forecast', 'allow'],
    ['tools/call', 'prompt', 'weather_forecast', 'body_malformed'],
    ['tools/call', 'Tool', 'weather_forecast', 'body_malformed'],
    ['tools/call', 'server', 'weather_forecast', 'body_malformed'],
    ['prompts/get', 'prompt', 'weather_brief', 'item_unknown'],
    ['prompts/get', 'tool', 'weather_forecast', 'body_malformed'],
    ['resources/read', 'resource', uri, 'role_missing'],
    ['resources/read', 'template', uri, 'body_malformed'],
    ['resources/subscribe', 'resource', uri, 'role_missing'],
    ['completion/complete', 'resource', uri, 'role_missing'],
    ['completion/complete', 'template', uri, 'role_missing'],
    ['completion/complete', 'prompt', 'weather_brief', 'item_unknown'],
    ['completion/complete', 'tool', 'weather_forecast', 'body_malformed'],
    ['subscriptions/listen', 'resource', uri, 'role_missing'],
    ['subscriptions/listen', 'server', 'any', 'allow'],
    ['subscriptions/listen', 'tool', 'weather_forecast', 'body_malformed'],
    ['tools/list', 'server', 'any', 'allow'],
    ['tools/list', 'tool', 'any', 'body_malformed'],
    ['notifications/initialized', 'server', '', 'allow'],
    ['tools/destroy', 'tool', 'weather_forecast', 'method_unknown'],
    ['tasks/get', 'server', 'any', 'method_unknown'],
    ['', 'server', 'any', 'method_unknown'],
  ])('is %s of a %s %s: %s', async (name, type, id, expected) => {
    expect(await outcomeOf({ action: { name }, ...resource(type, id) })).toBe(expected)
  })

  it('may name its server, its virtual server and arguments', async () => {
    expect(await outcomeOf(resource('tool', 'forecast', { server: 'weather' }))).toBe('allow')
    expect(await outcomeOf(resource('tool', 'forecast', { server: 'nowhere' }))).toBe('server_unknown')
    expect(await outcomeOf(resource('tool', 'x', { server: 'closed' }))).toBe('server_disabled')
    expect(await outcomeOf(resource('tool', 'weather_forecast', { virtual_server: 'desk' }))).toBe('allow')
    expect(await outcomeOf(resource('tool', 'weather_alerts', { virtual_server: 'desk' }))).toBe(
      'virtual_server_excludes',
    )
    expect(await outcomeOf(resource('tool', 'weather_forecast', { virtual_server: '' }))).toBe('virtual_server_unknown')
    expect(await outcomeOf(resource('tool', 'weather_forecast', { arguments: { name: 'x', deep: [{}] } }))).toBe(
      'allow',
    )
  })

  it.each([
    { server: 1 },
    { server: null },
    { virtual_server: ['desk'] },
    { virtual_server: null },
    { server: ['weather'] },
  ])('is malformed with %j', async (properties) => {
    expect(await outcomeOf(resource('tool', 'weather_forecast', properties))).toBe('body_malformed')
  })

  it('cannot break out of its place', async () => {
    for (const id of ['weather_forecast","name":"x', '__proto__', 'constructor', '"}', '\\', '\u2028']) {
      expect(await outcomeOf(resource('tool', id))).toBe('item_unknown')
    }
  })
})

describe('a denial for want of scope', () => {
  it('names the OAuth scopes that would cure it', async () => {
    const scoped = engineOf({ ...data, scopes: { 'mcp:tools': { '*': ['tool:*'] } } })
    const { authorizer } = sceneWith({ engine: () => scoped })
    const { json } = await (await openDoor({ authorizer })).post(path, evaluation())
    expect(json.decision).toBe(false)
    expect(json.context.reasons).toEqual([
      {
        code: 'scope_missing',
        message: messageOf('scope_missing'),
        required: 'scope mcp:tools',
        scopes: ['mcp:tools'],
      },
    ])
  })
})
