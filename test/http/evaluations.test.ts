import { describe, expect, it } from 'vitest'
import { bearer } from '../authorizer/scenes.ts'
import { evaluation, openDoor, people, unasked } from './door.ts'

const path = '/access/v1/evaluations'
const [forecast, alerts, nothing] = ['weather_forecast', 'weather_alerts', 'nothing'].map((id) => ({
  resource: { type: 'tool', id },
}))

/** The decisions of an answer, in order. */
async function decisionsOf(document: Record<string, unknown>): Promise<boolean[]> {
  const { status, json } = await (await openDoor()).post(path, document)
  expect(status).toBe(200)
  return json.evaluations.map(({ decision }) => decision)
}

describe('several evaluations', () => {
  it('are answered in their order, each with an id of its own', async () => {
    const door = await openDoor()
    const { json } = await door.post(path, evaluation({ evaluations: [forecast, nothing, alerts] }))
    expect(json.evaluations).toMatchObject([
      { decision: true },
      { decision: false, context: { reasons: [{ code: 'item_unknown' }] } },
      { decision: true },
    ])
    expect(Object.keys(json)).toEqual(['evaluations'])
    expect(door.scene.recorded.map(({ id }) => id)).toEqual(json.evaluations.map(({ context }) => context.id))
  })

  it('take what they do not say from beside the list, key by key', async () => {
    const bob = { type: 'identity', id: 'bob', properties: { claims: people.bob } }
    const list = { action: { name: 'tools/list' }, resource: { type: 'server', id: 'x' } }
    expect(await decisionsOf(evaluation({ evaluations: [{}, { subject: bob }, { subject: bob, ...list }] }))).toEqual([
      true,
      false,
      true,
    ])
    const { subject, action, resource } = evaluation()
    expect(await decisionsOf({ evaluations: [{ subject, action, resource }] })).toEqual([true])
  })

  it('do not merge inside a key', async () => {
    const withServer = { type: 'tool', id: 'forecast', properties: { server: 'weather' } }
    const all = evaluation({ resource: withServer, evaluations: [{}, { resource: { type: 'tool', id: 'forecast' } }] })
    expect(await decisionsOf(all)).toEqual([true, false])
  })

  it('are one evaluation where there is no list or an empty one', async () => {
    const door = await openDoor()
    for (const document of [evaluation(), evaluation({ evaluations: [] })]) {
      expect((await door.post(path, document)).json).toMatchObject({ decision: true, context: { reasons: [] } })
    }
  })
})

describe('the semantic of several evaluations', () => {
  it.each([
    ['execute_all', [true, false, true]],
    ['deny_on_first_deny', [true, false]],
    ['permit_on_first_permit', [true]],
  ])('%s ends them where it says', async (semantic, expected) => {
    const options = { evaluations_semantic: semantic }
    expect(await decisionsOf(evaluation({ options, evaluations: [forecast, nothing, alerts] }))).toEqual(expected)
  })

  it('go on to the first permit, and stop at the first denial', async () => {
    const permit = { evaluations_semantic: 'permit_on_first_permit' }
    expect(
      await decisionsOf(evaluation({ options: permit, evaluations: [nothing, nothing, alerts, nothing] })),
    ).toEqual([false, false, true])
    const deny = { evaluations_semantic: 'deny_on_first_deny' }
    expect(await decisionsOf(evaluation({ options: deny, evaluations: [nothing, forecast] }))).toEqual([false])
  })

  it('are all executed where options name no semantic', async () => {
    expect(await decisionsOf(evaluation({ options: { other: 1 }, evaluations: [nothing, alerts] }))).toEqual([
      false,
      true,
    ])
  })
})

describe('evaluations that cannot be read', () => {
  it.each([
    ['a semantic nobody knows', { options: { evaluations_semantic: 'first_wins' } }],
    ['a semantic in another case', { options: { evaluations_semantic: 'Execute_All' } }],
    ['a semantic that is a list', { options: { evaluations_semantic: ['execute_all'] } }],
    ['a semantic named like a property', { options: { evaluations_semantic: 'constructor' } }],
    ['options that are a text', { options: 'execute_all' }],
    ['options that are null', { options: null }],
    ['evaluations that are an object', { evaluations: { 0: forecast } }],
    ['an evaluation that is null', { evaluations: [null] }],
    ['an evaluation that is a list', { evaluations: [[forecast]] }],
    ['too many evaluations', { evaluations: Array(1001).fill(forecast) }],
  ])('are a bad request with %s', async (_, changes) => {
    const door = await openDoor({ authorizer: unasked })
    const { status, json } = await door.post(path, evaluation({ evaluations: [forecast], ...changes }))
    expect(status).toBe(400)
    expect(json.error).toMatch(/^expected /)
  })

  it('are a bad request as a whole where one lacks a field', async () => {
    const { status, json } = await (await openDoor()).post(
      path,
      evaluation({ evaluations: [forecast, { resource: {} }] }),
    )
    expect(status).toBe(400)
    expect(json.evaluations).toBeUndefined()
  })

  it('are forbidden as a whole where one presents claims from elsewhere', async () => {
    const token = { subject: { type: 'identity', id: 'alice', properties: { token: bearer() } } }
    const { subject } = evaluation()
    const document = evaluation({ ...token, evaluations: [forecast, { subject, ...forecast }] })
    const { status } = await (await openDoor()).post(path, document, { 'x-forwarded-for': '10.0.0.1' })
    expect(status).toBe(403)
  })

  it('may be a thousand', async () => {
    expect(await decisionsOf(evaluation({ evaluations: Array(1000).fill(nothing) }))).toHaveLength(1000)
  })
})
