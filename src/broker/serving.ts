import {
  type AuthInfo,
  type CompleteResult,
  type McpRequestContext,
  McpServer,
  ProtocolError,
  ProtocolErrorCode,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Admitted } from '../guard/index.ts'
import type { DefinedType } from '../mcp/definition.ts'
import type { Discovery } from './discovery.ts'
import type { Federation } from './federation.ts'
import { type CallOptions, type Upstream, type UpstreamClient, UpstreamUnavailable } from './upstream.ts'

export interface ServingOptions {
  readonly name: string
  readonly version: string
  readonly federation: Federation
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** The broker's own tools; absent: it has none. */
  readonly discovery: Discovery | undefined
}

/** What the guard decided, in the form that the SDK carries from the request to its handlers. */
export function carried(admitted: Admitted): AuthInfo {
  return { token: '', clientId: admitted.caller ?? '', scopes: [], extra: { admitted } }
}

/**
 * Has no tools of its own: those of others are answered by handlers of its `server`. The SDK holds the headers in which
 * 2026-07-28 repeats arguments against the schema of the tool (SEP-2243), and asks an `McpServer` alone for that.
 */
class FederatedServer extends McpServer {
  readonly #federation: Federation

  constructor(federation: Federation, ...rest: ConstructorParameters<typeof McpServer>) {
    super(...rest)
    this.#federation = federation
  }

  override toolInputSchemaJson(name: string): Record<string, unknown> | undefined {
    return this.#federation.inputSchema(name)
  }
}

/**
 * A server of the SDK for one request. Where a call goes is what the guard judged, and not read from the request again; a
 * request that no guard admitted is refused.
 */
export function serverFor(options: ServingOptions, { authInfo, era }: McpRequestContext): McpServer {
  const { name, version, federation } = options
  const admitted = admittedIn(authInfo)
  // Who is not told of changes must not be promised it: before 2026-07-28 there is no stream to tell them on.
  const listChanged = era === 'modern'
  const capabilities = {
    tools: { listChanged },
    prompts: { listChanged },
    resources: { listChanged },
    ...(federation.completes() ? { completions: {} } : {}),
  }
  const federated = new FederatedServer(federation, { name, version }, { capabilities })
  const { server } = federated
  serveLists(server, options)
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const { discovery } = options
    const { resource } = admitted.decision
    if (resource.type === 'server' && discovery !== undefined) return discovery.call(params.name, params.arguments)
    const { client, name } = await target(options, admitted, 'tool')
    // What else a call may have asks for a task, of which the broker keeps none.
    const { arguments: given, _meta } = params
    const call = {
      name,
      ...(given === undefined ? {} : { arguments: given }),
      ...(_meta === undefined ? {} : { _meta }),
    }
    return await asked(client.callTool(call, callOptions(context)))
  })
  server.setRequestHandler('prompts/get', async ({ params }, context) => {
    const { client, name } = await target(options, admitted, 'prompt')
    return await asked(client.getPrompt({ ...params, name }, callOptions(context)))
  })
  server.setRequestHandler('resources/read', async ({ params }, context) => {
    const { client, name: uri } = await target(options, admitted, 'resource')
    return await asked(client.readResource({ ...params, uri }, callOptions(context)))
  })
  if (federation.completes()) {
    server.setRequestHandler('completion/complete', async ({ params }, context) => {
      const { client, name, completes } = await target(options, admitted, 'prompt', 'resource', 'template')
      if (!completes) return nothingToComplete
      const ref = params.ref.type === 'ref/prompt' ? { ...params.ref, name } : { ...params.ref, uri: name }
      return await asked(client.complete({ ...params, ref }, callOptions(context)))
    })
  }
  return federated
}

const nothingToComplete: CompleteResult = { completion: { values: [] } }

function serveLists(server: Server, { federation, discovery }: ServingOptions): void {
  const entries = <T>(type: DefinedType): T[] => federation.items(type).map(({ entry }) => ({ ...entry }) as T)
  server.setRequestHandler('tools/list', () => ({ tools: [...(discovery?.tools ?? []), ...entries<never>('tool')] }))
  server.setRequestHandler('prompts/list', () => ({ prompts: entries<never>('prompt') }))
  server.setRequestHandler('resources/list', () => ({ resources: entries<never>('resource') }))
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: entries<never>('template') }))
}

function admittedIn(authInfo: AuthInfo | undefined): Admitted {
  const admitted = authInfo?.extra?.['admitted'] as Admitted | undefined
  if (admitted === undefined) throw new TypeError('expected a request that the guard admitted')
  return admitted
}

interface Target {
  readonly client: UpstreamClient
  /** The server's own name of the item, or its URI. */
  readonly name: string
  readonly completes: boolean
}

/** The item that was judged, and somebody to ask for it. @throws {ProtocolError} */
async function target(
  { upstreams }: ServingOptions,
  { decision, caller }: Admitted,
  ...types: readonly string[]
): Promise<Target> {
  const { type, server, name } = decision.resource
  // Nothing that would have to be guessed is sent anywhere.
  if (!types.includes(type) || server === undefined || name === undefined || caller === undefined) {
    throw new ProtocolError(ProtocolErrorCode.InternalError, 'it is not known what was asked for')
  }
  const upstream = upstreams.get(server)
  if (upstream === undefined) throw unavailable(new UpstreamUnavailable(server, 'unreachable'))
  const client = await asked(upstream.session(caller))
  return { client, name, completes: upstream.offered()?.completions === true }
}

/** The result of an upstream, which the SDK fits to the version of the client. @throws {ProtocolError} */
async function asked<T>(answer: Promise<T>): Promise<T> {
  return await answer.catch((thrown: unknown) => {
    throw unavailable(thrown)
  })
}

function unavailable(thrown: unknown): unknown {
  if (!(thrown instanceof UpstreamUnavailable)) return thrown
  const { message, server, outage } = thrown
  return new ProtocolError(ProtocolErrorCode.InternalError, message, { server, outage })
}

function callOptions({ mcpReq }: ServerContext): CallOptions {
  const { signal, _meta: meta } = mcpReq
  const progressToken = meta?.progressToken
  if (progressToken === undefined) return { signal }
  return {
    signal,
    onprogress(progress) {
      // Who has gone is not waiting.
      void mcpReq.notify({ method: 'notifications/progress', params: { ...progress, progressToken } }).catch(() => {})
    },
  }
}
