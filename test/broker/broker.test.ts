import type { RequestListener } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { mcpRequest } from '../bench/answer-step.ts'
import { clients, clientV2 } from '../guard/sdk-clients.ts'
import { listen, type program, shut, stdioOf, textOf, until } from './place.ts'
import { modernServer, type RawRequest, rawServer, sessionServer } from './servers.ts'
import { type Serving, type ServingOptions, serve } from './service-place.ts'

const stdio = ({ kind: _, timeoutSeconds, ...config }: ReturnType<typeof program>) => ({ ...config, timeoutSeconds })

const everyone = { all: { '*': ['tool:*', 'prompt:*', 'resource:*', 'template:*'] } }
const catalogue = {
  servers: {
    sessions: { prefix: 's_', tools: ['count'] },
    weather: {
      prefix: 'w_',
      tools: ['forecast', 'alerts'],
      prompts: ['brief'],
      resources: ['weather://stations'],
      templates: ['weather://{id}'],
    },
    memory: { prefix: 'm_', tools: ['count'] },
  },
  roles: { ...everyone, reader: { weather: ['tool:forecast', 'resource:weather://stations'] } },
}

/** Three servers, one of each kind, behind one broker. */
async function three(options: Partial<ServingOptions> = {}): Promise<Serving> {
  const weather = await listen(modernServer(['forecast', 'alerts', 'unlisted']).listener)
  const sessions = await listen(sessionServer().listener)
  const upstreams = {
    weather: { url: weather.url },
    sessions: { url: sessions.url },
    memory: stdio(stdioOf('v1')),
  }
  const serving = await serve({ data: catalogue, broker: { upstreams }, ...options })
  await until(async () =>
    expect((await serving.status()).servers.map(({ reason }) => reason)).toEqual(['Ready', 'Ready', 'Ready']),
  )
  return serving
}

const namesOf = (items: readonly { readonly name: string }[]) => items.map(({ name }) => name)

describe.each(clients)('a client: %s', (_, connect) => {
  it('sees what all servers offer, and of that what its user may use, and uses it', async () => {
    const { url, headers } = await three()
    const alice = await connect(url, await headers('alice', 'all'))
    expect(namesOf((await alice.listTools()).tools)).toEqual(['m_count', 's_count', 'w_forecast', 'w_alerts'])
    expect(namesOf((await alice.listPrompts()).prompts)).toEqual(['w_brief'])
    expect((await alice.listResources()).resources.map(({ uri }) => uri)).toEqual(['weather://stations'])
    const { resourceTemplates } = await alice.listResourceTemplates()
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual(['weather://{id}'])
    expect(textOf((await alice.callTool({ name: 'w_alerts' })) as never)).toBe('alerts')
    expect(textOf((await alice.callTool({ name: 'm_count' })) as never)).toBe('1')
    expect(await alice.getPrompt({ name: 'w_brief' })).toMatchObject({ messages: [] })
    const uri = 'weather://7'
    expect(await alice.readResource({ uri })).toMatchObject({ contents: [{ uri, text: 'text' }] })

    const bob = await connect(url, await headers('bob', 'reader'))
    expect(namesOf((await bob.listTools()).tools)).toEqual(['w_forecast'])
    expect((await bob.listPrompts()).prompts).toEqual([])
    expect(textOf((await bob.callTool({ name: 'w_forecast' })) as never)).toBe('forecast')
    for (const name of ['w_alerts', 'm_count', 'w_unlisted', 'forecast']) {
      await expect(bob.callTool({ name }), name).rejects.toThrow()
    }
    await expect(bob.readResource({ uri })).rejects.toThrow()
  })
})

describe('a caller', () => {
  it('has sessions of their own with servers that keep any, whichever token they come with', async () => {
    const { url, headers } = await three()
    const count = async (subject: string, ...more: readonly string[]) => {
      const client = await clientV2(url, await headers(subject, 'all', ...more))
      return [textOf(await client.callTool({ name: 's_count' })), textOf(await client.callTool({ name: 'm_count' }))]
    }
    expect(await count('alice')).toEqual(['1', '1'])
    expect(await count('bob')).toEqual(['1', '1'])
    expect(await count('alice', 'reader')).toEqual(['2', '2'])
  })

  it('shares one where it is said so', async () => {
    const sessions = await listen(sessionServer().listener)
    const broker = { upstreams: { sessions: { url: sessions.url, sessions: 'shared' } } }
    const { url, headers } = await serve({ data: catalogue, broker })
    for (const [subject, expected] of [
      ['alice', '1'],
      ['bob', '2'],
    ] as const) {
      const client = await clientV2(url, await headers(subject, 'all'))
      expect(textOf(await client.callTool({ name: 's_count' }))).toBe(expected)
    }
  })
})

describe('what reaches a server', () => {
  it('is its own name of what was judged, the configured headers, and nothing of the caller', async () => {
    const seen: (RawRequest & { readonly headers: Readonly<Record<string, unknown>> })[] = []
    const offers = { tools: [{ name: 'x', inputSchema: { type: 'object' } }] }
    const raw = await listen(
      rawServer(
        ({ method }) => ({ result: method === 'tools/list' ? offers : { content: [] } }),
        { tools: {} },
        seen as never,
      ),
    )
    const data = { servers: { raw: { prefix: 'r_', tools: ['x'] } }, roles: everyone }
    const upstreams = { raw: { url: raw.url, headers: { 'x-api-key': 'sesame' } } }
    const { url, headers } = await serve({ data, broker: { upstreams } })
    const client = await clientV2(
      url,
      { ...(await headers('alice', 'all')), 'x-secret': 'mine', cookie: 'a=b' },
      'legacy',
    )
    await client.request(
      {
        method: 'tools/call',
        params: { name: 'r_x', arguments: { a: 1 }, task: { ttl: 1000 }, _meta: { note: 'kept', progressToken: 9 } },
      } as never,
      { timeout: 5000 } as never,
    )
    const call = seen.find(({ method }) => method === 'tools/call')
    expect(call?.params).toMatchObject({ name: 'r_x'.slice(2), arguments: { a: 1 }, _meta: { note: 'kept' } })
    expect(call?.params).not.toHaveProperty('task')
    expect(call?.headers).toMatchObject({ 'x-api-key': 'sesame' })
    for (const { headers: sent } of seen) {
      for (const name of ['authorization', 'cookie', 'x-secret', 'x-mcp-authorized'])
        expect(sent).not.toHaveProperty(name)
    }
  })
})

describe('a server that is away', () => {
  it('takes nothing from the others, and is told of', async () => {
    const weather = await listen(modernServer(['forecast']).listener)
    const gone = await listen(modernServer(['x']).listener)
    const data = {
      servers: { weather: { prefix: 'w_', tools: ['forecast'] }, gone: { prefix: 'g_', tools: ['x'] } },
      roles: everyone,
    }
    const upstreams = { weather: { url: weather.url }, gone: { url: gone.url } }
    const { url, headers, status, warnings, operation } = await serve({ data, broker: { upstreams } })
    const client = await clientV2(url, await headers('alice', 'all'))
    expect(namesOf((await client.listTools()).tools)).toEqual(['g_x', 'w_forecast'])
    await shut(gone)
    await until(async () => expect(namesOf((await client.listTools()).tools)).toEqual(['w_forecast']))
    await expect(client.callTool({ name: 'g_x' })).rejects.toMatchObject({
      code: -32603,
      message: 'server `gone` is not reachable',
      data: { server: 'gone', outage: 'unreachable' },
    })
    expect(textOf(await client.callTool({ name: 'w_forecast' }))).toBe('forecast')
    expect((await status()).servers).toMatchObject([
      { id: 'gone', reason: 'NotReady', lastError: expect.any(String) },
      { id: 'weather', reason: 'Ready', protocolVersion: '2026-07-28', offers: { tools: 1 } },
    ])
    expect(warnings.filter((text) => text.includes('`gone` is not reachable'))).toHaveLength(1)
    const metrics = await (await operation('/metrics')).text()
    expect(metrics).toContain('mcp_authz_upstream_ready{server="gone"} 0\n')
    expect(metrics).toContain('mcp_authz_upstream_ready{server="weather"} 1\n')
  })

  it('is none that the broker waits for, nor is one that only the catalogue has', async () => {
    const data = { servers: { never: { tools: ['x'] }, nowhere: { prefix: 'n_', tools: ['y'] } }, roles: everyone }
    const silent = await listen(() => undefined)
    const upstreams = { never: { url: silent.url }, stranger: { url: silent.url } }
    const { url, headers, status, warnings } = await serve({ data, broker: { upstreams } })
    const client = await clientV2(url, await headers('alice', 'all'))
    expect((await client.listTools()).tools).toEqual([])
    for (const name of ['x', 'n_y']) {
      await expect(client.callTool({ name })).rejects.toMatchObject({ code: -32603 })
    }
    const reasons = (await status()).servers.map(({ id, reason }) => [id, reason])
    expect(reasons).toEqual([
      ['never', 'NotReady'],
      ['nowhere', 'NoUpstream'],
      ['stranger', 'NotInCatalogue'],
    ])
    expect(warnings).toContainEqual(expect.stringContaining('`stranger` has an upstream and is not in the catalogue'))
  })
})

describe('a server that answers oddly', () => {
  it.each([
    ['asks for input, which nobody here can give', { result: { resultType: 'input_required', inputRequests: {} } }, {}],
    ['gives no result of a call', { result: { content: 'text' } }, {}],
    [
      'fails by itself',
      { error: { code: -32000, message: 'no such city', data: { city: 'Atlantis' } } },
      { code: -32000, message: 'no such city', data: { city: 'Atlantis' } },
    ],
  ])('%s: its caller gets an error', async (_, answer, error) => {
    const offers = { tools: [{ name: 'x', inputSchema: { type: 'object' } }] }
    const raw = await listen(rawServer(({ method }) => (method === 'tools/list' ? { result: offers } : answer)))
    const data = { servers: { raw: { tools: ['x'] } }, roles: everyone }
    const { url, headers } = await serve({ data, broker: { upstreams: { raw: { url: raw.url } } } })
    const client = await clientV2(url, await headers('alice', 'all'))
    await expect(client.callTool({ name: 'x' })).rejects.toMatchObject({ name: 'ProtocolError', ...error })
  })
})

describe('an argument that a header repeats', () => {
  const region = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } as const

  it('is refused where the two differ, and reaches the server in both where they agree', async () => {
    const seen: (string | null)[] = []
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: 'regional', version: '1' })
      server.registerTool(
        'x',
        { inputSchema: fromJsonSchema<{ region?: string }>(region) },
        ({ region: said }, { http }) => {
          seen.push(http?.req?.headers.get('mcp-param-region') ?? null)
          return { content: [{ type: 'text', text: said ?? 'none' }] }
        },
      )
      return server
    })
    const upstream = await listen(toNodeHandler(handler) as RequestListener)
    const data = { servers: { regional: { prefix: 'r_', tools: ['x'] } }, roles: everyone }
    const upstreams = { regional: { url: upstream.url } }
    const { url, headers, warnings } = await serve({ data, broker: { upstreams } })
    const alice = await headers('alice', 'all')
    const client = await clientV2(url, alice)
    expect((await client.listTools()).tools).toMatchObject([{ name: 'r_x', inputSchema: region }])
    expect(textOf(await client.callTool({ name: 'r_x', arguments: { region: 'eu' } }))).toBe('eu')
    expect(seen).toEqual(['eu'])
    const call = mcpRequest(url, { method: 'tools/call', params: { name: 'r_x', arguments: { region: 'eu' } } }, '')
    for (const [name, value] of Object.entries({ ...alice, 'mcp-param-region': 'us' })) call.headers.set(name, value)
    const refused = await fetch(call)
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: -32020 } }])
    expect(seen).toHaveLength(1)
    expect(warnings, 'nothing of what clients send is logged').toEqual([])
  })
})
