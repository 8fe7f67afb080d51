import { expect, it } from 'vitest'
import { clientV2 } from '../guard/sdk-clients.ts'
import { listen, textOf } from './place.ts'
import { modernServer } from './servers.ts'
import { type Serving, serve } from './service-place.ts'

const data = {
  servers: {
    weather: {
      prefix: 'w_',
      tools: [
        { name: 'forecast', tags: ['read', 'weather'] },
        { name: 'set_alarm', tags: ['weather'] },
      ],
    },
    bare: { tools: [{ name: 'discover_tools', tags: ['read'] }, 'wipe'] },
  },
  roles: { all: { '*': ['tool:*'] }, reader: { weather: ['tool:forecast'] } },
}

async function open(discovery: boolean): Promise<Serving> {
  const weather = await listen(modernServer(['forecast', 'set_alarm']).listener)
  const bare = await listen(modernServer(['discover_tools', 'wipe']).listener)
  return await serve({
    data,
    broker: { discovery, upstreams: { weather: { url: weather.url }, bare: { url: bare.url } } },
  })
}

it('finds tools by words and tags, and tells of none that the caller may not use', async () => {
  const { url, headers } = await open(true)
  const asked = async (subject: string, name: string, given: Record<string, unknown> = {}) => {
    const client = await clientV2(url, await headers(subject, subject))
    return JSON.parse(textOf(await client.callTool({ name, arguments: given }))) as unknown
  }
  const forecast = { name: 'w_forecast', description: '', tags: ['read', 'weather'] }
  expect(await asked('all', 'discover_tools', { query: 'FORE w_' })).toEqual({ tools: [forecast] })
  expect(await asked('all', 'discover_tools', { tags: ['weather', 'read'] })).toEqual({ tools: [forecast] })
  expect(await asked('all', 'discover_tools', { query: 'nothing like it' })).toEqual({ tools: [] })
  expect(await asked('reader', 'discover_tools')).toEqual({ tools: [forecast] })
  expect(await asked('all', 'filter_tools_by_tags', { tags: ['weather'] })).toEqual({
    tools: ['w_forecast', 'w_set_alarm'],
  })
  expect(await asked('reader', 'filter_tools_by_tags', { tags: ['weather'] })).toEqual({ tools: ['w_forecast'] })
  expect(await asked('all', 'list_tags')).toEqual({
    tags: [
      { tag: 'read', tools: ['w_forecast'] },
      { tag: 'weather', tools: ['w_forecast', 'w_set_alarm'] },
    ],
  })
  expect(await asked('nobody', 'list_tags')).toEqual({ tags: [] })
})

it('lists its tools first, and lets no server take their names', async () => {
  const { url, headers, status } = await open(true)
  const client = await clientV2(url, await headers('all', 'all'))
  const names = (await client.listTools()).tools.map(({ name }) => name)
  expect(names).toEqual(['discover_tools', 'list_tags', 'filter_tools_by_tags', 'wipe', 'w_forecast', 'w_set_alarm'])
  expect((await status()).servers[0]).toMatchObject({ id: 'bare', withheld: { tools: ['discover_tools'] } })
})

it.each([
  ['select_tools', {}],
  ['discover_tools', { query: 7 }],
  ['discover_tools', { tags: 'read' }],
  ['filter_tools_by_tags', {}],
  ['filter_tools_by_tags', { tags: [1] }],
])('refuses what it does not know: %s %j', async (name, given) => {
  const { url, headers } = await open(true)
  const client = await clientV2(url, await headers('all', 'all'))
  await expect(client.callTool({ name, arguments: given })).rejects.toMatchObject({ code: -32602 })
})

it('has none of it where it is off: the names are those of servers', async () => {
  const { url, headers } = await open(false)
  const client = await clientV2(url, await headers('all', 'all'))
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual([
    'discover_tools',
    'wipe',
    'w_forecast',
    'w_set_alarm',
  ])
  expect(textOf(await client.callTool({ name: 'discover_tools' }))).toBe('discover_tools')
  await expect(client.callTool({ name: 'list_tags' })).rejects.toMatchObject({ code: 403 })
})
