import type { ReadOptions } from './reading.ts'
import { nameHeaders } from './router-headers.ts'

/** Clients send these of their own making; upstreams and brokers believe them (contract, section 9). */
const forged = ['x-mcp-authorized', 'x-mcp-authz-filter', 'x-mcp-verified-sub', 'x-mcp-annotation-hints'] as const

/** The router's word, in profile kuadrant and with a body only. */
const routers: readonly string[] = ['x-mcp-servername', 'x-mcp-method', ...new Set(nameHeaders.values())]

/** Internal headers of Kuadrant's own whose names do not begin with `x-mcp-`. */
const initiators = ['mcp-init-host', 'router-key'] as const

/** What x-mcp-authorized was before Kuadrant's v0.7.0. */
export const deprecatedHeader = 'x-authorized-tools'

/** The name of a deprecated header. */
export type DeprecatedHeader = typeof deprecatedHeader

/** The `x-mcp-` headers that a request may not carry on to whoever is behind the door. */
export function removedHeaders({ profile, method }: { readonly profile: string; readonly method: string }): string[] {
  return profile === 'kuadrant' && method === 'POST' ? [...forged] : [...forged, ...routers]
}

/** The others. */
export function otherRemovedHeaders({ authorizedTools }: Pick<ReadOptions, 'authorizedTools'>): string[] {
  return authorizedTools === true ? [...initiators, deprecatedHeader] : [...initiators]
}
