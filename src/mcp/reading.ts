import type { CodeOf } from '../policy/reasons.ts'

/** What the door's protocol carried. Header names are lower case; every value a header had is kept, in order. */
export interface HttpRequest {
  readonly method: string
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** The bytes at hand; empty when there are none. */
  readonly body: Uint8Array
}

/** What the door knows from its own configuration, never from the client. */
export interface DoorKnowledge {
  /** Id of the server behind this door. */
  readonly server?: string | undefined
  /** A virtual server that the door puts on every request. */
  readonly virtualServer?: string | undefined
  /** This door holds the `router-key` beside `mcp-init-host` against it; where none does, that header is refused. */
  readonly routerKeys?: boolean | undefined
  /** What is behind this door answers the broker's own tools (Kuadrant's `discover_tools` and its like) itself. */
  readonly brokerTools?: boolean | undefined
  /** This door sees answers, and so learns whose each task is; where none does, `tasks/*` is not known. */
  readonly tasks?: boolean | undefined
}

/** `mcp` of the configuration, as far as reading needs it. */
export interface ReadOptions {
  readonly profile: 'strict' | 'kuadrant'
  /** Bytes. */
  readonly maxBodyBytes: number
  /** Nested arrays and objects. */
  readonly maxDepth: number
  readonly batches: boolean
  /** Profile kuadrant: believe the router's headers where a POST has no body. */
  readonly headersOnly: boolean
  /** x-authorized-tools is an internal header, as x-mcp-authorized is (`capabilities.authorizedTools`). Default: false. */
  readonly authorizedTools?: boolean | undefined
}

/** One thing that is asked for; a batch holds several. */
export interface Ask {
  /** The MCP method, or `GET`, `DELETE` (streams and sessions) or `response`, which no JSON-RPC method can be. */
  readonly action: string
  readonly target: Target
  /** The id of a task that is asked for; `target` is then the server as a whole. */
  readonly task?: string
  /** A call that may be answered by a task, for the request allows it. */
  readonly mayMakeTask?: true
}

/**
 * What it is asked of. `arguments`: those of tools/call and prompts/get, of any shape, `{}` where the body has none; absent
 * where no body was there to say.
 * `server`: the server as a whole (`name` only for a broker's own tool).
 * A `resource` of completion/complete may turn out to be a template's text: the policy knows the templates.
 * `names`: the URIs of subscriptions/listen, each of which must be readable.
 */
export type Target =
  | { readonly type: 'server'; readonly name?: string }
  | { readonly type: 'tool' | 'prompt' | 'resource'; readonly name: string; readonly arguments?: unknown }
  | { readonly type: 'resource'; readonly names: readonly string[] }

/** A JSON-RPC id as it stood in the body (`text` is its JSON source, so that large numbers survive being echoed). */
export interface RpcId {
  readonly text: string
  /** The protocol version that the request names, where it is none that is known: -32022 repeats it. */
  readonly unsupportedVersion?: string
  /**
   * The version that `_meta` names, published or not, as requests do from 2026-07-28 on; absent also in a session, which
   * is of an older version. Errors that this revision defines are then told as it says.
   */
  readonly version?: string
  /**
   * Of a request for one task: whether its client says that it knows tasks, as it has to in a version that `version`
   * names. Errors are then told as the extension says.
   */
  readonly tasks?: 'declared' | 'undeclared'
}

/** A request read strictly, or the first rule of the contract's section 7 that it breaks. */
export type Reading = Read | Refused

export interface Read {
  readonly ok: true
  /** Never empty. */
  readonly asks: readonly Ask[]
  readonly batch: boolean
  /** The id of the server, where the door or the router knows it; never `mcpBroker`. */
  readonly server?: string
  /** Every virtual server that was named by door and header; null for one that cannot exist. */
  readonly virtualServers: readonly (string | null)[]
  /** The id of a JSON-RPC request; absent for notifications, responses, batches and bodiless requests. */
  readonly rpcId?: RpcId
  /** The MCP protocol version the request names, if it does. */
  readonly protocolVersion?: string
  /** The MCP session that the request names, if it does. */
  readonly session?: string
  /** What the client calls itself in `clientInfo`, if it does; nobody vouches for it. */
  readonly clientName?: string
  /**
   * Profile kuadrant: the broker answers, no upstream (`x-mcp-servername` absent or `mcpBroker`, and no `mcp-init-host`).
   * Always true in profile strict.
   */
  readonly brokerAnswers: boolean
  /** The answer must name no header for removal (headers-only mode). */
  readonly withoutRemovals: boolean
}

export interface Refused {
  readonly ok: false
  readonly code: CodeOf<'request'>
  /** One lower-case line for people; holds nothing the client sent. */
  readonly detail: string
  /** The method, where it could be read. */
  readonly action: string
  readonly rpcId?: RpcId
  readonly clientName?: string
}
