import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import type { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport as WebTransportV1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import express from 'express'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { catalogue, makePlace, type Place } from './place.ts'
import { bearer } from './requests.ts'
import { type AnyClient, clientV1, clientV2 } from './sdk-clients.ts'
import { listen, type Served, serve } from './sdk-server.ts'
import { serverV1 } from './sdk-v1-server.ts'

const program = fileURLToPath(new URL('../../bin/mcp-authz.js', import.meta.url))
const patient = { timeout: 20_000 }

let place: Place
let guard: Guard
beforeEach(async () => {
  place = await makePlace()
  guard = await createGuard({ config: place.config, changesEveryMs: 20 })
})
afterEach(async () => {
  await guard.close()
  await place.remove()
})

async function revoke(...what: readonly string[]): Promise<void> {
  const command = ['revoke', '--config', place.config, ...what]
  await promisify(execFile)(process.execPath, [program, ...command], { cwd: dirname(place.config) })
}

/** Alice's headers; `seconds` are those that her token is still good for. */
async function alice(seconds = 300): Promise<Record<string, string>> {
  // Issuers' clocks are allowed to be five seconds off.
  return bearer(await place.token('alice', { roles: ['meteorologist'], expiresIn: seconds - 5 }))
}

const names = async (client: AnyClient): Promise<readonly string[]> =>
  (await client.listTools()).tools.map(({ name }) => name)

async function withOneTool(): Promise<void> {
  const { weather } = catalogue.servers
  await place.writeCatalogue({ ...catalogue, servers: { weather: { ...weather, tools: ['alerts'] } } })
}

describe('a subscription of SDK v2', patient, () => {
  let served: Served
  beforeEach(async () => {
    served = await serve(guard)
  })
  afterEach(async () => await served.close())

  async function subscribed(headers: Record<string, string>) {
    const client = await clientV2(served.url, headers)
    let told = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => {
      told += 1
    })
    client.setNotificationHandler('notifications/resources/list_changed', () => expect.unreachable())
    const { closed } = await client.listen({ toolsListChanged: true, promptsListChanged: true })
    return { client, closed, told: () => told }
  }

  it('is told when the data changes what its person may use', async () => {
    const { client, told } = await subscribed(await alice())
    expect(await names(client)).toEqual(['weather_forecast', 'weather_alerts'])
    await withOneTool()
    await expect.poll(told, patient).toBe(1)
    expect(await names(client)).toEqual(['weather_alerts'])
  })

  it('is told when a role of its person is revoked', async () => {
    const { client, told } = await subscribed(await alice())
    await revoke('--role', 'meteorologist', '--subject', 'alice')
    await expect.poll(told, patient).toBe(1)
    expect(await names(client)).toEqual([])
  })

  it('ends when its person is revoked, and is not opened again', async () => {
    const { client, closed, told } = await subscribed(await alice())
    await revoke('--subject', 'alice')
    expect(await closed).toBe('graceful')
    const before = told()
    served.announce()
    await expect(client.listen({ toolsListChanged: true })).rejects.toThrow(/401/)
    expect(told()).toBe(before)
  })

  it('ends when its token does, and carries nothing from then on', async () => {
    const { client, closed, told } = await subscribed(await alice(5))
    served.announce()
    await expect.poll(told, patient).toBe(1)
    expect(await closed).toBe('graceful')
    const before = told()
    served.announce()
    await expect(client.listen({ toolsListChanged: true })).rejects.toThrow(/401/)
    expect(told()).toBe(before)
  })
})

/** A server of SDK v1 with sessions, and a client whose GET stream is open. */
async function sessionOf(headers: Record<string, string>) {
  const sessions = sessionsOfV1()
  const server = createServer(express().all('/mcp', guard.express(sessions.handler)))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const client = await clientV1(await listen(server), headers)
  const errors: string[] = []
  client.onerror = ({ message }) => void errors.push(message)
  const told = toldOf(client)
  // What a server says before it has opened its stream is lost.
  await expect.poll(() => told() || sessions.announce(), patient).toBeGreaterThan(0)
  return { client, errors, told, ...sessions }
}

function sessionsOfV1() {
  const transports = new Map<string, WebTransportV1>()
  const servers: ServerV1[] = []
  let streams = 0
  return {
    streams: () => streams,
    announce() {
      for (const server of servers) server.sendToolListChanged()
      return 0
    },
    async handler(request: Request): Promise<Response> {
      if (request.method === 'GET') streams += 1
      const known = transports.get(request.headers.get('mcp-session-id') ?? '')
      if (known !== undefined) return await known.handleRequest(request)
      const transport = new WebTransportV1({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => void transports.set(id, transport),
      })
      const server = serverV1([])
      servers.push(server)
      await server.connect(transport)
      return await transport.handleRequest(request)
    },
  }
}

function toldOf(client: ClientV1): () => number {
  let told = 0
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    told += 1
  })
  return () => told
}

describe('the GET stream of SDK v1 under express', patient, () => {
  it('is told when a role of its person is revoked', async () => {
    const { client, told } = await sessionOf(await alice())
    const before = told()
    expect(client.getServerCapabilities()).toMatchObject({ tools: { listChanged: true } })
    await revoke('--role', 'meteorologist', '--subject', 'alice')
    await expect.poll(told, patient).toBeGreaterThan(before)
    expect(await names(client as unknown as AnyClient)).toEqual([])
  })

  it('is told when the data changes what its person may use', async () => {
    const { client, told } = await sessionOf(await alice())
    const before = told()
    await withOneTool()
    await expect.poll(told, patient).toBeGreaterThan(before)
    expect(await names(client as unknown as AnyClient)).toEqual(['weather_alerts'])
  })

  it('ends when its token does: nothing more arrives, and it is not opened again', async () => {
    const { told, announce, streams, errors } = await sessionOf(await alice(5))
    // The client opens what ended again, as clients do.
    await expect.poll(() => errors.join(), patient).toMatch(/Failed to open SSE/u)
    const before = told()
    announce()
    const then = errors.length
    await expect.poll(() => errors.length, patient).toBeGreaterThan(then)
    expect([told(), streams()]).toEqual([before, 1])
  })
})
