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
 * Bound mode: SHA-256, base64url, of the Mcp-Session-Id of the request it was minted for; absent where that had none.
 */
session?: string
origin?: CapabilityOrigin
/**
 * JSON text of {type: {server: [upstream names]}}.
 */
"allowed-capabilities": string
}
/**
 * The credential it was minted for, as far as a revocation can name it.
 * 
 * This interface was referenced by `CapabilityClaim`'s JSON-Schema
 * via the `definition` "capabilityOrigin".
 */
export interface CapabilityOrigin {
iss?: string
/**
 * Where it is not `sub` of this token.
 */
sub?: string
jti?: string
/**
 * Session at the issuer.
 */
sid?: string
/**
 * SHA-256 of header and payload of the credential, base64url.
 */
digest?: string
iat?: number
/**
 * Id of an API key.
 */
api_key?: string
/**
 * Digest of the roles and grants that had been taken from the credential by then.
 */
withdrawn?: string
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
