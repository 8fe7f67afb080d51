// Generated from schemas/api_key.json by `npm run generate`; do not edit.

/**
 * Read and make revocations over HTTP; present claims over AuthZEN.
 * 
 * This interface was referenced by `ApiKeyBody`'s JSON-Schema
 * via the `definition` "permission".
 */
export type Permission = ("revocations:read" | "revocations:write" | "authzen:claims")

/**
 * An API key as the ledger keeps it, under its id. Never the key itself. A field that is not known here may be a limit that is not known here, so there is none.
 */
export interface ApiKeyBody {
/**
 * SHA-256 of the key, base64url.
 */
digest: string
/**
 * Whom it acts as.
 */
subject: string
/**
 * What it is for, in words.
 */
name?: string
/**
 * Names that data.mcp.roles gives a meaning.
 */
roles: string[]
/**
 * Literal grants like `tool:forecast`, by server id.
 */
grants: {
[k: string]: string[]
}
/**
 * Names that data.mcp.groups maps to roles.
 */
groups: string[]
/**
 * What it may do with this service itself.
 */
permissions: Permission[]
/**
 * Seconds since the epoch.
 */
createdAt: number
/**
 * Seconds since the epoch. Absent: it does not end.
 */
expiresAt?: number
scope?: ApiKeyScope
}
/**
 * What the key is cut down to. Each key: absent, no limit; present, nothing beyond what it holds, and an empty one holds nothing. A scope without any key is refused: leave it out.
 * 
 * This interface was referenced by `ApiKeyBody`'s JSON-Schema
 * via the `definition` "scope".
 */
export interface ApiKeyScope {
/**
 * Ids of virtual servers. An item must be in one of them.
 */
virtualServers?: string[]
/**
 * Patterns as in roles, by server id; `*` is every server.
 */
capabilities?: {
[k: string]: string[]
}
/**
 * IPv4 and IPv6 addresses, and networks in CIDR notation. The caller's must be one of them or in one of them.
 */
addresses?: string[]
/**
 * When it may be used: in any of these.
 */
times?: TimeWindow[]
usage?: UsageLimits
}
/**
 * By the clock on the wall in the zone, from `from` until before `to`. A `to` that is not after `from` is one of the next day.
 * 
 * This interface was referenced by `ApiKeyBody`'s JSON-Schema
 * via the `definition` "timeWindow".
 */
export interface TimeWindow {
/**
 * Name in the IANA time zone database.
 */
zone: string
/**
 * Days on which it starts.
 */
days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[]
/**
 * HH:MM.
 */
from: string
/**
 * HH:MM.
 */
to: string
}
/**
 * How many requests it may make, over all replicas. Without any key: none.
 * 
 * This interface was referenced by `ApiKeyBody`'s JSON-Schema
 * via the `definition` "usage".
 */
export interface UsageLimits {
/**
 * From one full hour to the next.
 */
perHour?: number
/**
 * From one midnight UTC to the next.
 */
perDay?: number
total?: number
}
