import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatAddress, parseAddress } from './address.ts'

/** An HTTP server on its address. */
export interface Listener {
  /** As bound. */
  readonly address: string
  /** Resolves when the last request is answered, 10 seconds at most. */
  close(): Promise<void>
}

const drainMs = 10_000

/** Listens. @throws {TypeError | Error} for an address that cannot be listened on */
export async function listenOn(text: string, answer: RequestListener): Promise<Listener> {
  const wanted = parseAddress(text)
  if (!wanted.ok) throw new TypeError(`http address \`${text}\`: ${wanted.detail}`)
  const server = createServer(answer)
  const listening = once(server, 'listening')
  const { address } = wanted
  if (address.kind === 'unix') server.listen(address.path)
  else server.listen(address.port, address.host)
  await listening
  const bound =
    address.kind === 'unix' ? text : formatAddress({ ...address, port: (server.address() as AddressInfo).port })
  return { address: bound, close: async () => await close(server) }
}

async function close(server: Server): Promise<void> {
  // It is no longer `listening` as soon as `close` was called, but closed only when the last request is answered.
  const closed = once(server, 'close')
  server.close()
  // Kept-alive connections that answered meanwhile would else stay until their time-out.
  const idle = setInterval(() => server.closeIdleConnections(), 100)
  const timer = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearInterval(idle)
  clearTimeout(timer)
}
