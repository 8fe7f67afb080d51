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
  readonly insecure: { readonly anyAudience: boolean; readonly httpIssuers: boolean }
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
  /** P-256 public key, PEM. Undefined: the public side of the key. */
  readonly trustedFile: string | undefined
  readonly enforce: boolean
}

export interface McpConfig {
  readonly profile: 'strict' | 'kuadrant'
  readonly maxBodyBytes: number
  /** Nested arrays and objects. */
  readonly maxDepth: number
  readonly batches: boolean
  readonly denial: 'explicit' | 'hide' | 'challenge' | 'tool-result'
  readonly kuadrant: { readonly headersOnly: boolean }
}

/** Freezes a value and everything it holds; bytes cannot be frozen and stay as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}
