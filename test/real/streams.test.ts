import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { eventually } from './envoy-process.ts'
import { mcpHeaders, send } from './http-client.ts'
import { clients } from './mcp-clients.ts'
import { real, usePlace } from './place.ts'

const place = usePlace({ documented: () => undefined })

real('an answer that is a stream', () => {
  test.each(clients)(
    '%s in version %s sees the first event before the server goes on',
    async (_, _version, connect) => {
      const token = await place().installation.token()
      const client = await connect(url('/mcp'), { authorization: `Bearer ${token}` })
      let progress = 0
      // The server says no more until its stream is finished here: an answer held back by anyone would never end.
      const answer = await client.callTool('weather_stream', () => {
        progress += 1
        place().upstream.finishStream()
      })
      expect([progress, answer]).toEqual([1, 'weather_stream says hello'])
      await client.close()
    },
  )
})

real('the GET stream of a session', () => {
  test('carries each event when it happens, and the session ends with DELETE', async () => {
    const client = new ClientV1({ name: 'test', version: '1' })
    let events = 0
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      events += 1
    })
    const authorization = `Bearer ${await place().installation.token()}`
    const transport = new TransportV1(url('/mcp/session'), { requestInit: { headers: { authorization } } })
    await client.connect(transport as Parameters<typeof client.connect>[0])
    await arrived('GET')
    // An event from before the server has opened its stream is lost, so the first is sent until it is seen.
    await eventually(async () => {
      await place().upstream.announce()
      return events > 0 || undefined
    }, 'the first event')
    const before = events
    await place().upstream.announce()
    await eventually(async () => events > before || undefined, 'the second event')
    await transport.terminateSession()
    await arrived('DELETE')
    await client.close()
  })

  test.each(['GET', 'DELETE'])('needs a credential: %s without one is refused', async (method) => {
    place().upstream.take()
    expect((await send(place().envoy.port('documented'), { method, headers: mcpHeaders() })).status).toBe(401)
    expect(place().upstream.take()).toEqual([])
  })
})

function url(path: string): URL {
  return new URL(path, `http://127.0.0.1:${place().envoy.port('documented')}`)
}

async function arrived(method: string): Promise<void> {
  await eventually(
    async () =>
      place()
        .upstream.take()
        .some((request) => request.method === method) || undefined,
    `a ${method} reaches the upstream`,
  )
}
