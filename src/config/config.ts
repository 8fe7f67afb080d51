import type { IssuerOptions } from '../identity/options.ts'

/** A whole, checked configuration: every default filled in, every path absolute, frozen to its depth. */
export interface Config {
  /** The file it was read from; undefined for one that was given as a value. */
  readonly file: string | undefined
  /** What its relative paths are relative to. */
  readonly directory: string
  /** HOST:PORT, [IPv6]:PORT or unix:PATH each; see `parseAddress`. */
  readonly listen: { readonly grpc: string; readonly http: string }
  /** The OPA bundle. Default: bundles/mcp-authz.tar.gz of the package. */
  readonly bundleFile: string
  /** In the order in which they are merged. */
  readonly dataFiles: readonly string[]
  readonly issuers: readonly IssuerOptions[]
  readonly capabilities: CapabilitiesConfig
  readonly mcp: McpConfig
  readonly gateway: GatewayConfig
  /** Undefined where nothing was said of it: the metadata is then made of defaults, and no challenge names it. */
  readonly protectedResource: ProtectedResourceConfig | undefined
  readonly state: StateConfig
  readonly revocations: RevocationsConfig
  /** Undefined where the file has no such section: there is no broker then. */
  readonly broker: BrokerConfig | undefined
  readonly insecure: InsecureConfig
  /** To be said at start, one line each: insecure switches that are on, weak secrets. Holds no secret. */
  readonly warnings: readonly string[]
}

export interface CapabilitiesConfig {
  /** P-256 private key, PEM. Undefined: to be generated (development only). */
  readonly keyFile: string | undefined
  readonly lifetimeSeconds: number
  readonly issuer: string
  readonly audience: string
  readonly maxBytes: number
  /** How long a new key is published before it signs. */
  readonly publishAheadSeconds: number
  /** Whose tokens the guard believes: P-256 public key in PEM, or a JWK Set. Undefined: those of the key. */
  readonly trusted: { readonly file: string } | { readonly url: string } | undefined
  readonly enforce: boolean
  /** Bind the token to the caller's own token and MCP session. */
  readonly bound: boolean
  readonly whenTooLarge: 'deny' | 'addressed-server'
  /** Read x-authorized-tools, the deprecated name, as well. */
  readonly authorizedTools: boolean
}

/** The tokens of a Kuadrant gateway. */
export interface GatewayConfig {
  /** 32 bytes or more; a secret. */
  readonly signingKey: Uint8Array | undefined
  readonly backendInit: boolean
  readonly sessions: boolean
}

/** RFC 9728, as Kuadrant's OAUTH_* name it. */
export interface ProtectedResourceConfig {
  readonly name: string
  /** Undefined: the service's own HTTP address with the path /mcp. */
  readonly resource: string | undefined
  readonly authorizationServers: readonly string[]
  readonly bearerMethodsSupported: readonly string[]
  readonly scopesSupported: readonly string[]
}

export interface StateConfig {
  readonly file: string
  /** Whether the file was named: one that was must be usable, a default that is not is only warned about. */
  readonly named: boolean
  readonly redis: { readonly url: string; readonly prefix: string } | undefined
}

export interface RevocationsConfig {
  readonly whenUnknown: 'deny' | 'allow'
  readonly maxUnknownSeconds: number
  readonly followUrl: string | undefined
}

export interface McpConfig {
  readonly profile: 'strict' | 'kuadrant'
  readonly maxBodyBytes: number
  /** Nested arrays and objects. */
  readonly maxDepth: number
  readonly batches: boolean
  readonly denial: DenialConfig
  readonly kuadrant: { readonly headersOnly: boolean }
}

/** `mcp.denial`; as text it is the default for everybody. */
export interface DenialConfig {
  readonly default: DenialMode
  /** The first that matches. */
  readonly clients: readonly { readonly match: ClientMatchConfig; readonly mode: DenialMode }[]
  readonly hideLike: { readonly sdk: 'v1' | 'v2'; readonly json: boolean }
}

type DenialMode = 'explicit' | 'hide' | 'rpc' | 'challenge' | 'tool-result' | 'coaz'

interface ClientMatchConfig {
  readonly clientName?: string
  readonly userAgent?: string
  readonly protocolVersion?: string
}

/** One MCP endpoint for several servers. */
export interface BrokerConfig {
  /** HOST:PORT or [IPv6]:PORT. */
  readonly listen: string
  /** Begins with `/`. */
  readonly path: string
  readonly discovery: boolean
  /** Beside the names of loopback; lower case, without ports, IPv6 in brackets. */
  readonly allowedHosts: readonly string[]
  /** By server id; data.mcp.servers need not know it, nor must every server of the data be here. */
  readonly upstreams: Readonly<Record<string, UpstreamConfig>>
  readonly health: HealthConfig
}

export interface HealthConfig {
  readonly everySeconds: number
  readonly timeoutSeconds: number
  readonly maxBackoffSeconds: number
}

/** Where a server is, and how it is spoken with. */
export type UpstreamConfig = HttpUpstreamConfig | StdioUpstreamConfig

interface UpstreamDefaults {
  /** For a call; begun anew by progress. */
  readonly timeoutSeconds: number
  /** Who shares the sessions of a server that keeps any. */
  readonly sessions: 'caller' | 'shared'
}

export interface HttpUpstreamConfig extends UpstreamDefaults {
  readonly kind: 'http'
  readonly url: string
  /** Names are distinct without case. Values are secrets. */
  readonly headers: Readonly<Record<string, string>>
}

export interface StdioUpstreamConfig extends UpstreamDefaults {
  readonly kind: 'stdio'
  readonly command: string
  readonly args: readonly string[]
  /** Values are secrets. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute. */
  readonly cwd: string
}

/** Every dangerous switch. */
export interface InsecureConfig {
  readonly anyAudience: boolean
  readonly httpIssuers: boolean
  readonly httpUpstreams: boolean
  readonly unsignedState: boolean
}

/** Freezes a value and everything it holds; bytes cannot be frozen and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
