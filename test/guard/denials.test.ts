import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assemble } from '../../src/assembly.ts'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { loadConfig } from '../../src/config/load.ts'
import { type AuthorizerGuardOptions, createGuard, type DenialMode } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'
import { bearer, handlerOf, result, rpcRequest } from './requests.ts'

let place: Place
let assembly: Awaited<ReturnType<typeof assemble>>
let alice: Record<string, string>

beforeAll(async () => {
  place = await makePlace({
    mcp: { denial: { default: 'rpc', clients: [{ match: { userAgent: 'a/' }, mode: 'hide' }] } },
  })
  assembly = await assemble(await loadConfig(place.config, { env: {} }))
  alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
})
afterAll(async () => {
  await assembly.close()
  await place.remove()
})

async function answerTo(options: AuthorizerGuardOptions | { config: string }, headers: Record<string, string> = {}) {
  const guard = await createGuard(options)
  const handler = handlerOf(() => result({ content: [] }))
  const request = rpcRequest('tools/call', { name: 'files_wipe' }, { ...alice, ...headers })
  const response = await guard.fetch(handler.fetch)(request)
  await guard.close()
  expect(handler.reached).toEqual([])
  return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
}

const unkept = { 'content-type': 'application/json', 'cache-control': 'no-store' }

describe('a guard', () => {
  it('denies in the form that its configuration says, by client', async () => {
    const { status, headers, body } = await answerTo({ config: place.config })
    expect([status, headers]).toEqual([200, unkept])
    expect(JSON.parse(body)).toMatchObject({ error: { code: 403, data: { reason: 'role_missing' } } })
    const hidden = await answerTo({ config: place.config }, { 'user-agent': 'a/1' })
    expect(hidden.headers).toEqual({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(hidden.body).toContain('"message":"Tool files_wipe not found"')
  })

  it('denies explicitly around an authorizer, unless it is told otherwise', async () => {
    const { authorizer } = assembly
    expect((await answerTo({ authorizer })).status).toBe(403)
    const { status, body } = await answerTo({ authorizer, denials: 'tool-result' })
    expect([status, JSON.parse(body)]).toMatchObject([200, { result: { isError: true } }])
    const hideLike = { sdk: 'v1', json: true } as const
    const hidden = await answerTo({ authorizer, denials: { default: 'hide', hideLike } })
    expect(hidden.headers).toEqual({ 'content-type': 'application/json' })
    expect(hidden.body).toContain('MCP error -32602: Tool files_wipe not found')
  })

  it.each([
    ['no authorizer answers', () => Promise.reject(new Error('down'))],
    ['it answers with no reason', () => Promise.resolve({ decision: { id: 'd', allow: false, reasons: [] } })],
  ])('has the form of a client also where %s', async (_, authorize) => {
    const authorizer = { authorize } as unknown as Authorizer
    const { status, body } = await answerTo({ authorizer, denials: 'rpc' })
    expect([status, JSON.parse(body)]).toMatchObject([200, { error: { data: { reason: 'policy_error' } } }])
    expect((await answerTo({ authorizer, denials: 'hide' })).status).toBe(503)
  })

  it.each<unknown>([
    'hidden',
    { default: 'hidden' },
    { clients: [{ match: {}, mode: 'hidden' }] },
    { hideLike: { sdk: 'v3', json: false } },
  ])('is not made for a form that there is not: %j', async (denials) => {
    const options = { authorizer: assembly.authorizer, denials: denials as DenialMode }
    await expect(createGuard(options)).rejects.toThrow(TypeError)
  })
})
