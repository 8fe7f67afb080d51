import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { authzOf, type Change } from './envoy-config.ts'
import { errorIn, type HeaderLines, type HttpAnswer, mcpHeaders, reasonIn, send, toolCall } from './http-client.ts'
import { clients } from './mcp-clients.ts'
import { leaks, real, usePlace } from './place.ts'

const listeners = {
  documented: () => undefined,
  /** Headers joined by commas in the check, as by Envoy's default. */
  joined: (manager) => {
    authzOf(manager)['encode_raw_headers'] = false
  },
  /** Nothing is stripped before the check: what stays away from the upstream is the authorizer's doing. */
  unstripped: (manager) => {
    manager.early_header_mutation_extensions = []
  },
} satisfies Record<string, Change>

const place = usePlace(listeners)
const forgedToken = 'eyJhbGciOiJub25lIn0.e30.forged'
const internal = ['x-mcp-authz-filter', 'x-mcp-verified-sub', 'x-mcp-annotation-hints', 'router-key']
const routers = ['x-mcp-servername', 'x-mcp-toolname', 'x-mcp-promptname', 'x-mcp-resourceuri', 'x-mcp-method']

real('a call that is allowed', () => {
  test.each(clients)('%s in version %s calls a tool, and the upstream gets our token', async (_, version, connect) => {
    const forged = { 'x-mcp-authorized': forgedToken, 'x-mcp-verified-sub': 'root', 'router-key': 'k' }
    const url = new URL(`http://127.0.0.1:${place().envoy.port('documented')}/mcp`)
    const client = await connect(url, { authorization: `Bearer ${await place().installation.token()}`, ...forged })
    expect(client.protocolVersion).toBe(version)
    expect(await client.listTools()).toContain('weather_forecast')
    place().upstream.take()
    expect(await client.callTool('weather_forecast')).toBe('weather_forecast says hello')
    const { header, claims } = await arrived()
    expect([...header('x-mcp-verified-sub'), ...header('router-key')]).toEqual([])
    expect(claims.sub).toBe('alice')
    await expect(client.callTool('files_read')).rejects.toThrow(/role_missing/)
    expect(place().upstream.take()).toEqual([])
    await client.close()
  })

  test('the token holds what the caller may use, as a string', async () => {
    await call('documented', toolCall('weather_alerts'))
    const { claims } = await arrived()
    expect(typeof claims['allowed-capabilities']).toBe('string')
    expect(JSON.parse(String(claims['allowed-capabilities']))).toEqual({
      tools: { weather: ['alerts', 'forecast', 'stream'] },
      prompts: {},
      resources: {},
      templates: {},
    })
    expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(300)
  })
})

real.each(Object.keys(listeners))('a header that clients may not send, listener %s', (listener) => {
  const forgeries: readonly (readonly [string, HeaderLines])[] = [
    ['x-mcp-authorized', twice('x-mcp-authorized').slice(1)],
    ['x-mcp-authorized, twice', twice('x-mcp-authorized')],
    ['X-Mcp-AUTHORIZED, twice', twice('X-Mcp-AUTHORIZED')],
    ...internal.map((name) => [`${name}, twice`, [...twice(name), [name.toUpperCase(), forgedToken]]] as const),
  ]
  test.each(forgeries)('%s does not reach the upstream', async (_, lines) => {
    expect((await call(listener, toolCall('weather_forecast'), lines)).status).toBe(200)
    const { header, claims } = await arrived()
    expect(claims.sub).toBe('alice')
    for (const name of internal) expect(header(name)).toEqual([])
  })

  test.each(['POST', 'GET', 'DELETE'])('mcp-init-host is refused on a %s', async (method) => {
    const headers: HeaderLines = [
      ...mcpHeaders(await place().installation.token()),
      ['Mcp-Init-Host', 'alpha.upstream.test'],
      ['router-key', 'secret-api-key'],
    ]
    const body = method === 'POST' ? { body: toolCall('weather_forecast') } : {}
    const refused = await send(place().envoy.port(listener), { method, headers, ...body })
    expect([refused.status, reasonIn(refused)]).toEqual([400, 'header_forbidden'])
    expect(place().upstream.take()).toEqual([])
  })

  test.each(routers)('%s is refused on a POST and removed from a GET', async (name) => {
    const refused = await call(listener, toolCall('weather_forecast'), [[name, 'weather']])
    expect(refused.status).toBe(400)
    expect(errorIn(refused).error.data.reason).toBe('header_forbidden')
    expect(place().upstream.take()).toEqual([])
    const headers = [...mcpHeaders(await place().installation.token()), ...twice(name)]
    await send(place().envoy.port(listener), { method: 'GET', headers })
    expect((await arrived()).header(name)).toEqual([])
  })
})

real('a decision', () => {
  test('has one id when it denies: in the answer, in the access log of Envoy and in the decision log', async () => {
    const testId = randomUUID()
    const answer = await call('documented', toolCall('files_read', 'call "7"'), [['x-test-id', testId]])
    expect(answer.status).toBe(403)
    expect(answer.header('content-type')).toBe('application/json')
    const { id, error } = errorIn(answer)
    expect(id).toBe('call "7"')
    expect(error).toMatchObject({ code: 403, data: { reason: 'role_missing' } })
    const decisionId = error.data.decision_id
    const logged = { status: 403, decision_id: decisionId, allow: false, reasons: ['role_missing'] }
    expect(await place().envoy.accessOf(testId)).toMatchObject(logged)
    expect(place().service.decision(decisionId)).toMatchObject({
      allow: false,
      subject: 'alice',
      action: 'tools/call',
      resource: { type: 'tool', server: 'files', name: 'read' },
    })
    expect(place().upstream.take()).toEqual([])
  })

  test('has one id when it allows: in the access log of Envoy and in the decision log', async () => {
    const testId = randomUUID()
    await call('documented', toolCall('weather_forecast'), [['x-test-id', testId]])
    await arrived()
    const entry = await place().envoy.accessOf(testId)
    expect(entry).toMatchObject({ status: 200, allow: true })
    expect(place().service.decision(String(entry['decision_id']))).toMatchObject({ allow: true, subject: 'alice' })
  })
})

real.each(Object.keys(listeners))('a credential, listener %s', (listener) => {
  const good = async (): Promise<string> => await place().installation.token()
  const credentials: readonly (readonly [string, string, () => Promise<HeaderLines>])[] = [
    ['no token', 'token_missing', async () => mcpHeaders()],
    ['an expired token', 'token_expired', async () => mcpHeaders(await place().installation.token({ expiresIn: -60 }))],
    [
      'a foreign token',
      'token_audience',
      async () => mcpHeaders(await place().installation.token({ audience: 'crm' })),
    ],
    ['two tokens', 'token_malformed', async () => [...mcpHeaders(await good()), ...mcpHeaders(await good()).slice(-1)]],
    ['a token in x-mcp-authorized', 'token_missing', async () => [...mcpHeaders(), ['x-mcp-authorized', await good()]]],
  ]
  test.each(credentials)('%s is answered with 401 and %s', async (_, reason, headersOf) => {
    const request = { headers: await headersOf(), body: toolCall('weather_forecast', 5) }
    const answer = await send(place().envoy.port(listener), request)
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')).toMatch(/^Bearer/)
    expect(errorIn(answer)).toMatchObject({ id: 5, error: { code: 401, data: { reason } } })
    expect(place().upstream.take()).toEqual([])
  })
})

real('the logs', () => {
  test('hold none of the tokens that went by', async () => {
    const { installation, envoy, service } = place()
    const secrets = installation.secrets()
    expect(secrets.length).toBeGreaterThan(10)
    expect(leaks(secrets, await envoy.written())).toEqual([])
    expect(leaks(secrets, service.log())).toEqual([])
  })
})

async function call(listener: string, body: string, lines: HeaderLines = []): Promise<HttpAnswer> {
  const headers = [...mcpHeaders(await place().installation.token()), ...lines]
  return await send(place().envoy.port(listener), { headers, body })
}

/** The one request that reached the upstream, and what its token says, which must verify. */
async function arrived() {
  const requests = place().upstream.take()
  expect(requests).toHaveLength(1)
  const authorized = requests[0]?.header('x-mcp-authorized') ?? []
  expect(authorized).toHaveLength(1)
  return { header: requests[0]?.header ?? (() => []), claims: await place().service.verify(authorized[0] ?? '') }
}

function twice(name: string): HeaderLines {
  return [
    [name, 'forged'],
    [name, forgedToken],
  ]
}
