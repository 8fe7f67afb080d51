// Generated from schemas/decision.json by `npm run generate`; do not edit.

/**
 * This interface was referenced by `Decision`'s JSON-Schema
 * via the `definition` "reasonCode".
 */
export type ReasonCode = ("token_missing" | "token_malformed" | "token_signature" | "token_expired" | "token_not_yet_valid" | "token_audience" | "token_issuer_unknown" | "token_key_unknown" | "token_algorithm" | "token_type" | "token_claim_missing" | "token_revoked" | "token_party" | "api_key_unknown" | "session_invalid" | "body_missing" | "body_partial" | "body_too_large" | "body_malformed" | "body_ambiguous" | "batch_refused" | "content_type" | "header_mismatch" | "header_forbidden" | "method_unknown" | "version_unsupported" | "router_key_invalid" | "role_missing" | "item_unknown" | "item_ambiguous" | "server_unknown" | "server_disabled" | "virtual_server_unknown" | "virtual_server_excludes" | "argument_refused" | "scope_missing" | "credential_excludes" | "address_refused" | "time_refused" | "usage_exceeded" | "not_ready" | "policy_error" | "mint_failed" | "claim_too_large" | "keys_unavailable" | "overloaded" | "revocations_unknown" | "state_unavailable")
/**
 * This interface was referenced by `Decision`'s JSON-Schema
 * via the `definition` "resourceType".
 */
export type ResourceType = ("tool" | "prompt" | "resource" | "template" | "server")
/**
 * What the policy's `decision` entrypoint returns.
 * 
 * This interface was referenced by `Decision`'s JSON-Schema
 * via the `definition` "verdict".
 */
export type Verdict = (Verdict1 & Verdict2)
export type Verdict1 = ({
allow?: true
reasons?: {
[k: string]: unknown
}
} | {
allow?: false
reasons?: {
[k: string]: unknown
}
})

/**
 * What every door answers, and what the decision log holds. `reasons` is empty if and only if `allow`.
 */
export interface Decision {
/**
 * Unique; the same in the log, in Envoy's dynamic metadata and in the error the client sees.
 */
id: string
allow: boolean
reasons: Reason[]
/**
 * Revision of the policy and data that decided; empty before one is loaded.
 */
revision: string
/**
 * The verified subject; absent when the credential was refused.
 */
subject?: string
/**
 * The MCP method; empty when it could not be read.
 */
action: string
resource: DecidedResource
/**
 * The argument rules, in words, that the call was held against; absent where there are none.
 */
conditions?: string[]
}
/**
 * This interface was referenced by `Decision`'s JSON-Schema
 * via the `definition` "reason".
 */
export interface Reason {
code: ReasonCode
message: string
/**
 * What would cure it: the grant, as `type:name on server`, OAuth scopes, as `scope a b`, or a rule for arguments, as `argument days: a number up to 7`.
 */
required?: string
/**
 * The smallest set of OAuth scopes that would cure it.
 */
scopes?: string[]
}
/**
 * This interface was referenced by `Decision`'s JSON-Schema
 * via the `definition` "resource".
 */
export interface DecidedResource {
type: ResourceType
server?: string
/**
 * Upstream name of a tool or prompt, a URI, or a URI template; as the client wrote it when its server is not known.
 */
name?: string
}
export interface Verdict2 {
allow: boolean
reasons: PolicyReason[]
resource: DecidedResource
/**
 * The argument rules, in words, that the call was held against; absent where there are none.
 */
conditions?: string[]
}
export interface PolicyReason {
code: ReasonCode
required?: string
/**
 * OAuth scopes: one of each list would cure it. The decision says the smallest set that has one of each.
 * 
 * @minItems 1
 */
scope_choices?: string[][]
}
/**
 * Everything the subject may use, upstream names by server; what the policy's `capabilities` entrypoint returns.
 * 
 * This interface was referenced by `Decision`'s JSON-Schema
 * via the `definition` "capabilities".
 */
export interface Capabilities {
tools: NamesByServer
prompts: NamesByServer
resources: NamesByServer
templates: NamesByServer
}
/**
 * This interface was referenced by `Decision`'s JSON-Schema
 * via the `definition` "namesByServer".
 */
export interface NamesByServer {
/**
 * @minItems 1
 */
[k: string]: string[]
}
