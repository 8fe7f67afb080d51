import { compactVerify, SignJWT } from 'jose'
import { readToken } from '../identity/jwt.ts'

/** The payload of a token of the gateway's own. */
export type SignedClaims = Readonly<Record<string, unknown>>

export type ClaimsReading = { readonly ok: true; readonly claims: SignedClaims } | Refusal

/** Why a token is none; one lower-case line that holds nothing of it. */
export interface Refusal {
  readonly ok: false
  readonly detail: string
}

/** The gateway's tokens are a few hundred bytes; a longer one is not read at all. */
const maxTokenBytes = 4096

/** By how much clocks may differ. Seconds. */
export const clockToleranceSeconds = 5

const issuer = 'mcp-gateway'

/** Signs claims with HS256, as Kuadrant's gateway does, in the name of the gateway. */
export async function signClaims(claims: SignedClaims, key: Uint8Array): Promise<string> {
  return await new SignJWT({ iss: issuer, ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key)
}

/**
 * Reads a token strictly, holds its signature against the key in constant time, and then its issuer and its one
 * audience. Never rejects.
 */
export async function verifyClaims(token: string, key: Uint8Array, audience: string): Promise<ClaimsReading> {
  if (typeof token !== 'string' || token.length > maxTokenBytes) return refuse('expected a compact jws')
  const reading = readToken(token)
  if (!reading.ok) return refuse(reading.detail)
  const { header, payload } = reading.token
  if (header['alg'] !== 'HS256') return refuse('expected the algorithm HS256')
  if (Object.hasOwn(header, 'typ') && !isJwt(header['typ'])) return refuse('expected the header `typ` to be `JWT`')
  const verified = await compactVerify(token, key, { algorithms: ['HS256'] }).catch(() => undefined)
  if (verified === undefined) return refuse('the signature does not verify')
  if (payload['iss'] !== issuer) return refuse('expected another `iss`')
  const { aud } = payload
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return named.length === 1 && named[0] === audience ? { ok: true, claims: payload } : refuse('expected another `aud`')
}

/** When a token was made and when it ends, seconds since the epoch, and its id; or what speaks against it now. */
export function livingClaims(
  { iat, nbf, exp, jti }: SignedClaims,
  now: number,
): { readonly ok: true; readonly iat: number; readonly exp: number; readonly jti: string } | Refusal {
  if (typeof exp !== 'number' || typeof iat !== 'number') return refuse('expected `exp` and `iat` to be numbers')
  if (typeof jti !== 'string' || jti === '') return refuse('expected `jti` to be a string')
  if (nbf !== undefined && typeof nbf !== 'number') return refuse('expected `nbf` to be a number')
  if (exp <= iat) return refuse('expected `exp` to be later than `iat`')
  if (now >= exp + clockToleranceSeconds) return refuse('it has expired')
  if (Math.max(iat, nbf ?? iat) > now + clockToleranceSeconds) return refuse('it is not valid yet')
  return { ok: true, iat, exp, jti }
}

export function refuse(detail: string): Refusal {
  return { ok: false, detail }
}

function isJwt(typ: unknown): boolean {
  return typeof typ === 'string' && typ.toUpperCase() === 'JWT'
}
