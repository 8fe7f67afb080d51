import { setTimeout as sleep } from 'node:timers/promises'
import { type Assembly, assemble, readCapabilityKey } from './assembly.ts'
import { createKeyRing, type KeyRing } from './capabilities/key-ring.ts'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/problem.ts'
import type { DataWatch } from './config/watch.ts'
import type { FilesWatch } from './config/watch-files.ts'
import { watchCapabilityKey } from './config/watch-key.ts'
import type { DecisionLog } from './decision-log/log.ts'
import { createMetrics, type Metrics, type RevocationFigures } from './decision-log/metrics.ts'
import { createEnvoyDoor, type EnvoyDoor } from './envoy/server.ts'
import { type Feeds, followIssuers } from './feeds.ts'
import { listenHttp } from './http-listener.ts'
import type { Listener } from './listener.ts'
import { countDeprecated, followData, tellBoth } from './operating.ts'
import { textOf } from './policy/errors.ts'

export interface ServiceOptions {
  readonly config: Config
  /** File of the key that signs x-mcp-authorized. */
  readonly capabilityKeyFile: string
  readonly log: DecisionLog
}

/** Where a service listens, with the ports that were bound. */
export interface Addresses {
  readonly grpc: string
  readonly http: string
}

/** A running service. */
export interface Service extends Addresses {
  /** NOT_SERVING, then drain, then close; resolves when everything is shut. */
  stop(): Promise<void>
}

/** How long the start waits for issuers and replicas before it says ready without them (`/readyz` tells). Milliseconds. */
const patienceMs = 3000

interface Started {
  watch?: DataWatch
  keyWatch?: FilesWatch
  envoy?: EnvoyDoor
  http?: Listener
  feeds?: Feeds
}
const drainMs = 10_000

/**
 * Starts both network doors over one assembly.
 * @throws {ConfigError} for a key, bundle, data file or address that cannot be used, {PolicyError} for data that the
 *   policy cannot take; nothing is left listening then
 */
export async function startService({ config, capabilityKeyFile, log }: ServiceOptions): Promise<Service> {
  const keys = await keyRingOf(config, capabilityKeyFile)
  const metrics: Metrics = createMetrics({
    revision: () => assembly.revision(),
    ready: () => assembly.ready(),
    revocations: () => figuresOf(assembly, started.feeds),
    filtering: () => started.envoy?.filtering() ?? 0,
    changedDefinitions: () => assembly.definitions.count(),
  })
  const told = tellBoth({ log, metrics })
  const assembly: Assembly = await assemble(config, {
    key: keys.signing,
    state: 'create',
    record: told.decision,
    onFault: told.fault,
    onWarning: log.warning,
  })
  const started: Started = {}
  const stop = async (): Promise<void> => {
    started.watch?.close()
    started.keyWatch?.close()
    await started.envoy?.drain({ deadlineMs: drainMs })
    await started.http?.close()
    await started.feeds?.close()
    await assembly.close()
  }
  try {
    started.http = await listenHttp({ assembly, keys, metrics, warn: log.warning }).catch((cause: unknown) => {
      throw unusableAddress(config, 'http', cause)
    })
    started.envoy = await createEnvoyDoor({
      authorizer: assembly.authorizer,
      read: assembly.read,
      gate: assembly.gate,
      protectedResource: assembly.protectedResource,
      denials: assembly.denials,
      address: config.listen.grpc,
      onFault: ({ code, cause }) => told.fault(code, textOf(cause ?? 'denied at the door')),
      onDeprecated: countDeprecated('envoy', { log, metrics }),
    }).catch((cause: unknown) => {
      throw unusableAddress(config, 'grpc', cause)
    })
    started.feeds = followIssuers(assembly, log.warning)
    // What was taken away while nothing ran here is known before anybody is told that this is ready.
    const loaded = Promise.all([assembly.load(), started.feeds.first])
    await Promise.race([loaded, sleep(patienceMs, undefined, { ref: false })])
    for (const lack of assembly.lacks()) log.warning(`${lack}; it is tried again`)
    started.watch = followData(assembly, { log, metrics })
    started.keyWatch = watchKey(capabilityKeyFile, keys, { log, metrics })
    return { grpc: started.envoy.address, http: started.http.address, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

function unusableAddress({ file, listen }: Config, door: 'grpc' | 'http', cause: unknown): ConfigError {
  const why = textOf(cause)
  const message = why.startsWith('cannot listen') ? why : `cannot listen on ${door} address \`${listen[door]}\`: ${why}`
  const mend = `stop what listens there, or choose another address (--${door})`
  return new ConfigError([{ file, line: undefined, column: undefined, path: `listen.${door}`, message, mend }])
}

function figuresOf({ kept: { revocations } }: Assembly, feeds: Feeds | undefined): RevocationFigures {
  return {
    inForce: revocations.entries().length,
    uncertainSeconds: revocations.uncertainForMs() / 1000,
    feedAgeSeconds: feeds?.agesSeconds() ?? {},
  }
}

async function keyRingOf({ capabilities }: Config, file: string): Promise<KeyRing> {
  const { publishAheadSeconds, lifetimeSeconds } = capabilities
  const lifetimeMs = lifetimeSeconds * 1000
  return createKeyRing(await readCapabilityKey(file), { publishAheadMs: publishAheadSeconds * 1000, lifetimeMs })
}

function watchKey(
  file: string,
  keys: KeyRing,
  { log, metrics }: { readonly log: DecisionLog; readonly metrics: Metrics },
): FilesWatch {
  let told = keys.signing().kid
  return watchCapabilityKey(file, {
    onKey(key) {
      const from = keys.replace(key)
      if (key.kid === told) return
      told = key.kid
      log.info(
        `capability key ${key.kid} is published and signs from ${new Date(Math.max(from, Date.now())).toISOString()} on`,
      )
    },
    onRefused(cause) {
      metrics.refusedKey()
      log.warning(`the capability key cannot be used, key ${keys.signing().kid} goes on: ${cause}`)
    },
  })
}
