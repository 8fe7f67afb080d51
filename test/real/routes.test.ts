import { expect, test } from 'vitest'
import { addRoute, type Manager } from './envoy-config.ts'
import { type HeaderLines, type HttpAnswer, mcpHeaders, reasonIn, send, toolCall } from './http-client.ts'
import { real, usePlace } from './place.ts'

const place = usePlace({
  routed: (manager: Manager) => {
    addRoute(manager, '/weather/mcp', { mcp_server: 'weather' })
    addRoute(manager, '/disk/mcp', { mcp_server: 'disk' })
    addRoute(manager, '/desk/mcp', { mcp_virtual_server: 'team-a/desk' })
    addRoute(manager, '/nowhere/mcp', { mcp_virtual_server: 'team-b/desk' })
    addRoute(manager, '/weather-desk/mcp', { mcp_server: 'weather', mcp_virtual_server: 'team-a/desk' })
  },
})

real('a route that says which server is behind it', () => {
  const asked: readonly (readonly [path: string, tool: string, outcome: number | string])[] = [
    ['/weather/mcp', 'forecast', 200],
    ['/weather/mcp', 'weather_forecast', 'item_unknown'],
    ['/disk/mcp', 'read', 'server_unknown'],
    ['/mcp', 'weather_forecast', 200],
    ['/mcp', 'forecast', 'item_unknown'],
  ]
  test.each(asked)('%s: a call of %s comes to %s', expectOutcome)
})

real('a route that says which virtual server it is', () => {
  const asked: readonly (readonly [path: string, tool: string, outcome: number | string])[] = [
    ['/desk/mcp', 'weather_forecast', 200],
    ['/desk/mcp', 'weather_alerts', 'virtual_server_excludes'],
    ['/weather-desk/mcp', 'forecast', 200],
    ['/weather-desk/mcp', 'alerts', 'virtual_server_excludes'],
    ['/nowhere/mcp', 'weather_forecast', 'virtual_server_unknown'],
  ]
  test.each(asked)('%s: a call of %s comes to %s', expectOutcome)

  test('limits the token too', async () => {
    await call('/desk/mcp', 'weather_forecast')
    const [token = ''] = place().upstream.take()[0]?.header('x-mcp-authorized') ?? []
    const claims = await place().service.verify(token)
    const { tools } = JSON.parse(String(claims['allowed-capabilities'])) as { tools: unknown }
    expect(tools).toEqual({ weather: ['forecast'] })
  })
})

real('a virtual server that the client names', () => {
  test('stays visible to the upstream', async () => {
    expect((await call('/mcp', 'weather_forecast', [['X-Mcp-VirtualServer', 'team-a/desk']])).status).toBe(200)
    const requests = place().upstream.take()
    expect(requests.map(({ header }) => header('x-mcp-virtualserver'))).toEqual([['team-a/desk']])
  })

  const asked: readonly (readonly [path: string, named: string, tool: string, reason: string])[] = [
    ['/mcp', 'team-a/desk', 'weather_alerts', 'virtual_server_excludes'],
    ['/mcp', 'team-b/desk', 'weather_forecast', 'virtual_server_unknown'],
    ['/mcp', '', 'weather_forecast', 'virtual_server_unknown'],
    ['/desk/mcp', 'team-b/desk', 'weather_forecast', 'virtual_server_unknown'],
    ['/nowhere/mcp', 'team-a/desk', 'weather_forecast', 'virtual_server_unknown'],
  ]
  test.each(asked)('only takes away: %s and `%s`, a call of %s comes to %s', async (path, named, tool, reason) => {
    expect(reasonIn(await call(path, tool, [['x-mcp-virtualserver', named]]))).toBe(reason)
    expect(place().upstream.take()).toEqual([])
  })
})

async function expectOutcome(path: string, tool: string, outcome: number | string): Promise<void> {
  const answer = await call(path, tool)
  const requests = place().upstream.take()
  if (outcome === 200) {
    expect([answer.status, requests.map((request) => request.path)]).toEqual([200, [path]])
    expect(answer.body).toContain(`${tool} says hello`)
  } else {
    expect([answer.status, reasonIn(answer), requests]).toEqual([403, outcome, []])
  }
}

async function call(path: string, tool: string, lines: HeaderLines = []): Promise<HttpAnswer> {
  const headers = [...mcpHeaders(await place().installation.token()), ...lines]
  return await send(place().envoy.port('routed'), { path, headers, body: toolCall(tool) })
}
