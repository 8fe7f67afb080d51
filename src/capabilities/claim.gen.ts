// Generated from schemas/capability_claim.json by `npm run generate`; do not edit.

/**
 * Payload of the ES256 JWT in x-mcp-authorized. Kuadrant's broker reads `allowed-capabilities` and `exp` and ignores the rest.
 */
export interface CapabilityClaim {
iss?: string
aud?: (string | string[])
sub?: string
jti?: string
iat?: number
nbf?: number
exp?: number
/**
 * Revision of the policy and data that decided.
 */
revision?: string
/**
 * JSON text of {type: {server: [upstream names]}}.
 */
"allowed-capabilities": string
}
/**
 * This interface was referenced by `CapabilityClaim`'s JSON-Schema
 * via the `definition` "allowedCapabilities".
 */
export interface AllowedCapabilities {
[k: string]: {
[k: string]: string[]
}
}
