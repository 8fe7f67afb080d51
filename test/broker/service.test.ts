import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, it } from 'vitest'
import { startBroker } from '../../src/broker-service.ts'
import { loadConfig } from '../../src/config/load.ts'
import { makePlace } from '../guard/place.ts'
import { listen } from './place.ts'
import { modernServer } from './servers.ts'
import { type Serving, serve } from './service-place.ts'

const data = { servers: { weather: { prefix: 'w_', tools: ['forecast'] } }, roles: { all: { '*': ['tool:*'] } } }

async function open(more: Readonly<Record<string, unknown>> = {}, broker: object = {}): Promise<Serving> {
  const weather = await listen(modernServer(['forecast']).listener)
  return await serve({ data, more, broker: { upstreams: { weather: { url: weather.url } }, ...broker } })
}

/** A request as no browser and no fetch would send it. */
async function ask(url: URL, method: string, headers: Readonly<Record<string, string>>, body?: string) {
  const sent = request(url, { method, headers })
  sent.end(body)
  const [response] = await new Promise<[import('node:http').IncomingMessage]>((resolve, reject) => {
    sent.once('response', (answer) => resolve([answer])).once('error', reject)
  })
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

it('asks everybody for a credential, and says where to get one', async () => {
  const { url, headers } = await open()
  const refused = await ask(url, 'POST', json, list)
  expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  const metadata = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url))
  expect(await metadata.json()).toMatchObject({
    resource: url.href,
    authorization_servers: ['https://sso.example.com/realms/mcp'],
  })
  const allowed = await ask(url, 'POST', { ...json, ...(await headers('alice', 'all')) }, list)
  expect([allowed.status, allowed.body]).toEqual([200, expect.stringContaining('w_forecast')])
})

it('names the metadata in challenges once the address is said', async () => {
  const { url } = await open({ protectedResource: { resource: 'https://mcp.example.com/mcp' } })
  const refused = await ask(url, 'POST', json, list)
  expect(refused.headers['www-authenticate']).toContain(
    'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
  )
  const metadata = await fetch(new URL('/.well-known/oauth-protected-resource/mcp', url))
  expect(await metadata.json()).toMatchObject({ resource: 'https://mcp.example.com/mcp' })
})

it.each([
  ['Host', { host: 'evil.example' }, 403],
  ['Host that only begins so', { host: 'localhost.evil.example' }, 403],
  ['Origin', { origin: 'https://evil.example' }, 403],
  ['opaque Origin', { origin: 'null' }, 403],
  ['Host that is allowed', { host: 'mcp.example.com:8443', origin: 'https://mcp.example.com' }, 200],
  ['Host of loopback', { host: 'localhost', origin: 'http://localhost:3000' }, 200],
])('keeps pages of elsewhere out, whatever token they have: %s', async (_, headers, status) => {
  const { url, ...serving } = await open({}, { allowedHosts: ['mcp.example.com'] })
  const answer = await ask(url, 'POST', { ...json, ...(await serving.headers('alice', 'all')), ...headers }, list)
  expect(answer.status, answer.body).toBe(status)
})

it('has nothing else at its address, and keeps what operators ask at another', async () => {
  const { url, headers, operation } = await open({}, { path: '/gateway/mcp' })
  const alice = await headers('alice', 'all')
  for (const path of ['/', '/mcp', '/gateway/mcp/', '/gateway/MCP', '/status', '/metrics', '/healthz']) {
    expect((await ask(new URL(path, url), 'POST', { ...json, ...alice }, list)).status, path).toBe(404)
  }
  expect(url.pathname).toBe('/gateway/mcp')
  expect((await ask(url, 'POST', { ...json, ...alice }, list)).status).toBe(200)
  expect(await (await operation('/healthz')).json()).toEqual({ status: 'ok' })
  expect((await operation('/readyz')).status).toBe(200)
  expect(await (await operation('/status')).json()).toMatchObject({ ready: true, servers: [{ id: 'weather' }] })
  expect(await (await operation('/metrics')).text()).toContain('mcp_authz_decisions_total')
  expect((await operation('/mcp')).status).toBe(404)
})

it('records every decision once', async () => {
  const { url, headers, decisions } = await open()
  await ask(url, 'POST', { ...json, ...(await headers('alice', 'all')) }, list)
  await ask(url, 'POST', json, list)
  expect(decisions.map(({ action, allow }) => [action, allow])).toEqual([
    ['tools/list', true],
    ['tools/list', false],
  ])
})

it('does not start without a section, or on an address that is taken', async () => {
  const log = { warning: () => undefined, info: () => undefined, decision: () => undefined, fault: () => undefined }
  const start = async (more: Readonly<Record<string, unknown>>) => {
    const place = await makePlace({ data, more: { listen: { http: '127.0.0.1:0' }, ...more } })
    const config = await loadConfig(place.config, { env: {} })
    return await startBroker({ config, log }).finally(() => place.remove())
  }
  await expect(start({})).rejects.toThrow(/mcp-authz\.yaml: broker: expected this section, found nothing; mend: write/)
  const { port } = (await listen(() => undefined)).address() as { port: number }
  const broker = { listen: `127.0.0.1:${port}`, upstreams: {} }
  await expect(start({ broker })).rejects.toThrow(/broker\.listen: cannot listen on `127\.0\.0\.1:\d+`: .*--listen/)
})
