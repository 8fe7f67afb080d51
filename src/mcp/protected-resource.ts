/** What is published of an OAuth protected resource (RFC 9728 section 2). */
export interface ProtectedResource {
  readonly name: string
  /** An absolute URL; undefined where nobody said under which one clients reach it. */
  readonly resource: string | undefined
  readonly authorizationServers: readonly string[]
  readonly bearerMethodsSupported: readonly string[]
  readonly scopesSupported: readonly string[]
}

/** The path under which metadata is looked for; that of the resource follows it (RFC 9728 section 3). */
export const metadataRoot = '/.well-known/oauth-protected-resource'

/** The address of a resource's metadata: the well-known path put between host and path (RFC 9728 section 3.1). */
export function metadataAddress(resource: string): string | undefined {
  if (!URL.canParse(resource)) return undefined
  const { origin, pathname, search } = new URL(resource)
  return `${origin}${metadataRoot}${pathname === '/' ? '' : pathname}${search}`
}

/** The metadata document. What has no value is left out (RFC 9728 section 3.2). */
export function metadataOf(described: ProtectedResource, resource: string): Readonly<Record<string, unknown>> {
  const document = {
    resource_name: described.name,
    resource,
    authorization_servers: described.authorizationServers,
    bearer_methods_supported: described.bearerMethodsSupported,
    scopes_supported: scopeTokens(described.scopesSupported),
  }
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value.length > 0))
}

/**
 * Scopes as they may be told to clients, each once: of the characters of RFC 6749 section 3.3, and without
 * `offline_access`, which is between client and authorization server (MCP 2026-07-28, authorization).
 */
export function scopeTokens(scopes: readonly string[]): string[] {
  return [...new Set(scopes)].filter((scope) => isScopeToken(scope) && scope !== 'offline_access')
}

function isScopeToken(scope: unknown): boolean {
  return typeof scope === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)
}
