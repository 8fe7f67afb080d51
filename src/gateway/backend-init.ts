import { hash, randomUUID } from 'node:crypto'
import { clockToleranceSeconds, livingClaims, refuse, signClaims, verifyClaims } from './signed-claims.ts'

/** Claims a use: true for the first caller of a key alone, until `until` (seconds since the epoch). Rejects where nobody can say. */
export type Once = (key: string, until: number) => Promise<boolean>

/** Whether a router key opens a session with the backend. `detail` is one lower-case line without anything secret. */
export type BackendInitVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: 'router_key_invalid' | 'state_unavailable'; readonly detail: string }

export interface BackendInitOptions {
  readonly signingKey: Uint8Array
  readonly once: Once
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const audience = 'mcp-router'
const purpose = 'backend-init'

/** How long a router key lives (GHSA-g53w-w6mj-hrpp). */
const lifetimeSeconds = 30

/** For how long beyond its end a key is remembered, so that a replica whose clock lags cannot take it again. */
const lagSeconds = 60

/** A store that answers later than this counts as one that does not. Milliseconds. */
const patienceMs = 1000

/**
 * A router key: the value of `router-key` beside `mcp-init-host: host`, good for one request within 30 seconds.
 * @throws {TypeError} for what is no HOST or HOST:PORT
 */
export async function mintBackendInit(host: string, { signingKey, now }: BackendInitOptions): Promise<string> {
  if (!isHost(host)) throw new TypeError('"host" must be HOST or HOST:PORT')
  const iat = Math.floor(now() / 1000)
  const claims = { aud: audience, purpose, host, jti: randomUUID(), iat, nbf: iat, exp: iat + lifetimeSeconds }
  return await signClaims(claims, signingKey)
}

/** Verifies a router key for a host, and spends it: it never verifies again, here or in another replica. Never rejects. */
export async function verifyBackendInit(
  token: string,
  host: string,
  { signingKey, once, now }: BackendInitOptions,
): Promise<BackendInitVerdict> {
  const seconds = now() / 1000
  const reading = await verifyClaims(token, signingKey, audience)
  if (!reading.ok) return invalid(reading.detail)
  const { claims } = reading
  if (claims['purpose'] !== purpose) return invalid('expected the purpose `backend-init`')
  const living = livingClaims(claims, seconds)
  if (!living.ok) return invalid(living.detail)
  const { iat, exp, jti } = living
  if (exp > iat + lifetimeSeconds || exp > seconds + lifetimeSeconds + clockToleranceSeconds)
    return invalid('it lives too long')
  const bound = claims['host']
  if (typeof bound !== 'string' || !isHost(host) || bound.toLowerCase() !== host.toLowerCase())
    return invalid('it is for another host')
  return await spent(jti, Math.ceil(exp) + clockToleranceSeconds + lagSeconds, once)
}

/** Last of all: what is refused for another reason has not been used. */
async function spent(jti: string, until: number, once: Once): Promise<BackendInitVerdict> {
  const first = await claimed(`backend-init:${hash('sha256', jti, 'base64url')}`, until, once)
  if (first === true) return { ok: true }
  if (first === false) return invalid('it was used before')
  return { ok: false, code: 'state_unavailable', detail: 'whether it was used before cannot be known' }
}

/** Undefined where nobody can say, in time. */
async function claimed(key: string, until: number, once: Once): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs)
  })
  try {
    return await Promise.race([once(key, until), late])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

/**
 * HOST or HOST:PORT of RFC 3986 section 3.2, without user, escapes or more than ASCII: what is compared without case
 * must be letters that have only one.
 */
function isHost(text: string): boolean {
  return text.length <= 261 && /^(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.test(text)
}

function invalid(detail: string): BackendInitVerdict {
  return { ...refuse(detail), code: 'router_key_invalid' }
}
