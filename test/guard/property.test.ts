import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Assembly, assemble } from '../../src/assembly.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import { catalogue, makePlace, type Place } from './place.ts'
import { type Asked, asked, names, uris } from './random.ts'
import { bearer, handlerOf, post, result, rpcRequest } from './requests.ts'

let place: Place
let assembly: Assembly
let guard: Guard

beforeAll(async () => {
  place = await makePlace()
  assembly = await assemble(await loadConfig(place.config, { env: {} }), { guard: true })
  guard = await createGuard({ authorizer: assembly.authorizer, read: assembly.read })
})
afterAll(async () => {
  assembly.close()
  await place.remove()
})

type Headers = Readonly<Record<string, string>>

async function listed(headers: Headers, method: string, entries: Record<string, object[]>): Promise<string[]> {
  const response = await guard.fetch(async () => result(entries))(rpcRequest(method, {}, headers))
  const { result: answered } = (await response.json()) as { result: Record<string, Record<string, string>[]> }
  return Object.values(answered)[0]?.map((entry) => entry['name'] ?? entry['uri'] ?? '') ?? []
}

async function reaches(headers: Headers, method: string, params: unknown): Promise<boolean> {
  const handler = handlerOf(() => result({}))
  const { status } = await guard.fetch(handler.fetch)(rpcRequest(method, params, headers))
  expect(status).toBe(handler.reached.length === 1 ? 200 : 403)
  return handler.reached.length === 1
}

/** Puts the random data in place. */
async function ask({ data, grants, roles, underDesk }: Asked): Promise<Headers> {
  assembly.replaceData(data)
  const token = await place.token('alice', { roles, grants: Object.fromEntries(grants) })
  return { ...bearer(token), ...(underDesk ? { 'x-mcp-virtualserver': 'desk' } : {}) }
}

const kinds = [
  ['tools/list', 'tools', 'tools/call'],
  ['prompts/list', 'prompts', 'prompts/get'],
] as const

describe('for every catalogue and claim', () => {
  it.each(kinds)('%s shows an item if and only if a call to it reaches the handler', async (list, key, call) => {
    await fc.assert(
      fc.asyncProperty(asked, async (question) => {
        const headers = await ask(question)
        const shown = await listed(headers, list, { [key]: names.map((name) => ({ name })) })
        for (const name of names) expect(await reaches(headers, call, { name }), name).toBe(shown.includes(name))
      }),
      { numRuns: 30 },
    )
  })

  it('resources/list shows a URI if and only if it can be read, and listened to', async () => {
    await fc.assert(
      fc.asyncProperty(asked, async (question) => {
        const headers = await ask(question)
        const shown = await listed(headers, 'resources/list', { resources: uris.map((uri) => ({ uri })) })
        for (const uri of uris) {
          expect(await reaches(headers, 'resources/read', { uri }), uri).toBe(shown.includes(uri))
          const notifications = { resourceSubscriptions: [uri] }
          expect(await reaches(headers, 'subscriptions/listen', { notifications }), uri).toBe(shown.includes(uri))
        }
      }),
      { numRuns: 40 },
    )
  })

  it('tools/list shows nothing beyond the capabilities, as clients see them', async () => {
    await fc.assert(
      fc.asyncProperty(asked, async (question) => {
        const headers = await ask(question)
        const shown = await listed(headers, 'tools/list', { tools: names.map((name) => ({ name })) })
        const credential = { authorization: [headers['authorization'] ?? ''] }
        const { tools } = await guard.capabilities(credential, question.underDesk ? 'desk' : undefined)
        const visible = visibleNames(question.data, tools)
        expect(shown.filter((name) => !visible.includes(name))).toEqual([])
      }),
      { numRuns: 40 },
    )
  })
})

describe('for every catalogue and claim', () => {
  it('an x-mcp-authorized of the capabilities shows and opens what the token does', async () => {
    await fc.assert(
      fc.asyncProperty(asked, async (question) => {
        const { authorization = '', ...others } = await ask(question)
        const token = await place.authorized(await guard.capabilities({ authorization: [authorization] }))
        const [byToken, byClaim] = [
          { ...others, authorization },
          { ...others, 'x-mcp-authorized': token },
        ]
        for (const [list, key] of kinds) {
          const entries = { [key]: names.map((name) => ({ name })) }
          expect(await listed(byClaim, list, entries)).toEqual(await listed(byToken, list, entries))
        }
        for (const uri of uris) {
          const read = async (headers: Headers) => await reaches(headers, 'resources/read', { uri })
          expect(await read(byClaim), uri).toBe(await read(byToken))
        }
      }),
      { numRuns: 40 },
    )
  })
})

/** With the prefix of the server. What no server of the catalogue has is seen by no name. */
function visibleNames({ servers = {} }: Data, tools: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(tools).flatMap(([id, own]) => {
    const prefix = Object.hasOwn(servers, id) ? (servers[id]?.prefix ?? '') : undefined
    return prefix === undefined ? [] : own.map((name) => prefix + name)
  })
}

const words = [
  ...['{', '}', '{"jsonrpc":"2.0",', '"id":1', ',', '"method":', '"tools/call"', '"ping"', '"params":{'],
  ...['"name":"weather_alerts"', '"name":"files_wipe"', '[', ']', '"result":{}', '\ufeff', ' '],
]
const halves = fc.constantFrom('"method":"tools/call"', '"method":"ping"', '"id":1', '"result":{}', '"id":"x"', '"x":1')
const params = fc
  .constantFrom('"weather_alerts"', '"files_wipe"', '"weather_forecast"', '1')
  .map((name) => `"params":{"name":${name}}`)
const nearly = fc
  .array(fc.oneof(halves, params), { maxLength: 5 })
  .map((members) => Buffer.from(`{${['"jsonrpc":"2.0"', ...members].join()}}`))

describe('for every body', () => {
  beforeAll(() => assembly.replaceData(catalogue as unknown as Data))

  it.each([
    ['bytes', fc.uint8Array({ maxLength: 200 })],
    [
      'pieces of JSON-RPC',
      fc.array(fc.constantFrom(...words), { maxLength: 16 }).map((all) => Buffer.from(all.join(''))),
    ],
    ['members of JSON-RPC', nearly],
    ['JSON', fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)))],
  ])('of %s, only what is allowed reaches the handler, and nothing is thrown', async (_, bodies) => {
    const alice = bearer(await place.token('alice', { grants: { weather: ['tool:alerts'] } }))
    await fc.assert(
      fc.asyncProperty(bodies, fc.boolean(), async (body, withToken) => {
        const handler = handlerOf(() => result({}))
        const { status } = await guard.fetch(handler.fetch)(post(body, withToken ? alice : {}))
        const [reached] = handler.reached
        if (reached === undefined) expect(withToken ? [400, 403] : [401]).toContain(status)
        else expect([withToken, isAllowed(await reached.text())]).toEqual([true, true])
      }),
      { numRuns: 200 },
    )
  })
})

/** Said here anew: the one call that alice may make, a ping, or a response. */
function isAllowed(text: string): boolean {
  const message = JSON.parse(text) as { jsonrpc?: unknown; method?: unknown; params?: { name?: unknown } }
  const { jsonrpc, method } = message
  if (jsonrpc !== '2.0') return false
  if (method === 'tools/call') return message.params?.name === 'weather_alerts'
  return method === 'ping' || (method === undefined && Object.hasOwn(message, 'result'))
}
