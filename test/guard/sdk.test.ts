import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'
import { bearer } from './requests.ts'
import { type AnyClient, clients, clientV2 } from './sdk-clients.ts'
import { type Served, serve } from './sdk-server.ts'

let place: Place
let guard: Guard
let served: Served
let alice: Record<string, string>
let bob: Record<string, string>

beforeAll(async () => {
  place = await makePlace()
  guard = await createGuard({ config: place.config })
  served = await serve(guard)
  alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
  bob = bearer(await place.token('bob', { roles: ['reader'], grants: { weather: ['tool:alerts'] } }))
})
afterAll(async () => {
  await served.close()
  guard.close()
  await place.remove()
})
beforeEach(() => {
  served.used.length = 0
  served.reached.length = 0
})

async function seen(client: AnyClient): Promise<unknown> {
  return {
    tools: (await client.listTools()).tools.map(({ name }) => name),
    prompts: (await client.listPrompts()).prompts.map(({ name }) => name),
    resources: (await client.listResources()).resources.map(({ uri }) => uri),
    templates: (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
  }
}

const ofAlice = {
  tools: ['weather_forecast', 'weather_alerts'],
  prompts: ['weather_brief'],
  resources: ['weather://stations'],
  templates: ['weather://stations/{id}'],
}
const ofBob = {
  tools: ['weather_alerts', 'files_read'],
  prompts: ['files_summary'],
  resources: ['files://index'],
  templates: [],
}

describe.each(clients)('a client of %s', (_, connect) => {
  it('sees what its person may use, and nothing else', async () => {
    expect(await seen(await connect(served.url, alice))).toEqual(ofAlice)
    expect(await seen(await connect(served.url, bob))).toEqual(ofBob)
  })

  it('reaches what it sees', async () => {
    const client = await connect(served.url, alice)
    await client.callTool({ name: 'weather_alerts', arguments: {} })
    await client.getPrompt({ name: 'weather_brief' })
    await client.readResource({ uri: 'weather://stations' })
    await client.readResource({ uri: 'weather://stations/7' })
    expect(served.used).toEqual([
      'tool:weather_alerts',
      'prompt:weather_brief',
      'read:weather://stations',
      'read:weather://stations/7',
    ])
  })

  it('is refused what it does not see, and the handler is not reached', async () => {
    const client = await connect(served.url, bob)
    served.reached.length = 0
    const refused: readonly (() => Promise<unknown>)[] = [
      () => client.callTool({ name: 'weather_forecast', arguments: {} }),
      () => client.callTool({ name: 'files_wipe', arguments: {} }),
      () => client.callTool({ name: 'no_such_tool', arguments: {} }),
      () => client.getPrompt({ name: 'weather_brief' }),
      () => client.readResource({ uri: 'weather://stations' }),
      () => client.readResource({ uri: 'files://by-name/a' }),
    ]
    for (const attempt of refused) await expect(attempt()).rejects.toThrow(/403/)
    expect([served.used, served.reached]).toEqual([[], []])
  })

  it('is refused altogether without a token', async () => {
    await expect(connect(served.url, {})).rejects.toThrow()
    await expect(connect(served.url, bearer(`${alice['authorization']?.slice(7)}x`))).rejects.toThrow()
    expect(served.reached).toEqual([])
  })
})

describe.each(clients)('a client of %s', (_, connect) => {
  it('may bring an x-mcp-authorized instead', async () => {
    const token = await place.authorized({
      tools: { files: ['read'] },
      templates: { weather: ['weather://stations/{id}'] },
    })
    const client = await connect(served.url, { 'x-mcp-authorized': token })
    const template = ['weather://stations/{id}']
    expect(await seen(client)).toEqual({ tools: ['files_read'], prompts: [], resources: [], templates: template })
    await client.callTool({ name: 'files_read', arguments: {} })
    await expect(client.callTool({ name: 'weather_alerts', arguments: {} })).rejects.toThrow(/403/)
    expect(served.used).toEqual(['tool:files_read'])
  })

  it('sees a virtual server, of it what its person may use', async () => {
    const client = await connect(served.url, { ...alice, 'x-mcp-virtualserver': 'team/desk' })
    const tools = ['weather_forecast']
    expect(await seen(client)).toEqual({ tools, prompts: ['weather_brief'], resources: [], templates: [] })
    await expect(client.callTool({ name: 'weather_alerts', arguments: {} })).rejects.toThrow(/403/)
  })
})

describe('a subscription of 2026-07-28', () => {
  it('is opened to what may be read, and to nothing else', async () => {
    const client = await clientV2(served.url, bob)
    const subscription = await client.listen({ resourceSubscriptions: ['files://index'], toolsListChanged: true })
    await subscription.close()
    expect(served.reached).toContain('subscriptions/listen')
    served.reached.length = 0
    const refused = client.listen({ resourceSubscriptions: ['files://index', 'weather://stations'] })
    await expect(refused).rejects.toThrow(/403/)
    expect(served.reached).toEqual([])
  })
})

describe('a list for a client that keeps lists', () => {
  it('is private', async () => {
    const result = await (await clientV2(served.url, alice)).listTools()
    expect(result).toMatchObject({ cacheScope: 'private' })
  })
})
