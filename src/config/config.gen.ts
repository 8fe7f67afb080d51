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
/**
 * How long a running service publishes a new key before it signs with it: as long as others may keep its JWK Set.
 */
publishAheadSeconds?: number
/**
 * The guard: whose x-mcp-authorized it believes. Default: `key`, the next and the retired ones beside it.
 */
trusted?: {
/**
 * PEM public key, or a JWK Set.
 */
file?: string
/**
 * JWK Set address.
 */
url?: string
}
/**
 * Filter lists to nothing without a claim; false is allowed in profile kuadrant only.
 */
enforce?: boolean
/**
 * Bind x-mcp-authorized to the caller's token and MCP session beside subject, audience and revision; a verifier can then tell a token that was carried elsewhere. Kuadrant's broker ignores the further claims.
 */
bound?: boolean
/**
 * Beyond `maxBytes`: deny with `claim_too_large`, or first try a token that speaks of the addressed server alone. Never cut.
 */
whenTooLarge?: ("deny" | "addressed-server")
/**
 * Deprecated, for the time of moving to Kuadrant mcp-gateway v0.7.0. The guard: x-authorized-tools is a credential where neither Authorization nor x-mcp-authorized is there. Every door: it is removed as x-mcp-authorized is. What sets it is to set x-mcp-authorized (`mcp-authz migrate`).
 */
authorizedTools?: boolean
}
mcp?: {
profile?: ("strict" | "kuadrant")
maxBodyBytes?: number
maxDepth?: number
/**
 * Decide JSON-RPC arrays under MCP-Protocol-Version 2025-03-26 element by element, all or nothing.
 */
batches?: boolean
/**
 * The form of denials (docs/denials.md). A map gives some clients another one.
 */
denial?: (("explicit" | "hide" | "rpc" | "challenge" | "tool-result" | "coaz") | {
/**
 * For whoever no entry of `clients` matches.
 */
default?: ("explicit" | "hide" | "rpc" | "challenge" | "tool-result" | "coaz")
/**
 * The first that matches. What a client says of itself chooses the form of a denial, never whether there is one.
 */
clients?: {
/**
 * Everything that is named must fit.
 */
match: {
/**
 * clientInfo.name: in every request of 2026-07-28, before that in initialize alone.
 */
clientName?: string
/**
 * What User-Agent begins with.
 */
userAgent?: string
protocolVersion?: ("2024-11-05" | "2025-03-26" | "2025-06-18" | "2025-11-25" | "2026-07-28")
}
mode: ("explicit" | "hide" | "rpc" | "challenge" | "tool-result" | "coaz")
}[]
/**
 * What the MCP server behind is, so that `hide` answers as it would for an item it does not have.
 */
hideLike?: {
/**
 * The line of the TypeScript SDK. In 2026-07-28 it is always v2.
 */
sdk?: ("v1" | "v2")
/**
 * It answers versions before 2026-07-28 in JSON, not in an event stream.
 */
json?: boolean
}
})
kuadrant?: {
/**
 * Believe the router's headers where a POST carries no body (Kuadrant's wasm filter).
 */
headersOnly?: boolean
}
}
/**
 * The tokens of a Kuadrant gateway. The key comes from `serve --gateway-signing-key`, else from GATEWAY_SIGNING_KEY, else from the file.
 */
gateway?: {
/**
 * HMAC secret, 32 bytes or more of UTF-8. Better absent: GATEWAY_SIGNING_KEY of the environment needs no mention.
 */
signingKey?: string
/**
 * Let a router's own `initialize` (mcp-init-host) pass where its router-key is valid and was never used before. Otherwise it is refused.
 */
backendInit?: boolean
/**
 * Profile kuadrant: refuse requests to the broker whose mcp-session-id is no valid session of the gateway.
 */
sessions?: boolean
}
/**
 * Protected-resource metadata (RFC 9728) and the challenges that name it. OAUTH_* of the environment win over the file.
 */
protectedResource?: {
/**
 * OAUTH_RESOURCE_NAME.
 */
name?: string
/**
 * HOST[:PORT] under which clients reach the gateway; `resource` is then https://HOST/mcp.
 */
publicHost?: string
/**
 * OAUTH_RESOURCE. Default: https://publicHost/mcp.
 */
resource?: string
/**
 * OAUTH_AUTHORIZATION_SERVERS. Default: the issuers that are https or http addresses.
 */
authorizationServers?: string[]
/**
 * OAUTH_BEARER_METHODS_SUPPORTED. A token in a form or a query is no credential here.
 */
bearerMethodsSupported?: ("header")[]
/**
 * OAUTH_SCOPES_SUPPORTED.
 */
scopesSupported?: string[]
}
/**
 * Where revocations, API keys and their use are kept.
 */
state?: {
/**
 * SQLite file, made on first use; every process of this host shares it. Default: .mcp-authz/state.db beside the configuration.
 */
file?: string
/**
 * Redis or Valkey, which carries it to other replicas.
 */
redis?: {
/**
 * redis://, rediss:// or unix path: redis+unix:///run/redis.sock. User and password belong in the environment: "${REDIS_URL}".
 */
url: string
/**
 * Of every key.
 */
prefix?: string
}
}
revocations?: {
/**
 * What is done when this replica cannot know of the revocations of others any more.
 */
whenUnknown?: ("deny" | "allow")
/**
 * For how long it then goes on as before.
 */
maxUnknownSeconds?: number
/**
 * The guard: obey the revocation list of a service instead of keeping one.
 */
follow?: {
/**
 * https address of its /.well-known/mcp-authz-revocations; http on loopback.
 */
url: string
}
}
/**
 * `mcp-authz broker`: one MCP endpoint for several servers.
 */
broker?: {
/**
 * HOST:PORT.
 */
listen?: string
/**
 * Of the MCP endpoint.
 */
path?: string
/**
 * Offer the broker's own tools discover_tools, list_tags and filter_tools_by_tags.
 */
discovery?: boolean
/**
 * Whether an upstream that keeps state by session has one for each caller, or one for all of them.
 */
sessions?: ("caller" | "shared")
/**
 * Host names without port that requests may be for, beside those of loopback. Default: the host of `listen`.
 */
allowedHosts?: string[]
/**
 * By server id, as in data.mcp.servers.
 */
upstreams: {
[k: string]: UpstreamFile
}
health?: {
/**
 * Between two checks of an upstream, after each of which its lists are read again.
 */
everySeconds?: number
/**
 * For the answer to a check, to a page of a list, and for connecting over HTTP.
 */
timeoutSeconds?: number
/**
 * Longest wait between two attempts to connect; the first is half a second.
 */
maxBackoffSeconds?: number
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
/**
 * The broker: speak with upstreams over plain http on other hosts than this one.
 */
httpUpstreams?: boolean
/**
 * Without a signing key: take API keys from Redis all the same, so that whoever can write there can make some. With one, entries in Redis are always authenticated.
 */
unsignedState?: boolean
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
 * A token whose `exp` is later than now plus this is refused, and one that was made to live longer (`exp` less `iat`).
 */
maxLifetimeSeconds?: number
/**
 * Clients whose tokens are accepted: `azp`, or `client_id` without it, must be one of them. Absent: any.
 * 
 * @minItems 1
 */
authorizedParties?: string[]
/**
 * Further claims without which a token is refused.
 */
requiredClaims?: string[]
keys?: {
/**
 * How old fetched keys become while the issuer answers; from half of that on they are fetched ahead.
 */
maxAgeSeconds?: number
/**
 * How old they may become while it does not; then `keys_unavailable`.
 */
maxOutageSeconds?: number
}
/**
 * Take OpenID Connect Back-Channel Logout 1.0 at POST /backchannel-logout.
 */
backChannelLogout?: {
/**
 * The client ids of which one must be in `aud` of a logout token.
 * 
 * @minItems 1
 */
audiences: string[]
}
/**
 * Follow Keycloak's events for what back-channel logout does not tell: tokens revoked, users disabled, roles taken away, not-before.
 */
keycloakEvents?: {
/**
 * Of the realm in the admin API. Default: the issuer's with /admin before /realms.
 */
url?: string
/**
 * A confidential client whose service account has the realm-management roles view-events, view-clients and view-realm.
 */
clientId: string
/**
 * File of its secret, less one final newline.
 */
clientSecretFile: string
/**
 * Between two questions.
 */
intervalMs?: number
}
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
/**
 * Path(s) of group names, which data.mcp.groups maps to roles.
 */
groups?: (string | string[])
/**
 * Path(s) of OAuth scopes: a string of names parted by blanks, or an array.
 */
scopes?: (string | string[])
/**
 * Path of the e-mail address; one that the issuer says is not verified does not count.
 */
email?: string
}
}
/**
 * P-256 private key, PEM, PKCS#8 or SEC1. Absent: generated and kept (development only).
 */
export interface File {
file: string
}
/**
 * This interface was referenced by `ConfigFile`'s JSON-Schema
 * via the `definition` "upstream".
 */
export interface UpstreamFile {
/**
 * Streamable HTTP: https, or http on loopback. Either this or `command`.
 */
url?: string
/**
 * Sent with every request; here belongs the broker's own credential. Values are never shown.
 */
headers?: {
[k: string]: string
}
/**
 * stdio: the program to start. Either this or `url`.
 */
command?: string
args?: string[]
/**
 * Beside HOME, LOGNAME, PATH, SHELL, TERM and USER, which are all it gets of the broker's own. Values are never shown.
 */
env?: {
[k: string]: string
}
/**
 * Where the program is started. Default: the directory of the configuration.
 */
cwd?: string
/**
 * For a call; progress begins it anew.
 */
timeoutSeconds?: number
/**
 * Default: `broker.sessions`.
 */
sessions?: ("caller" | "shared")
}
/**
 * This interface was referenced by `ConfigFile`'s JSON-Schema
 * via the `definition` "file".
 */
export interface File1 {
file: string
}
