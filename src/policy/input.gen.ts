// Generated from schemas/input.json by `npm run generate`; do not edit.

/**
 * What the policy is asked, in AuthZEN's words. Built in src/policy/input.ts alone.
 */
export interface Input {
subject: InputSubject
action: {
/**
 * MCP method, or GET, DELETE, response.
 */
name: string
}
resource: InputResource
context: InputContext
}
export interface InputSubject {
id: string
/**
 * Values at the `grants` claim path, by server id; only strings.
 */
grants: {
[k: string]: string[]
}
/**
 * Names at the `roles` claim paths.
 */
roles: string[]
/**
 * The verified `allowed-capabilities` claim when that, not a bearer token, is the credential.
 */
capabilities?: {
[k: string]: {
[k: string]: string[]
}
}
/**
 * Names at the `groups` claim paths; data.mcp.groups maps them to roles.
 */
groups?: string[]
/**
 * OAuth scopes of the token; absent where the credential carries none in principle (a capability claim, an API key).
 */
scopes?: string[]
/**
 * A verified e-mail address.
 */
email?: string
/**
 * Roles that were revoked since the credential was issued, whatever it or a group still says.
 */
withdrawn_roles?: string[]
limits?: SubjectLimits
}
/**
 * What an API key is cut down to. Each key: absent, no limit; present, nothing beyond what it holds.
 */
export interface SubjectLimits {
/**
 * An item must be in one of them.
 */
virtual_servers?: string[]
/**
 * Patterns as in roles, by server id or `*`.
 */
capabilities?: {
[k: string]: string[]
}
}
export interface InputResource {
type: ("tool" | "prompt" | "resource" | "template" | "server")
/**
 * Id of the server, where the door knows it; `name` is then upstream's.
 */
server?: string
name?: string
/**
 * The URIs of subscriptions/listen, or the names of a list to filter.
 */
names?: string[]
/**
 * `params.arguments` of tools/call and prompts/get, of any shape; absent where they are not known. The host sends them only where the question without them was answered `argument_refused`.
 */
arguments?: {
[k: string]: unknown
}
}
export interface InputContext {
profile: ("strict" | "kuadrant")
/**
 * Every virtual server that was named; all of them bind. null: something that names none that could exist.
 */
virtual_servers: (string | null)[]
/**
 * Who opened the connection, as Envoy verified it by mTLS (the first URI SAN, like a SPIFFE id).
 */
principal?: string
/**
 * Profile kuadrant: lists of a type that the capability claim does not speak of are shown.
 */
unenforced?: boolean
/**
 * Client-visible URIs carry the server's prefix before their authority (a broker of profile kuadrant).
 */
prefixed_uris?: boolean
}
