import { randomUUID } from 'node:crypto'
import { livingClaims, refuse, signClaims, verifyClaims } from './signed-claims.ts'

/** Whether an `mcp-session-id` is a session of the gateway. `detail` is one lower-case line without anything secret. */
export type SessionVerdict =
  /** `id` is the `jti`; `expiresAt` in seconds since the epoch. */
  | { readonly ok: true; readonly id: string; readonly expiresAt: number }
  | { readonly ok: false; readonly code: 'session_invalid'; readonly detail: string }

export interface SessionOptions {
  readonly signingKey: Uint8Array
  /** Life of a session that is minted. */
  readonly sessionSeconds: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const audience = 'mcp-gateway'

/** A session id: it says that the gateway made it, and nothing of whom it is for. */
export async function mintSession({ signingKey, sessionSeconds, now }: SessionOptions): Promise<string> {
  const iat = Math.floor(now() / 1000)
  const claims = { aud: audience, jti: randomUUID(), iat, nbf: iat, exp: iat + sessionSeconds }
  return await signClaims(claims, signingKey)
}

/** Verifies a session id, of whatever length of life: gateways are set to their own. Never rejects. */
export async function verifySession(token: string, { signingKey, now }: SessionOptions): Promise<SessionVerdict> {
  const seconds = now() / 1000
  const reading = await verifyClaims(token, signingKey, audience)
  if (!reading.ok) return invalid(reading.detail)
  if (reading.claims['nbf'] === undefined) return invalid('expected `nbf` to be a number')
  const living = livingClaims(reading.claims, seconds)
  return living.ok ? { ok: true, id: living.jti, expiresAt: living.exp } : invalid(living.detail)
}

function invalid(detail: string): SessionVerdict {
  return { ...refuse(detail), code: 'session_invalid' }
}
