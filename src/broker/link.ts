import {
  Client,
  type Implementation,
  type McpSubscription,
  type PriorDiscovery,
  type Progress,
  ProtocolError,
  type Result,
  type RequestOptions as SdkOptions,
  type ServerCapabilities,
  type StandardSchemaV1,
} from '@modelcontextprotocol/client'
import type { UpstreamConfig } from '../config/config.ts'
import { abortable } from './abortable.ts'
import { childTransport } from './child-transport.ts'
import { HttpTransport, streamEnded } from './http-transport.ts'

/** How long something may take. */
export interface Limits {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs: number
}

/** What a request may be given on its way. Progress begins its time limit anew. */
export interface RequestOptions extends Limits {
  readonly onprogress?: ((progress: Progress) => void) | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** One connection with a server. */
export interface Link {
  /** Undefined where the server did not say. */
  readonly serverName: string | undefined
  readonly protocolVersion: string | undefined
  readonly capabilities: ServerCapabilities
  /** Whether headers repeat arguments: 2026-07-28 over HTTP. */
  readonly repeatsParams: boolean
  /** Whether the server keeps nothing for this connection, so that callers may share it. */
  readonly isStateless: boolean
  /** What spares further connections with this server the question which versions it speaks. */
  readonly prior: PriorDiscovery
  /** Whether the server is a process that ends with the connection. */
  readonly isProcess: boolean
  /** Aborted once the connection is gone. */
  readonly closed: AbortSignal
  /** The result as the server gave it, no member removed. @throws what the SDK throws */
  request(method: string, params: Record<string, unknown>, options: RequestOptions): Promise<Result>
  /** Whether the server still answers. @throws what the SDK throws */
  check(limits: Limits): Promise<void>
  /** Asks to be told of changes, where that must be asked for; undefined where it need not or cannot be. */
  subscribe(limits: Limits): Promise<McpSubscription | undefined>
  /** Ends the server's session and a process; resolves when that is done, a few seconds at most. */
  close(): Promise<void>
  /**
   * Closes once nothing is asked through it any more or the signal aborts; what is asked over HTTP may be answered though
   * the connection is of no use to anybody else. A process is ended at once.
   */
  retire(signal: AbortSignal): Promise<void>
}

export interface LinkOptions {
  readonly client: Implementation
  readonly prior?: PriorDiscovery | undefined
  /** For the question which versions the server speaks. */
  readonly probeTimeoutMs: number
  /** For the handshake. */
  readonly timeoutMs: number
  /** Gives up connecting. */
  readonly signal: AbortSignal
  readonly onLine: (line: string) => void
  /** Told that lists changed. */
  readonly onNews?: () => void
  /** Told that something is not as it should be with the connection, which may be nothing, and may be often. */
  readonly onTrouble?: () => void
}

const terminateMs = 1000

/**
 * Connects. The client declares no capabilities, so that a server has nobody to ask for samples, input or roots.
 *
 * @throws what the SDK throws
 */
export async function openLink(config: UpstreamConfig, options: LinkOptions): Promise<Link> {
  const { client: info, prior, probeTimeoutMs, timeoutMs, signal } = options
  const client = new Client(info, {
    capabilities: {},
    versionNegotiation: { mode: 'auto', probe: { timeoutMs: probeTimeoutMs } },
    inputRequired: { autoFulfill: false },
  })
  const closed = new AbortController()
  client.onclose = () => closed.abort()
  listenTo(client, options)
  const transport = config.kind === 'http' ? new HttpTransport(config) : childTransport(config, options.onLine)
  const http = transport instanceof HttpTransport ? transport : undefined
  const give = () => void transport.close().catch(() => undefined)
  signal.addEventListener('abort', give, { once: true })
  try {
    await client.connect(transport, { timeout: timeoutMs, signal, ...(prior && { prior }) })
    signal.throwIfAborted()
  } catch (thrown) {
    await transport.close().catch(() => undefined)
    throw thrown
  } finally {
    signal.removeEventListener('abort', give)
  }
  http?.watch()
  return linkOf(client, http, closed.signal)
}

function listenTo(client: Client, { onNews, onTrouble }: LinkOptions): void {
  if (onTrouble !== undefined) client.onerror = onTrouble
  if (onNews === undefined) return
  client.setNotificationHandler('notifications/tools/list_changed', onNews)
  client.setNotificationHandler('notifications/prompts/list_changed', onNews)
  client.setNotificationHandler('notifications/resources/list_changed', onNews)
}

function sdkOptions({ onprogress, headers, ...limits }: RequestOptions): SdkOptions {
  return {
    ...limitsOf(limits),
    resetTimeoutOnProgress: true,
    // Without somebody to tell there is no progress, and none that begins the time limit anew.
    onprogress: onprogress ?? (() => undefined),
    ...(headers && { headers }),
  }
}

function limitsOf({ timeoutMs, signal }: Limits): { timeout: number; signal?: AbortSignal } {
  return signal === undefined ? { timeout: timeoutMs } : { timeout: timeoutMs, signal }
}

/** Lets every result through as it is: what of it is valid is for the client of the broker to judge. */
const anyResult: StandardSchemaV1<unknown, Result> = {
  '~standard': { version: 1, vendor: 'mcp-authz', validate: (value) => ({ value: value as Result }) },
}

function linkOf(client: Client, http: HttpTransport | undefined, closed: AbortSignal): Link {
  const isModern = client.getProtocolEra() === 'modern'
  const discover = client.getDiscoverResult()
  const capabilities = client.getServerCapabilities() ?? {}
  const asked = new Set<Promise<unknown>>()

  async function close(): Promise<void> {
    // A session that nobody ends stays on the server until that forgets it.
    if (http?.sessionId !== undefined) await within(terminateMs, http.terminateSession())
    await client.close().catch(() => undefined)
  }

  return {
    serverName: client.getServerVersion()?.name,
    protocolVersion: client.getNegotiatedProtocolVersion(),
    capabilities,
    repeatsParams: isModern && http !== undefined,
    isStateless: http !== undefined && (isModern || http.sessionId === undefined),
    prior: discover === undefined ? { kind: 'legacy' } : { kind: 'modern', discover },
    isProcess: http === undefined,
    closed,
    async request(method, params, options) {
      const answer = client.request({ method, params }, anyResult, sdkOptions(options))
      asked.add(answer)
      return await answer.finally(() => asked.delete(answer))
    },
    async check(limits) {
      try {
        // 2026-07-28 has no ping.
        await (isModern ? client.discover(limitsOf(limits)) : client.ping(limitsOf(limits)))
      } catch (thrown) {
        // A server that knows no ping, and says so, is there.
        if (!(thrown instanceof ProtocolError) || thrown.data === streamEnded) throw thrown
      }
    },
    subscribe: async (limits) => (isModern ? await subscribe(client, capabilities, limits) : undefined),
    close,
    async retire(signal) {
      const answered = Promise.allSettled(http === undefined ? [] : asked)
      await abortable(answered, signal).catch(() => undefined)
      await close()
    },
  }
}

async function subscribe(
  client: Client,
  { tools, prompts, resources }: ServerCapabilities,
  limits: Limits,
): Promise<McpSubscription | undefined> {
  const filter = {
    ...(tools?.listChanged && { toolsListChanged: true }),
    ...(prompts?.listChanged && { promptsListChanged: true }),
    ...(resources?.listChanged && { resourcesListChanged: true }),
  }
  if (Object.keys(filter).length === 0) return undefined
  return await client.listen(filter, limitsOf(limits))
}

/** Waits for what may fail or never end, but not for long. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms).unref()
  await Promise.race([promise.catch(() => undefined), over])
  clearTimeout(timer)
}
