import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { mcpHeaders, send, toolCall } from './http-client.ts'
import { real, usePlace } from './place.ts'

const place = usePlace({ documented: () => undefined })
const body = toolCall('weather_forecast')

real('clients that hang up while they are decided about', () => {
  test('make no request of others fail', { timeout: 30_000 }, async () => {
    const headers = mcpHeaders(await place().installation.token())
    const port = place().envoy.port('documented')
    const lines = [...headers, ['host', 'mcp.example'], ['content-length', String(body.length)]]
    const bytes = `POST /mcp HTTP/1.1\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n${body}`
    const statuses: number[] = []
    let storm = true
    const honest = async (): Promise<void> => {
      while (storm || statuses.length < 100) statuses.push((await send(port, { headers, body })).status)
    }
    const honestClients = Promise.all([honest(), honest(), honest(), honest()])
    // Node's HTTP/2 server by itself closes a connection, with everybody's checks on it, after 1000 resets.
    for (let aborted = 0; aborted < 1500; aborted += 10) {
      await Promise.all(Array.from({ length: 10 }, async () => await abort(port, bytes)))
    }
    storm = false
    await honestClients
    expect(new Set(statuses)).toEqual(new Set([200]))
  })
})

/** Sends a whole request and hangs up without waiting for its answer. */
async function abort(port: number, bytes: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(bytes)
  await new Promise((resolve) => setImmediate(resolve))
  socket.resetAndDestroy()
}
