import type { Assembly } from './assembly.ts'
import type { KeyRing } from './capabilities/key-ring.ts'
import { undeclaredResource } from './config/protected-resource-section.ts'
import type { Metrics } from './decision-log/metrics.ts'
import { createHttpDoor, type HttpDoorOptions } from './http/app.ts'
import { permitsOf } from './http/permits.ts'
import { type Listener, listenOn } from './listener.ts'
import { createBackChannelLogout } from './revocation/feeds/back-channel-logout.ts'
import { createPublisher, type Publisher } from './revocation/list.ts'

export interface HttpListenerOptions {
  readonly assembly: Assembly
  readonly keys: KeyRing
  readonly metrics: Metrics
  readonly warn: (text: string) => void
}

/** Opens the HTTP door. @throws {TypeError | Error} for an address that cannot be listened on */
export async function listenHttp(options: HttpListenerOptions): Promise<Listener> {
  const { listen } = options.assembly.config
  let address = listen.http
  const publisher = publisherOf(options)
  const listener = await listenOn(
    listen.http,
    createHttpDoor(doorOptionsOf(options, publisher, () => `http://${address}`)),
  )
  address = listener.address
  return {
    address,
    async close() {
      // Who waits for news is answered at once.
      publisher.close()
      await listener.close()
    },
  }
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
    status: () => statusOf(assembly),
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

/** How an assembly stands, as `/status` tells it. */
export function statusOf({ revision, ready, lacks }: Assembly): {
  revision: string
  ready: boolean
  lacks: readonly string[]
} {
  return { revision: revision(), ready: ready(), lacks: lacks() }
}
