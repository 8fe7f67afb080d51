import { setTimeout as sleep } from 'node:timers/promises'
import { type Assembly, assemble } from '../assembly.ts'
import type { Authorizer } from '../authorizer/attempt.ts'
import { loadConfig } from '../config/load.ts'
import { type DataWatch, watchData } from '../config/watch.ts'
import type { Gate } from '../gateway/gate.ts'
import { type DenialMode, type DenialOptions, denialOptions } from '../mcp/denial-options.ts'
import type { DeprecatedHeader } from '../mcp/internal-headers.ts'
import type { ProtectedResource } from '../mcp/protected-resource.ts'
import type { ReadOptions } from '../mcp/reading.ts'
import type { Capabilities, Decision, ReasonCode } from '../policy/decision.gen.ts'
import { textOf } from '../policy/errors.ts'
import { type GuardAttempt, readingOf } from './attempt.ts'
import { type GuardCredential, presented } from './credential.ts'
import { createDeclared } from './declared.ts'
import { type Admitted, type Door, noteDeprecated } from './door.ts'
import { guardExpress, type NodeHandler, type WebHandler } from './express.ts'
import { type FetchHandler, guardFetch } from './fetch.ts'
import { guardHono, type HonoMiddleware } from './hono.ts'
import { createLookout, periodOf } from './lookout.ts'
import type { TransportGuardOptions } from './session.ts'
import { type GuardableTransport, guardTransport } from './transport.ts'

/** What every guard may be told of the handler it stands before. */
export interface GuardPlace {
  /** Id of the one MCP server behind the guard; names are then that server's own. Absent: names as clients see them. */
  readonly server?: string
  /** A virtual server that is put on every request. */
  readonly virtualServer?: string
  /**
   * Whether the handler is a broker that answers `discover_tools`, `select_tools`, `list_tags` and `filter_tools_by_tags`
   * itself, in JSON: everybody who is authenticated may call these, and is told only of tools they may use. Default: false,
   * and they are tools like others, but for those that Kuadrant's router says are its broker's.
   */
  readonly brokerTools?: boolean
  /**
   * IP address of whoever sent a request, for API keys that are bound to addresses: a web-standard request does not hold
   * it. Default: of whoever opened the connection, under express (by its `trust proxy`), Node's server, and Hono on Node;
   * elsewhere not known, and such keys open nothing.
   */
  readonly address?: (request: Request) => string | undefined
  /**
   * Milliseconds between two looks at whether whoever has a stream open may use something else than before, or nothing
   * any more, from 10. Default: 1000.
   */
  readonly changesEveryMs?: number
  /** Told what went wrong behind a denial for which this side is to blame; for a log, never for a client. */
  readonly onFault?: (code: ReasonCode, cause: string) => void
  /** Told once for each request, message or question that was authenticated by a deprecated header; for a counter. */
  readonly onDeprecated?: (what: DeprecatedHeader) => void
}

/** A guard of its own, from a configuration file. */
export interface ConfiguredGuardOptions extends GuardPlace {
  /** Path of mcp-authz.yaml. */
  readonly config: string
  /** Told every decision once, when it is made. */
  readonly record?: (decision: Decision) => void
  /**
   * Told one line at a time what the operator should know: insecure switches, data files that cannot be used, a deprecated
   * credential the first time it is used.
   */
  readonly onWarning?: (text: string) => void
}

/** A guard around an authorizer that exists. */
export interface AuthorizerGuardOptions extends GuardPlace {
  readonly authorizer: Authorizer
  /** Default: that of `read`, or strict. It must be the one that the authorizer was made with. */
  readonly profile?: ReadOptions['profile']
  /**
   * Limits of reading. Default: those of an empty configuration. `headersOnly` means nothing here; `authorizedTools` must
   * be what the authorizer was made with, as well.
   */
  readonly read?: Partial<ReadOptions>
  /** What is asked of a gateway's own tokens. Default: nothing, and `mcp-init-host` is refused. */
  readonly gate?: Gate | undefined
  /** What challenges name. Default: nothing. */
  readonly protectedResource?: ProtectedResource | undefined
  /** How denials look: the same for everybody, or by client. Default: explicit. */
  readonly denials?: DenialMode | Partial<DenialOptions> | undefined
}

/** What a guard is made of: a configuration file, or an authorizer. */
export type GuardOptions = ConfiguredGuardOptions | AuthorizerGuardOptions

/** The in-process door. */
export interface Guard {
  /** Puts the guard around a fetch handler, which keeps its signature; `parsedBody` in its options is left out. */
  fetch<Rest extends readonly unknown[]>(
    handler: FetchHandler<Rest>,
  ): (request: Request, ...rest: Rest) => Promise<Response>
  /**
   * Puts the guard around a web-standard handler and serves it under express, or by Node's server. Mounted before body
   * parsers: a body that was read is refused.
   */
  express<Auth>(handler: WebHandler<Auth>): NodeHandler<Auth>
  /** Middleware of Hono: what is mounted behind it gets requests as they were judged, as `c.req.raw`. */
  hono(): HonoMiddleware
  /**
   * Puts the guard into a transport of either SDK, for a server to connect to: Streamable HTTP, stdio or another. What is
   * denied is answered with the JSON-RPC message of its form of denials. Over HTTP it sees messages alone, neither GET nor DELETE: `fetch` and
   * `express` see all.
   */
  transport<T extends GuardableTransport>(transport: T, options?: TransportGuardOptions): T
  /**
   * What the guard knows of a request that it handed to a handler; undefined for every other, also for a copy. A broker
   * sends a call, a prompt or a read where `decision.resource` says, which is what was judged, and not by names of its own
   * reading. Of a batch, and of a subscription to several URIs, there is no such one item.
   */
  admitted(request: Request): Admitted | undefined
  /** The decision on an attempt that no HTTP request carried. Never rejects. */
  decide(attempt: GuardAttempt): Promise<Decision>
  /** Everything the credential may use; four empty keys where it is denied. Never rejects. The caller's to keep. */
  capabilities(credential: GuardCredential, virtualServer?: string, address?: string): Promise<Capabilities>
  /**
   * Ends the watching of data files and of open streams, with these, and what is under way; resolves when what was counted
   * is written.
   */
  close(): Promise<void>
}

/** How long a guard waits for issuers before it starts without their keys. Milliseconds. */
const keysPatienceMs = 3000

const defaults: ReadOptions = {
  profile: 'strict',
  maxBodyBytes: 1_048_576,
  maxDepth: 64,
  batches: false,
  headersOnly: false,
}

/**
 * Makes a guard.
 * @throws {ConfigError} for a configuration, bundle or data that cannot be used, {TypeError} for denials of no known form or
 *   a `changesEveryMs` that is none
 */
export async function createGuard(options: GuardOptions): Promise<Guard> {
  periodOf(options.changesEveryMs)
  if ('authorizer' in options) {
    const { authorizer, read, profile = read?.profile ?? defaults.profile, gate, protectedResource } = options
    const denials = denialOptions(options.denials ?? 'explicit')
    const parts = { authorizer, read: { ...defaults, ...read, profile }, gate, protectedResource, denials }
    return guardOver(parts, options, async () => undefined)
  }
  const { record, onFault, onWarning = () => undefined } = options
  const config = await loadConfig(options.config, { env: process.env })
  for (const warning of config.warnings) onWarning(warning)
  const told = { ...(record === undefined ? {} : { record }), ...(onFault === undefined ? {} : { onFault }) }
  const assembly = await assemble(config, { guard: true, state: 'create', onWarning, ...told })
  await Promise.race([assembly.load(), sleep(keysPatienceMs, undefined, { ref: false })])
  for (const lack of assembly.lacks()) onWarning(`${lack}; it is tried again`)
  const watch = watchOver(assembly, onWarning)
  const place = { ...options, onDeprecated: alsoWarned(options.onDeprecated, onWarning) }
  return guardOver({ ...assembly, tasks: assembly.kept.state.bindings }, place, async () => {
    watch.close()
    await assembly.close()
  })
}

function watchOver(assembly: Assembly, onWarning: (text: string) => void): DataWatch {
  return watchData(assembly.config.dataFiles, {
    current: assembly.data(),
    onData: (data) => assembly.replaceData(data),
    onError: (error) => onWarning(`the data files cannot be used, what was loaded goes on: ${textOf(error)}`),
  })
}

/** Warns of the first. */
function alsoWarned(
  onDeprecated: GuardPlace['onDeprecated'],
  onWarning: (text: string) => void,
): (what: DeprecatedHeader) => void {
  let isWarned = false
  return (what) => {
    if (!isWarned) {
      isWarned = true
      onWarning(`a request was authenticated by ${what}, which is deprecated: send x-mcp-authorized; this is said once`)
    }
    onDeprecated?.(what)
  }
}

type Parts = Pick<Door, 'authorizer' | 'read' | 'gate' | 'protectedResource' | 'denials' | 'tasks'>

function guardOver(parts: Parts, place: GuardPlace, close: () => Promise<void>): Guard {
  const { server, virtualServer, brokerTools, address: addressOf = () => undefined } = place
  const { onFault = () => undefined, onDeprecated } = place
  const { authorizer, gate, protectedResource, denials, tasks } = parts
  // The guard has every body at hand: what a router's headers say in its stead is never the only word.
  const read = { ...parts.read, headersOnly: false }
  const knows = { server, virtualServer, brokerTools, routerKeys: gate?.routerKeys }
  const admitted = new WeakMap<Request, Admitted>()
  const lookout = createLookout(authorizer)
  const door: Door = {
    authorizer,
    read,
    knows: { ...knows, tasks: tasks !== undefined },
    tasks,
    gate,
    protectedResource,
    denials,
    addressOf,
    admitted,
    declared: createDeclared({ now: Date.now }),
    lookout,
    changesEveryMs: periodOf(place.changesEveryMs),
    onFault,
    onDeprecated,
    now: Date.now,
  }
  return {
    fetch: (handler) => guardFetch(door, handler),
    express: (handler) => guardExpress(door, handler, place.address),
    transport: (transport, options = {}) => guardTransport(door, transport, options),
    hono: () => guardHono(door, place.address),
    admitted: (request) => admitted.get(request),
    async decide(attempt) {
      // Of an attempt the guard sees no answer.
      const reading = readingOf(attempt, knows, read)
      const credential = presented(attempt.credential, read)
      const { decision } = await authorizer.authorize({ credential, reading, address: attempt.address })
      noteDeprecated(door, credential, decision.subject)
      return decision
    },
    async capabilities(said, named, address) {
      const virtualServers = [virtualServer, named].filter((id) => id !== undefined)
      const credential = presented(said, read)
      const outcome = await authorizer.capabilities(credential, virtualServers, address)
      noteDeprecated(door, credential, outcome.ok ? outcome.subject.id : outcome.decision.subject)
      // A copy: what the authorizer answers with, it answers with again.
      return outcome.ok
        ? structuredClone(outcome.capabilities)
        : { tools: {}, prompts: {}, resources: {}, templates: {} }
    },
    async close() {
      lookout.close()
      await close()
    },
  }
}
