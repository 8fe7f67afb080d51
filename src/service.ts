import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatAddress, parseAddress } from './address.ts'
import { type Assembly, assemble, readCapabilityKey } from './assembly.ts'
import type { CapabilityKey } from './capabilities/key.ts'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/problem.ts'
import { undeclaredResource } from './config/protected-resource-section.ts'
import { type DataWatch, watchData } from './config/watch.ts'
import type { DecisionLog } from './decision-log/log.ts'
import { createMetrics, type Metrics } from './decision-log/metrics.ts'
import { createEnvoyDoor, type EnvoyDoor } from './envoy/server.ts'
import { createHttpDoor } from './http/app.ts'
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

/** How long the start waits for issuers before it says ready without their keys (`/readyz` tells). Milliseconds. */
const keysPatienceMs = 3000
const drainMs = 10_000

/**
 * Starts both network doors over one assembly.
 * @throws {ConfigError} for a key, bundle, data file or address that cannot be used, {PolicyError} for data that the
 *   policy cannot take; nothing is left listening then
 */
export async function startService({ config, capabilityKeyFile, log }: ServiceOptions): Promise<Service> {
  const key = await readCapabilityKey(capabilityKeyFile)
  const metrics: Metrics = createMetrics({ revision: () => assembly.revision(), ready: () => assembly.ready() })
  const told = tellBoth(log, metrics)
  const assembly: Assembly = await assemble(config, {
    key,
    record: told.decision,
    onFault: told.fault,
    onWarning: log.warning,
  })
  const started: { watch?: DataWatch; envoy?: EnvoyDoor; http?: Server } = {}
  const stop = async (): Promise<void> => {
    started.watch?.close()
    await started.envoy?.drain({ deadlineMs: drainMs })
    if (started.http !== undefined) await close(started.http)
    assembly.close()
  }
  try {
    const http = await listenHttp(assembly, key, metrics)
    started.http = http.server
    started.envoy = await createEnvoyDoor({
      authorizer: assembly.authorizer,
      read: assembly.read,
      gate: assembly.gate,
      protectedResource: assembly.protectedResource,
      address: config.listen.grpc,
      onFault: ({ code, cause }) => told.fault(code, textOf(cause ?? 'denied at the door')),
    }).catch((cause: unknown) => {
      throw unusableAddress(config, 'grpc', cause)
    })
    await Promise.race([assembly.loadKeys(), sleep(keysPatienceMs, undefined, { ref: false })])
    if (!assembly.ready()) log.warning('the keys of some issuer are not loaded yet; it is tried again')
    started.watch = watch(assembly, log, metrics)
    return { grpc: started.envoy.address, http: http.address, stop }
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

function tellBoth(log: DecisionLog, metrics: Metrics): Pick<DecisionLog, 'decision' | 'fault'> {
  return {
    decision(decision) {
      metrics.decision(decision)
      log.decision(decision)
    },
    fault(code, cause) {
      metrics.fault(code)
      log.fault(code, cause)
    },
  }
}

function watch(assembly: Assembly, log: DecisionLog, metrics: Metrics): DataWatch {
  return watchData(assembly.config.dataFiles, {
    current: assembly.data(),
    onData(data) {
      assembly.replaceData(data)
      log.info(`new data is in place, revision ${assembly.revision()}`)
    },
    onError(error) {
      metrics.refusedData()
      log.warning(`the data files cannot be used, revision ${assembly.revision()} goes on: ${textOf(error)}`)
    },
  })
}

async function listenHttp(
  assembly: Assembly,
  key: CapabilityKey,
  metrics: Metrics,
): Promise<{ server: Server; address: string }> {
  const { config, authorizer, read, ready } = assembly
  let address = config.listen.http
  const app = createHttpDoor({
    authorizer,
    read,
    ready,
    metrics,
    jwks: () => key.jwks,
    origin: () => `http://${address}`,
    protectedResource: config.protectedResource ?? undeclaredResource(config.issuers),
  })
  const server = createServer(app)
  const listening = once(server, 'listening')
  const wanted = parseAddress(config.listen.http)
  if (!wanted.ok) throw new TypeError(`http address \`${config.listen.http}\`: ${wanted.detail}`)
  if (wanted.address.kind === 'unix') server.listen(wanted.address.path)
  else server.listen(wanted.address.port, wanted.address.host)
  await listening.catch((cause: unknown) => {
    throw unusableAddress(config, 'http', cause)
  })
  if (wanted.address.kind === 'tcp') {
    address = formatAddress({ ...wanted.address, port: (server.address() as AddressInfo).port })
  }
  return { server, address }
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
