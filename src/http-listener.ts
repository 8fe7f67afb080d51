import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatAddress, parseAddress } from './address.ts'
import type { Assembly } from './assembly.ts'
import type { KeyRing } from './capabilities/key-ring.ts'
import { undeclaredResource } from './config/protected-resource-section.ts'
import type { Metrics } from './decision-log/metrics.ts'
import { createHttpDoor, type HttpDoorOptions } from './http/app.ts'
import { permitsOf } from './http/permits.ts'
import { createBackChannelLogout } from './revocation/feeds/back-channel-logout.ts'
import { createPublisher, type Publisher } from './revocation/list.ts'

/** The HTTP door on its address. */
export interface HttpListener {
  /** As bound. */
  readonly address: string
  /** Resolves when the last request is answered. */
  close(): Promise<void>
}

export interface HttpListenerOptions {
  readonly assembly: Assembly
  readonly keys: KeyRing
  readonly metrics: Metrics
  readonly warn: (text: string) => void
}

const drainMs = 10_000

/** Opens the HTTP door. @throws {TypeError | Error} for an address that cannot be listened on */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const { listen } = options.assembly.config
  let address = listen.http
  const publisher = publisherOf(options)
  const server = createServer(createHttpDoor(doorOptionsOf(options, publisher, () => `http://${address}`)))
  const listening = once(server, 'listening')
  const wanted = parseAddress(listen.http)
  if (!wanted.ok) throw new TypeError(`http address \`${listen.http}\`: ${wanted.detail}`)
  if (wanted.address.kind === 'unix') server.listen(wanted.address.path)
  else server.listen(wanted.address.port, wanted.address.host)
  await listening
  if (wanted.address.kind === 'tcp') {
    address = formatAddress({ ...wanted.address, port: (server.address() as AddressInfo).port })
  }
  return { address, close: async () => await close(server, publisher) }
}

function publisherOf({ assembly: { config, kept }, keys }: HttpListenerOptions): Publisher {
  const { revocations, instance } = kept
  return createPublisher({ revocations, instance, key: keys.signing, issuer: config.capabilities.issuer })
}

function doorOptionsOf(
  { assembly, keys, metrics, warn }: HttpListenerOptions,
  publisher: Publisher,
  origin: () => string,
): HttpDoorOptions {
  const { config, authorizer, read, ready, kept } = assembly
  const { revocations, revoker, state } = kept
  const permits = permitsOf(kept.permits)
  const takesLogouts = config.issuers.some(({ backChannelLogout }) => backChannelLogout !== undefined)
  return {
    authorizer,
    read,
    ready,
    metrics,
    jwks: keys.jwks,
    origin,
    protectedResource: config.protectedResource ?? undeclaredResource(config.issuers),
    permits,
    revocations: { permits, revoker, revocations, publisher, open: kept.unseal },
    backChannelLogout: takesLogouts
      ? createBackChannelLogout({ verify: assembly.statement, revoker, once: state.tally.once, onRefused: warn })
      : undefined,
  }
}
async function close(server: Server, publisher: Publisher): Promise<void> {
  // Who waits for news is answered at once.
  publisher.close()
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
