// Generated from schemas/data.json by `npm run generate`; do not edit.

/**
 * This interface was referenced by `Data`'s JSON-Schema
 * via the `definition` "item".
 */
export type Item = (string | CatalogueItem)
/**
 * This interface was referenced by `Data`'s JSON-Schema
 * via the `definition` "items".
 */
export type Items = Item[]
/**
 * This interface was referenced by `Data`'s JSON-Schema
 * via the `definition` "names".
 */
export type Names = string[]
/**
 * `type:name`; a final `*` matches any rest of the name.
 * 
 * This interface was referenced by `Data`'s JSON-Schema
 * via the `definition` "pattern".
 */
export type Pattern = string

/**
 * The documents under data.mcp: the catalogue, virtual servers, roles, groups, scopes, argument rules and settings.
 */
export interface Data {
/**
 * The MCP servers by id (Kuadrant's are `namespace/name`).
 */
servers?: {
[k: string]: Server
}
/**
 * Selections of client-visible names, by id. An absent list is an empty one.
 */
virtual_servers?: {
[k: string]: VirtualServer
}
/**
 * What each role grants: server id, or `*` for every server in `servers`, to patterns.
 */
roles?: {
[k: string]: {
[k: string]: Pattern[]
}
}
/**
 * The roles that members of each group have, beside those of their own. A role that nothing defines grants nothing.
 */
groups?: {
[k: string]: Names
}
/**
 * What needs an OAuth scope beside its grant: scope, to server id or `*` for every server, to patterns. What several scopes cover needs one of them.
 */
scopes?: {
[k: string]: {
[k: string]: Pattern[]
}
}
/**
 * What tools and prompts may be called with: server id or `*` for every server, to patterns, to a rule. All rules that cover an item bind; they only take away.
 */
arguments?: {
[k: string]: {
[k: string]: ArgumentRule
}
}
settings?: {
/**
 * closed: only what `servers` lists exists. open: a literal grant stands on its own. Default: closed; open in profile kuadrant.
 */
catalogue?: ("closed" | "open")
/**
 * true: a grant that holds no colon is a tool (migration).
 */
unprefixed_roles?: boolean
}
}
/**
 * This interface was referenced by `Data`'s JSON-Schema
 * via the `definition` "server".
 */
export interface Server {
/**
 * Before every tool and prompt name as clients see it; absent or empty: none. Two servers may not share one.
 */
prefix?: string
state?: ("Enabled" | "Disabled")
tools?: Items
prompts?: Items
resources?: Items
templates?: Items
}
export interface CatalogueItem {
name: string
tags?: string[]
annotations?: Annotations
/**
 * The definitions that are approved: SHA-256, hex, of the entry that the server lists, as JSON of RFC 8785. Once it is listed otherwise, the item is gone. Absent: any.
 * 
 * @minItems 1
 */
sha256?: (string | string[])
}
/**
 * What lists say in place of the annotations that the server gives. Hints are what argument rules go by.
 */
export interface Annotations {
title?: string
readOnlyHint?: boolean
destructiveHint?: boolean
idempotentHint?: boolean
openWorldHint?: boolean
}
export interface VirtualServer {
tools?: Names
prompts?: Names
resources?: Names
templates?: Names
}
/**
 * This interface was referenced by `Data`'s JSON-Schema
 * via the `definition` "argumentRule".
 */
export interface ArgumentRule {
/**
 * What each argument must be, where it is there. One of another type than its rule speaks of is refused.
 */
values?: {
[k: string]: ArgumentLimits
}
/**
 * No argument may be there but these. Absent: arguments that no rule names are free.
 */
only?: string[]
annotations?: ToolHints
/**
 * No arguments meet the rule: what it binds is neither listed nor called.
 */
refused?: true
/**
 * The rule does not bind whoever has one of these roles.
 */
unless_roles?: string[]
}
/**
 * This interface was referenced by `Data`'s JSON-Schema
 * via the `definition` "argumentLimits".
 */
export interface ArgumentLimits {
/**
 * It must be there, and not be null.
 */
required?: true
/**
 * It must not be there.
 */
absent?: true
/**
 * One of these values; an empty list is none.
 */
enum?: (string | number | boolean)[]
/**
 * A number from here.
 */
min?: number
/**
 * A number up to here.
 */
max?: number
/**
 * Text that begins with this.
 */
prefix?: string
/**
 * This path or one below it, without `.` and `..`, empty segments, backslashes, `%` and control characters.
 */
below?: string
/**
 * Text of at most so many code points.
 */
max_length?: number
}
/**
 * The rule binds only items whose annotations in the catalogue say all of this. What is not said there counts as MCP has it: not read-only, destructive, not idempotent, open world.
 */
export interface ToolHints {
readOnlyHint?: boolean
destructiveHint?: boolean
idempotentHint?: boolean
openWorldHint?: boolean
}
