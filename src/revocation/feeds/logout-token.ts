// The logout token of OpenID Connect Back-Channel Logout 1.0: https://openid.net/specs/openid-connect-backchannel-1_0.html
import { createHash } from 'node:crypto'
import { type Claims, isObject, own } from '../../identity/claims.ts'
import type { Statement } from '../../identity/statement.ts'
import { audienceFault, timeFault, timesOf } from '../../identity/token-rules.ts'
import type { Selector } from '../revocation.ts'
import type { RevocationOrder } from '../revoker.ts'

/** What a logout token asks for; `once` is spent with it. */
export interface Logout {
  readonly ok: true
  readonly order: RevocationOrder
  readonly once: { readonly key: string; readonly until: number }
}

/** Why a token is no logout token; `detail` holds nothing that was sent. */
export type LogoutReading = Logout | { readonly ok: false; readonly detail: string }

/** The member that `events` must have (section 2.4). */
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** How long ago a logout token may have been issued, in seconds: section 4 wants it short-lived. */
const maxAgeSeconds = 600

/**
 * Validates a statement as section 2.6 has it and reads whom it logs out: one session where it names one, else every
 * session that the subject had until then.
 * @param now seconds since the epoch
 */
export function readLogoutToken({ issuer, header, payload }: Statement, now: number): LogoutReading {
  const detail =
    typeFault(header, payload) ??
    meantFault(payload, issuer.backChannelLogout?.audiences ?? []) ??
    timesFault(payload, { issuer, now }) ??
    eventFault(payload)
  if (detail !== undefined) return { ok: false, detail }
  const { exp = now, iat = now } = timesOf(payload)
  const jti = nameIn(payload, 'jti')
  const named = namedIn(payload, issuer.issuer)
  if (jti === undefined) return { ok: false, detail: 'expected `jti` to be a string that is not empty' }
  if (named === undefined) return { ok: false, detail: 'expected `sid` or `sub`, strings that are not empty' }
  const id = createHash('sha256')
    .update(JSON.stringify(['logout', issuer.issuer, jti]))
    .digest('base64url')
  const before = named.kind === 'session' ? {} : { before: Math.ceil(iat) }
  const order = { target: { of: named }, ...before, reason: 'back-channel logout', id }
  return { ok: true, order, once: { key: `logout:${id}`, until: Math.ceil(exp + issuer.clockToleranceSeconds) } }
}

/** `logout+jwt` is recommended (section 2.4); issuers from before that have `JWT` or nothing. Keycloak has a claim too. */
function typeFault(header: Claims, payload: Claims): string | undefined {
  const typ = Object.hasOwn(header, 'typ') ? header['typ'] : 'JWT'
  if (typeof typ !== 'string' || !/^(?:application\/)?(?:logout\+)?jwt$/i.test(typ)) {
    return 'expected the header `typ` to be `logout+jwt`'
  }
  const isOther = Object.hasOwn(payload, 'typ') && payload['typ'] !== 'Logout'
  return isOther ? 'expected the claim `typ` to be `Logout`' : undefined
}

/** Without audiences none is meant, unlike for credentials. */
function meantFault(payload: Claims, audiences: readonly string[]): string | undefined {
  if (audiences.length === 0) return 'expected an issuer whose logout tokens are taken'
  return audienceFault(payload, audiences)?.detail
}

function timesFault(
  payload: Claims,
  { issuer, now }: { readonly issuer: Statement['issuer']; readonly now: number },
): string | undefined {
  const times = timesOf(payload)
  if (times.exp === undefined) return 'expected `exp`'
  if (times.iat === undefined) return 'expected `iat`'
  if (times.iat < now - maxAgeSeconds - issuer.clockToleranceSeconds) return 'expected `iat` to be recent'
  return timeFault(times, issuer, now)?.detail
}

function eventFault(payload: Claims): string | undefined {
  const events = own(payload, 'events')
  if (!isObject(events) || !isObject(own(events, logoutEvent))) return 'expected `events` to tell of a logout'
  if (Object.keys(events).length > 1) return 'expected `events` to tell of nothing but a logout'
  return Object.hasOwn(payload, 'nonce') ? 'expected no `nonce`' : undefined
}

/** A claim that is there must be usable: one that is not must not fall back on the other. */
function namedIn(payload: Claims, issuer: string): Selector | undefined {
  const session = nameIn(payload, 'sid')
  const subject = nameIn(payload, 'sub')
  if (Object.hasOwn(payload, 'sid') && session === undefined) return undefined
  if (Object.hasOwn(payload, 'sub') && subject === undefined) return undefined
  if (session !== undefined) return { kind: 'session', session, issuer }
  return subject === undefined ? undefined : { kind: 'subject', subject, issuer }
}

function nameIn(payload: Claims, name: string): string | undefined {
  const value = own(payload, name)
  return typeof value === 'string' && value !== '' ? value : undefined
}
