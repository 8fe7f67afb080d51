import type { RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { type Assembly, assemble } from './assembly.ts'
import { type Broker, createBroker } from './broker/broker.ts'
import type { BrokerConfig, Config } from './config/config.ts'
import { ConfigError } from './config/problem.ts'
import { undeclaredResource } from './config/protected-resource-section.ts'
import type { DataWatch } from './config/watch.ts'
import type { DecisionLog } from './decision-log/log.ts'
import { createMetrics, type Metrics } from './decision-log/metrics.ts'
import { type Feeds, followIssuers } from './feeds.ts'
import { createGuard, type Guard } from './guard/guard.ts'
import { addOperationsRoutes } from './http/operations.ts'
import { protectedResourceRoutes } from './http/protected-resource.ts'
import { statusOf } from './http-listener.ts'
import { type Listener, listenOn } from './listener.ts'
import { countDeprecated, followData, type Told, tellBoth } from './operating.ts'
import { textOf } from './policy/errors.ts'
import { version } from './version.ts'

export interface BrokerServiceOptions {
  readonly config: Config
  readonly log: DecisionLog
}

/** A running broker. */
export interface BrokerService {
  /** `http://HOST:PORT/PATH` as bound. */
  readonly mcp: string
  /** HOST:PORT or unix:PATH of health, status and metrics, as bound. */
  readonly http: string
  /** Drains, ends sessions and processes of upstreams; resolves when everything is shut. */
  stop(): Promise<void>
}

/** How long the start waits for issuers and upstreams before it says ready without them. Milliseconds. */
const patienceMs = 3000

interface Started {
  guard?: Guard
  broker?: Broker
  mcp?: Listener
  http?: Listener
  feeds?: Feeds
  watch?: DataWatch
}

/**
 * Starts a broker with the guard before it.
 * @throws {ConfigError} for a configuration without broker, a bundle, data file or address that cannot be used; nothing is
 *   left listening then
 */
export async function startBroker({ config, log }: BrokerServiceOptions): Promise<BrokerService> {
  const { broker: section } = config
  if (section === undefined) throw noBroker(config)
  const metrics: Metrics = createMetrics({
    revision: () => assembly.revision(),
    ready: () => isReady(),
    upstreams: () => started.broker?.reached() ?? {},
    changedDefinitions: () => assembly.definitions.count(),
  })
  const told = tellBoth({ log, metrics })
  const assembly: Assembly = await assemble(config, {
    guard: true,
    state: 'create',
    record: told.decision,
    onFault: told.fault,
    onWarning: log.warning,
  })
  const started: Started = {}
  let tried = false
  const isReady = (): boolean => tried && assembly.ready()
  const stop = async (): Promise<void> => await stopAll(started, assembly)
  try {
    const guard = await guardOf(assembly, section, { metrics, log })
    const broker = await brokerOf(assembly, section, { guard, log })
    started.guard = guard
    started.broker = broker
    const status = () => ({ ...statusOf(assembly), ready: isReady(), servers: broker.status() })
    started.http = await listening(config, ['listen', 'http'], operations({ ready: isReady, metrics, status }))
    started.feeds = followIssuers(assembly, log.warning)
    const reached = async (): Promise<void> => {
      await broker.first
      tried = true
    }
    const loaded = Promise.all([assembly.load(), started.feeds.first, reached()])
    const origin = (): string => `http://${started.mcp?.address ?? ''}`
    started.mcp = await listening(config, ['broker', 'listen'], mcpApp(assembly, section, { guard, broker, origin }))
    await Promise.race([loaded, sleep(patienceMs, undefined, { ref: false })])
    for (const lack of assembly.lacks()) log.warning(`${lack}; it is tried again`)
    started.watch = followData(assembly, { log, metrics }, broker.dataChanged)
    return { mcp: `http://${started.mcp.address}${section.path}`, http: started.http.address, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

async function stopAll({ watch, guard, mcp, http, feeds, broker }: Started, assembly: Assembly): Promise<void> {
  watch?.close()
  // Streams that would stay open end first, and calls that are under way are answered.
  const closing = mcp?.close()
  await broker?.close()
  await guard?.close()
  await closing
  await http?.close()
  await feeds?.close()
  await assembly.close()
}

function noBroker({ file }: Config): ConfigError {
  const message = 'expected this section, found nothing'
  const section = '`broker: {upstreams: {ID: {url: …}}}`, with the ids of `servers` in the data'
  const mend = file === undefined ? `name a configuration with --config that has ${section}` : `write ${section}`
  return new ConfigError([{ file, line: undefined, column: undefined, path: 'broker', message, mend }])
}

async function guardOf(
  { authorizer, read, gate, protectedResource, denials }: Assembly,
  { discovery }: BrokerConfig,
  told: Told,
): Promise<Guard> {
  return await createGuard({
    authorizer,
    read,
    gate,
    protectedResource,
    denials,
    brokerTools: discovery,
    onFault: tellBoth(told).fault,
    onDeprecated: countDeprecated('guard', told),
  })
}

async function brokerOf(
  { config, read, data, definitions }: Assembly,
  section: BrokerConfig,
  { guard, log }: { readonly guard: Guard; readonly log: DecisionLog },
): Promise<Broker> {
  return createBroker({
    config: section,
    profile: config.mcp.profile,
    guard,
    version: version(),
    data,
    definitions,
    maxBodyBytes: read.maxBodyBytes,
    onWarning: log.warning,
    onLog: log.info,
  })
}

function operations(routes: Parameters<typeof addOperationsRoutes>[1]): Express {
  const app = plainApp()
  addOperationsRoutes(app, routes)
  return withoutMore(app)
}

/** The endpoint itself, and what tells clients where to get a token. */
function mcpApp(
  { config }: Assembly,
  { path }: BrokerConfig,
  { guard, broker, origin }: { readonly guard: Guard; readonly broker: Broker; readonly origin: () => string },
): RequestListener {
  const app = plainApp()
  // Unsaid, the metadata speaks of `/mcp`.
  const resource = config.protectedResource ?? (path === '/mcp' ? undeclaredResource(config.issuers) : undefined)
  if (resource !== undefined) app.use(protectedResourceRoutes(resource, origin))
  const guarded = guard.express((request) => broker.fetch(request))
  app.use((request, response, next) => {
    if (request.path !== path) return next()
    const { host } = request.headers
    const fault = broker.foreign({ host, origin: request.headers.origin })
    if (fault === undefined) return guarded(request, response, next)
    response.status(403).json({ jsonrpc: '2.0', error: { code: -32000, message: fault }, id: null })
  })
  return withoutMore(app)
}

function plainApp(): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  return app
}

function withoutMore(app: Express): Express {
  app.use((_request, response) => void response.status(404).json({ error: 'there is nothing here' }))
  // Express would show where in the sources it went wrong.
  const onError: ErrorRequestHandler = (_error, _request, response, _next) => {
    response.status(500).json({ error: 'internal error' })
  }
  return app.use(onError)
}

async function listening(
  config: Config,
  path: readonly ['listen', 'http'] | readonly ['broker', 'listen'],
  app: RequestListener,
): Promise<Listener> {
  const address = path[0] === 'listen' ? config.listen.http : (config.broker?.listen ?? '')
  return await listenOn(address, app).catch((cause: unknown) => {
    const option = path[0] === 'listen' ? '--http' : '--listen'
    const message = `cannot listen on \`${address}\`: ${textOf(cause)}`
    const mend = `stop what listens there, or choose another address (${option})`
    throw new ConfigError([
      { file: config.file, line: undefined, column: undefined, path: path.join('.'), message, mend },
    ])
  })
}
