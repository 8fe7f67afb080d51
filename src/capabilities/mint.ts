import { randomUUID } from 'node:crypto'
import { CompactSign } from 'jose'
import type { Subject } from '../identity/subject.ts'
import { byCodePoint } from '../policy/code-point.ts'
import type { Capabilities } from '../policy/decision.gen.ts'
import type { CapabilityClaim } from './claim.gen.ts'
import type { CapabilityKey } from './key.ts'
import { originOf, sessionDigest } from './origin.ts'

/** `capabilities` of the configuration, as far as minting needs it. */
export interface MintOptions {
  readonly issuer: string
  readonly audience: string
  readonly lifetimeSeconds: number
  /** Longest token in bytes. */
  readonly maxBytes: number
  readonly profile: 'strict' | 'kuadrant'
  /** Bind each token to the MCP session of its request. Default: false. */
  readonly bound?: boolean
  /** Default: deny. */
  readonly whenTooLarge?: 'deny' | 'addressed-server'
}

/** What the token says, and of whom. */
export interface MintRequest {
  readonly subject: Subject
  readonly capabilities: Capabilities
  readonly revision: string
  /** The MCP session of the request, where it has one. */
  readonly session?: string | undefined
  /** Say what may be used of this server alone. */
  readonly server?: string | undefined
}

export type Minted =
  | {
      readonly ok: true
      readonly token: string
      readonly issuedAt: number
      readonly expiresAt: number
      /** The key that signed it. */
      readonly kid: string
    }
  | { readonly ok: false; readonly code: 'claim_too_large' }

export interface Minter {
  /** @throws {Error} when signing fails; the caller denies */
  mint(request: MintRequest): Promise<Minted>
  /** The key that signs now. A token of another one is not to be handed out again: that key is on its way out. */
  kid(): string
  /** Whether a token is for one session. */
  readonly bound: boolean
  /** Whether one that is too large may speak of the addressed server alone. */
  readonly narrows: boolean
}

/** 64 bytes (RFC 7518 section 3.4) in base64url, and the two dots. */
const signatureAndDots = 86 + 2

/**
 * Makes the minter of x-mcp-authorized: an ES256 JWT whose `allowed-capabilities` is a JSON *string* of
 * `{type: {server: [upstream names]}}`, as Kuadrant's broker reads it; any further key inside would empty every list.
 */
export function createMinter(options: MintOptions, key: () => CapabilityKey, now: () => number = Date.now): Minter {
  const { lifetimeSeconds, maxBytes, bound = false, whenTooLarge = 'deny' } = options
  return {
    bound,
    narrows: whenTooLarge === 'addressed-server',
    kid: () => key().kid,
    async mint(request) {
      const { privateKey, kid } = key()
      const issuedAt = Math.floor(now() / 1000)
      // Never after the caller's own token (rounded down, so that a fraction cannot outlive it).
      const expiresAt = Math.floor(Math.min(issuedAt + lifetimeSeconds, request.subject.expiresAt ?? Infinity))
      const payload = Buffer.from(JSON.stringify(claimsOf(request, options, { iat: issuedAt, exp: expiresAt })))
      const header = { alg: 'ES256', typ: 'JWT', kid }
      const bytes = encodedLength(Buffer.byteLength(JSON.stringify(header))) + encodedLength(payload.byteLength)
      if (bytes + signatureAndDots > maxBytes) return { ok: false, code: 'claim_too_large' }
      const token = await new CompactSign(payload).setProtectedHeader(header).sign(privateKey)
      return { ok: true, token, issuedAt, expiresAt, kid }
    },
  }
}

function claimsOf(
  { subject, capabilities, revision, session, server }: MintRequest,
  { issuer, audience, profile, bound = false }: MintOptions,
  times: Required<Pick<CapabilityClaim, 'iat' | 'exp'>>,
): CapabilityClaim {
  const origin = originOf(subject)
  const said = server === undefined ? capabilities : narrowed(capabilities, server)
  return {
    iss: issuer,
    aud: audience,
    sub: subject.id,
    ...times,
    jti: randomUUID(),
    revision,
    ...(bound && session !== undefined ? { session: sessionDigest(session) } : {}),
    ...(origin === undefined ? {} : { origin }),
    'allowed-capabilities': JSON.stringify(claimed(said, profile)),
  }
}

function narrowed(capabilities: Capabilities, server: string): Capabilities {
  const only = (type: keyof Capabilities): Record<string, string[]> => {
    const names = Object.hasOwn(capabilities[type], server) ? capabilities[type][server] : undefined
    return names === undefined ? {} : Object.fromEntries([[server, names]])
  }
  return { tools: only('tools'), prompts: only('prompts'), resources: only('resources'), templates: only('templates') }
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

/** Of base64url without padding, RFC 7515 section 2. */
function encodedLength(bytes: number): number {
  return Math.ceil((bytes * 4) / 3)
}
