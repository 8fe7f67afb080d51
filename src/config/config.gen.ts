// Generated from schemas/config.json by `npm run generate`; do not edit.

/**
 * This interface was referenced by `ConfigFile`'s JSON-Schema
 * via the `definition` "paths".
 */
export type Paths = (string | string[])

/**
 * mcp-authz.yaml. Every key has a default except `issuers`. Relative paths are relative to the file.
 */
export interface ConfigFile {
listen?: {
/**
 * HOST:PORT or unix:PATH of the Envoy door.
 */
grpc?: string
/**
 * HOST:PORT of health, keys and AuthZEN.
 */
http?: string
}
bundle?: {
/**
 * OPA bundle (WASM). Default: the one that ships with the package.
 */
file?: string
}
/**
 * YAML or JSON files under data.mcp. Objects merge key by key at every depth; anything else in a later file replaces. Watched and applied atomically.
 */
data?: string[]
/**
 * @minItems 1
 */
issuers: IssuerFile[]
capabilities?: {
key?: File
/**
 * Life of x-mcp-authorized; never beyond the caller's token.
 */
lifetimeSeconds?: number
issuer?: string
audience?: string
/**
 * A longer header is a denial `claim_too_large`, never a cut.
 */
maxBytes?: number
trusted?: File1
/**
 * Filter lists to nothing without a claim; false is allowed in profile kuadrant only.
 */
enforce?: boolean
}
mcp?: {
profile?: ("strict" | "kuadrant")
maxBodyBytes?: number
maxDepth?: number
/**
 * Decide JSON-RPC arrays under MCP-Protocol-Version 2025-03-26 element by element, all or nothing.
 */
batches?: boolean
denial?: ("explicit" | "hide" | "challenge" | "tool-result")
kuadrant?: {
/**
 * Believe the router's headers where a POST carries no body (Kuadrant's wasm filter).
 */
headersOnly?: boolean
}
}
/**
 * Every dangerous switch lives here; each one is warned about at start.
 */
insecure?: {
/**
 * Allow an issuer with `audiences: []`, whose tokens are then accepted for any audience.
 */
anyAudience?: boolean
/**
 * Fetch keys over plain http from other hosts than this one.
 */
httpIssuers?: boolean
}
}
/**
 * This interface was referenced by `ConfigFile`'s JSON-Schema
 * via the `definition` "issuer".
 */
export interface IssuerFile {
/**
 * The exact `iss` of its tokens.
 */
issuer: string
/**
 * Where its keys are; absent: OpenID Connect discovery.
 */
jwks?: {
/**
 * JWK Set file.
 */
file?: string
/**
 * JWK Set address.
 */
url?: string
/**
 * Secret for HS*: the file's bytes less one final newline.
 */
secretFile?: string
}
/**
 * Default: RS256 and ES256, or HS256 with secretFile. HS* only with secretFile, the others never with it.
 * 
 * @minItems 1
 */
algorithms?: ("RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519" | "HS256" | "HS384" | "HS512")[]
/**
 * One must be in `aud`. [] is refused unless insecure.anyAudience.
 */
audiences?: string[]
clockToleranceSeconds?: number
/**
 * A token whose `exp` is later than now plus this is refused.
 */
maxLifetimeSeconds?: number
claims?: {
preset?: ("keycloak" | "okta" | "entra" | "google" | "ibm-verify" | "generic")
/**
 * Path(s) of literal grants; `*` stands for the server id, `\.` for a dot in a name.
 */
grants?: (string | string[])
/**
 * Path(s) of role names.
 */
roles?: (string | string[])
subject?: string
/**
 * Path of a claim that names a virtual server.
 */
virtualServer?: string
}
}
/**
 * P-256 private key, PEM, PKCS#8 or SEC1. Absent: generated and kept (development only).
 */
export interface File {
file: string
}
/**
 * The guard: PEM public key whose x-mcp-authorized it believes. Default: the public side of `key`.
 */
export interface File1 {
file: string
}
/**
 * This interface was referenced by `ConfigFile`'s JSON-Schema
 * via the `definition` "file".
 */
export interface File2 {
file: string
}
