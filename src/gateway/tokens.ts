import { type BackendInitVerdict, mintBackendInit, type Once, verifyBackendInit } from './backend-init.ts'
import { mintSession, type SessionVerdict, verifySession } from './session.ts'
import { signingKeyOf } from './signing-key.ts'

export interface GatewayTokensOptions {
  /** GATEWAY_SIGNING_KEY: 32 bytes or more; text counts as its UTF-8. */
  readonly signingKey: string | Uint8Array
  /** What makes a router key good for one use, among all that verify; without it none verifies (`state_unavailable`). */
  readonly once?: Once | undefined
  /** Life of a session that is minted, whole seconds. @defaultValue 86400 */
  readonly sessionSeconds?: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** The tokens of a Kuadrant gateway, for its brokers and routers: HS256 under the one signing key. */
export interface GatewayTokens {
  /**
   * The value of `router-key` for an `initialize` of the router's own with `mcp-init-host: host`: bound to the host,
   * good for 30 seconds and one use.
   * @throws {TypeError} for what is no HOST or HOST:PORT
   */
  mintBackendInit(about: { readonly host: string }): Promise<string>
  /** Verifies a `router-key` beside an `mcp-init-host`, and spends it. Never rejects. */
  verifyBackendInit(token: string, host: string): Promise<BackendInitVerdict>
  /** A new `mcp-session-id`. */
  mintSession(): Promise<string>
  /** Verifies an `mcp-session-id`. Never rejects. */
  verifySession(token: string): Promise<SessionVerdict>
}

/**
 * Makes and verifies the gateway's tokens.
 * @throws {TypeError} for a signing key shorter than 32 bytes, or a life that is no whole number of seconds
 */
export function createGatewayTokens(options: GatewayTokensOptions): GatewayTokens {
  const { once = nobodyCanSay, sessionSeconds = 86_400, now = Date.now } = options
  const signingKey = signingKeyOf(options.signingKey)
  if (!Number.isSafeInteger(sessionSeconds) || sessionSeconds < 1)
    throw new TypeError('"sessionSeconds" must be a whole number from 1')
  const parts = { signingKey, once, sessionSeconds, now }
  return {
    mintBackendInit: async ({ host }) => await mintBackendInit(host, parts),
    verifyBackendInit: async (token, host) => await verifyBackendInit(token, host, parts),
    mintSession: async () => await mintSession(parts),
    verifySession: async (token) => await verifySession(token, parts),
  }
}

async function nobodyCanSay(): Promise<never> {
  throw new Error('nothing remembers which router keys were used')
}
