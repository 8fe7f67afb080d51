import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Subject } from '../identity/subject.ts'
import { byCodePoint } from '../policy/code-point.ts'
import type { Capabilities } from '../policy/decision.gen.ts'
import type { CapabilityKey } from './key.ts'

/** `capabilities` of the configuration, as far as minting needs it. */
export interface MintOptions {
  readonly issuer: string
  readonly audience: string
  readonly lifetimeSeconds: number
  /** Longest token in bytes. */
  readonly maxBytes: number
  readonly profile: 'strict' | 'kuadrant'
}

/** What the token says, and of whom. */
export interface MintRequest {
  readonly subject: Subject
  readonly capabilities: Capabilities
  readonly revision: string
}

export type Minted =
  | { readonly ok: true; readonly token: string; readonly issuedAt: number; readonly expiresAt: number }
  | { readonly ok: false; readonly code: 'claim_too_large' }

export interface Minter {
  /** @throws {Error} when signing fails; the caller denies */
  mint(request: MintRequest): Promise<Minted>
}

/**
 * Makes the minter of x-mcp-authorized: an ES256 JWT whose `allowed-capabilities` is a JSON *string* of
 * `{type: {server: [upstream names]}}`, as Kuadrant's broker reads it; any further key inside would empty every list.
 */
export function createMinter(options: MintOptions, key: () => CapabilityKey, now: () => number = Date.now): Minter {
  return {
    async mint({ subject, capabilities, revision }) {
      const { privateKey, kid } = key()
      const issuedAt = Math.floor(now() / 1000)
      // Never after the caller's own token (rounded down, so that a fraction cannot outlive it).
      const expiresAt = Math.floor(Math.min(issuedAt + options.lifetimeSeconds, subject.expiresAt ?? Infinity))
      const claim = { 'allowed-capabilities': JSON.stringify(claimed(capabilities, options.profile)), revision }
      const token = await new SignJWT(claim)
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid })
        .setIssuer(options.issuer)
        .setAudience(options.audience)
        .setSubject(subject.id)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .setJti(randomUUID())
        .sign(privateKey)
      if (token.length > options.maxBytes) return { ok: false, code: 'claim_too_large' }
      return { ok: true, token, issuedAt, expiresAt }
    },
  }
}

function claimed(capabilities: Capabilities, profile: MintOptions['profile']): Capabilities {
  if (profile === 'strict') return capabilities
  const resources = Object.entries(capabilities.resources)
    .map(([server, uris]) => [server, authorities(uris)] as const)
    .filter(([, hosts]) => hosts.length > 0)
  return { ...capabilities, resources: Object.fromEntries(resources) }
}

// Kuadrant's broker compares the authority of a URI, never the URI. RFC 3986, section 3.2, with the port.
function authorities(uris: readonly string[]): string[] {
  const found = uris.map((uri) => /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]+)/.exec(uri)?.[1])
  return [...new Set(found.filter((authority) => authority !== undefined))].sort(byCodePoint)
}
