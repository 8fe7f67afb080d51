import { expect, it, onTestFinished } from 'vitest'
import { createGuard } from '../../src/guard/index.ts'
import { makePlace } from './place.ts'
import { bearer, events, handlerOf, messagesOf, result, rpcRequest } from './requests.ts'

const servers = [
  { name: 'weather', tools: ['weather_forecast', 'weather_alerts'] },
  { name: 'files', tools: ['files_read', 'files_wipe'] },
]
const answer = { content: [{ type: 'text', text: JSON.stringify({ servers }) }] }

async function open(headers: Readonly<Record<string, string>> = {}) {
  const place = await makePlace({ profile: 'kuadrant' })
  const guard = await createGuard({ config: place.config })
  onTestFinished(async () => {
    await guard.close()
    await place.remove()
  })
  const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
  const params = { name: 'discover_tools', arguments: {} }
  const request = rpcRequest('tools/call', params, { ...alice, 'x-mcp-servername': 'mcpBroker', ...headers })
  return { guard, request }
}

const seen = { content: [{ text: JSON.stringify({ servers: servers.slice(0, 1) }) }] }

it('cuts what a broker tells of its tools, in JSON and in events', async () => {
  const { guard, request } = await open()
  const inJson = await guard.fetch(handlerOf(() => result(answer)).fetch)(request.clone())
  expect(await inJson.json()).toMatchObject({ id: 1, result: seen })
  const inEvents = handlerOf(() => events({ jsonrpc: '2.0', id: 1, result: answer }))
  expect(messagesOf(await (await guard.fetch(inEvents.fetch)(request)).text())).toMatchObject([{ id: 1, result: seen }])
})

it('cuts it to the virtual server as well', async () => {
  const { guard, request } = await open({ 'x-mcp-virtualserver': 'team/desk' })
  const response = await guard.fetch(handlerOf(() => result(answer)).fetch)(request)
  const desk = { servers: [{ name: 'weather', tools: ['weather_forecast'] }] }
  expect(await response.json()).toMatchObject({ result: { content: [{ text: JSON.stringify(desk) }] } })
})

it('answers with an error where it cannot tell what is named', async () => {
  const { guard, request } = await open()
  const handler = handlerOf(() => result({ content: [{ type: 'text', text: 'try files_wipe' }] }))
  const response = await guard.fetch(handler.fetch)(request)
  expect([response.status, await response.text()]).toEqual([500, expect.not.stringContaining('files_wipe')])
})

it('lets the same name through as nothing but an item where no router vouches for the broker', async () => {
  const { guard, request } = await open({ 'x-mcp-servername': '' })
  const response = await guard.fetch(handlerOf(() => expect.unreachable()).fetch)(request)
  expect(response.status).toBeGreaterThanOrEqual(400)
})
