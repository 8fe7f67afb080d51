import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { text } from 'node:stream/consumers'
import { type HttpBindings, serve as serveHono } from '@hono/node-server'
import { WebStandardStreamableHTTPServerTransport as WebTransportV1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { createMcpHandler } from '@modelcontextprotocol/server'
import express from 'express'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createGuard, type Guard, type GuardOptions } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'
import { bearer } from './requests.ts'
import { clients } from './sdk-clients.ts'
import { listen, mcpServer } from './sdk-server.ts'
import { serverV1 } from './sdk-v1-server.ts'

let place: Place
let guard: Guard
let alice: Record<string, string>

beforeAll(async () => {
  place = await makePlace()
  guard = await createGuard({ config: place.config })
  alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
})
afterAll(async () => {
  await guard.close()
  await place.remove()
})

type Reached = (request: Request) => void
type Serve = (guard: Guard, reached: Reached) => Promise<URL>

const modern = (reached: Reached) => {
  const handler = createMcpHandler(() => mcpServer([]))
  return async (request: Request): Promise<Response> => {
    reached(request)
    return await handler.fetch(request)
  }
}

const servers: readonly (readonly [string, Serve])[] = [
  ['express', async (by, reached) => await open(createServer(express().all('/mcp', by.express(modern(reached)))))],
  ['Node alone', async (by, reached) => await open(createServer(by.express(modern(reached)) as RequestListener))],
  [
    'Hono',
    async (by, reached) => {
      const handler = modern(reached)
      const app = new Hono<{ Bindings: HttpBindings }>()
      app.use('/mcp', by.hono())
      app.all('/mcp', async ({ req }) => await handler(req.raw))
      return await new Promise((resolve) => {
        const server = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
          resolve(new URL(`http://127.0.0.1:${port}/mcp`)),
        )
        onTestFinished(() => void server.close())
      })
    },
  ],
]

async function open(server: Server): Promise<URL> {
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return await listen(server)
}

/** Sends more than anybody will read; what is answered meanwhile. */
async function sendTooMuch(url: URL, headers: Readonly<Record<string, string>>) {
  const sent = httpRequest(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    // What is left of the body ends the connection.
    agent: false,
  })
  // Whoever hangs up has answered before.
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).on('error', reject))
  sent.end(Buffer.alloc(3_000_000, 'a'))
  const response = await answered
  return { status: response.statusCode, body: await text(response) }
}

it.each(servers)('an MCP server of %s says that a body is too large, once it knows who sends it', async (_, serve) => {
  const url = await serve(guard, () => expect.unreachable())
  const answer = await sendTooMuch(url, alice)
  expect([answer.status, answer.body]).toEqual([413, expect.stringContaining('body_too_large')])
  expect((await sendTooMuch(url, {})).status).toBe(401)
})

describe.each(servers)('an MCP server of %s', (_, serve) => {
  it.each(clients)(
    'shows a client of %s what its person may use, and lets nothing else through',
    async (_client, connect) => {
      const bodies: Promise<string>[] = []
      const url = await serve(guard, (request) => bodies.push(request.clone().text()))
      const client = await connect(url, alice)
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['weather_forecast', 'weather_alerts'])
      expect(await client.callTool({ name: 'weather_alerts', arguments: {} })).toMatchObject({
        content: [{ text: 'weather_alerts' }],
      })
      await expect(client.callTool({ name: 'files_wipe', arguments: {} })).rejects.toThrow(/403/)
      expect((await Promise.all(bodies)).join()).not.toContain('files_wipe')
    },
  )

  it('answers a request without a token with 401 and its challenge', async () => {
    const url = await serve(guard, () => expect.unreachable())
    const response = await fetch(url, { method: 'POST', headers: json, body: call('weather_alerts') })
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })

  it('lets no header through that only insiders may send, twice or not', async () => {
    const seen: (string | null)[] = []
    const url = await serve(guard, ({ headers }) => void seen.push(headers.get('x-mcp-verified-sub')))
    const forged = ['x-mcp-verified-sub', 'root', 'X-Mcp-Verified-Sub', 'admin']
    const headers = ['host', url.host, ...Object.entries({ ...json, ...alice }).flat(), ...forged]
    const sent = httpRequest(url, { method: 'POST', headers, agent: false })
    sent.end(call('weather_alerts'))
    const status = await new Promise((resolve) => {
      sent.on('response', (response) => void text(response).then(() => resolve(response.statusCode)))
    })
    expect([status, seen]).toEqual([200, [null]])
  })

  it('tells the authorizer who opened the connection', async () => {
    const addresses: (string | undefined)[] = []
    const spying = await createGuard(recording(addresses))
    const url = await serve(spying, () => expect.unreachable())
    const response = await fetch(url, { method: 'POST', headers: { ...json, ...alice }, body: call('weather_alerts') })
    expect([response.status, addresses]).toEqual([403, ['127.0.0.1']])
  })

  it('asks whoever knows better than the connection', async () => {
    const addresses: (string | undefined)[] = []
    const spying = await createGuard({
      ...recording(addresses),
      address: ({ headers }) => headers.get('x-real') ?? undefined,
    })
    const url = await serve(spying, () => expect.unreachable())
    await fetch(url, { method: 'POST', headers: { ...json, ...alice, 'x-real': '192.0.2.7' }, body: call('a') })
    await fetch(url, { method: 'POST', headers: { ...json, ...alice }, body: call('a') })
    expect(addresses).toEqual(['192.0.2.7', undefined])
  })
})

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

function call(name: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } })
}

/** Denies everything, and keeps where it came from. */
function recording(addresses: (string | undefined)[]): GuardOptions {
  const reasons = [{ code: 'role_missing', message: 'no' }] as const
  const decision = { id: 'd', allow: false, reasons, revision: 'r' }
  return {
    authorizer: {
      async authorize({ address }) {
        addresses.push(address)
        return { decision: structuredClone({ ...decision, action: 'tools/call' }) as never }
      },
      capabilities: async () => expect.unreachable(),
      visible: async () => [],
    },
  }
}

describe('express', () => {
  it('refuses a body that a parser has read, and says why to whoever runs it', async () => {
    const faults: string[] = []
    const noting = await createGuard({ config: place.config, onFault: (_, cause) => void faults.push(cause) })
    onTestFinished(() => noting.close())
    const app = express()
      .use(express.json())
      .all(
        '/mcp',
        noting.express(() => expect.unreachable()),
      )
    const url = await open(createServer(app))
    const response = await fetch(url, { method: 'POST', headers: { ...json, ...alice }, body: call('weather_alerts') })
    expect([response.status, await response.json()]).toMatchObject([503, { error: 'policy_error' }])
    expect(faults.join()).toContain('mount it before body parsers')
  })

  it('hands what the handler throws to the next', async () => {
    const thrown: unknown[] = []
    const fault = new Error('the handler is broken')
    const app = express().all('/mcp', (request, response) =>
      guard.express(() => Promise.reject(fault))(request, response, (error) => {
        thrown.push(error)
        response.status(500).end()
      }),
    )
    const url = await open(createServer(app))
    const response = await fetch(url, { method: 'POST', headers: { ...json, ...alice }, body: call('weather_alerts') })
    expect([response.status, thrown]).toEqual([500, [fault]])
  })

  it('ends a stream of the handler when its client goes', async () => {
    const ended = Promise.withResolvers<void>()
    const quiet = (): Response => {
      const body = new ReadableStream({ cancel: () => ended.resolve() })
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    }
    const url = await open(createServer(express().all('/mcp', guard.express(quiet))))
    const leaving = new AbortController()
    const response = await fetch(url, { headers: { ...alice, accept: 'text/event-stream' }, signal: leaving.signal })
    expect(response.status).toBe(200)
    leaving.abort()
    await ended.promise
  })

  it.each(clients.slice(1))('guards a server of SDK v1 behind its web-standard transport: %s', async (_, connect) => {
    const handler = async (request: Request): Promise<Response> => {
      const transport = new WebTransportV1()
      await serverV1([]).connect(transport)
      return await transport.handleRequest(request)
    }
    const url = await open(createServer(express().all('/mcp', guard.express(handler))))
    const client = await connect(url, alice)
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['weather_forecast', 'weather_alerts'])
    await expect(client.callTool({ name: 'files_wipe', arguments: {} })).rejects.toThrow(/403/)
  })
})
