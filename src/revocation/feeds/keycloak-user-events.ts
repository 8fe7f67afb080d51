// What people do themselves: https://www.keycloak.org/docs/latest/server_admin/#event-types
import { isObject, own } from '../../identity/claims.ts'
import type { IssuerOptions } from '../../identity/options.ts'
import type { KeycloakEvent } from './event-stream.ts'
import { type Effect, endsTokens, personOf, textOf } from './keycloak-effect.ts'

/** The events that are asked for. */
export const userEventTypes = [
  'LOGOUT',
  'REVOKE_GRANT',
  'USER_DISABLED_BY_PERMANENT_LOCKOUT',
  'DELETE_ACCOUNT',
] as const

/** What a user event takes away. */
export function effectsOfUserEvent(event: KeycloakEvent, issuer: IssuerOptions): readonly Effect[] {
  const { fields } = event
  const details = own(fields, 'details')
  const session = textOf(own(fields, 'sessionId'))
  const subject = textOf(own(fields, 'userId'))
  const jti = isObject(details) ? textOf(own(details, 'token_id')) : undefined
  const person = subject === undefined ? [] : [endsTokens(personOf(issuer, subject), event)]
  const ofSession: Effect[] =
    session === undefined ? [] : [{ target: { of: { kind: 'session', session, issuer: issuer.issuer } } }]
  const ofToken: Effect[] = jti === undefined ? [] : [{ target: { of: { kind: 'token', jti, issuer: issuer.issuer } } }]
  switch (own(fields, 'type')) {
    case 'LOGOUT':
      return ofSession.length > 0 ? ofSession : person
    case 'REVOKE_GRANT':
      // An access token by its id; a refresh token, and with it all that it led to, by the session; a consent by neither.
      return ofToken.length + ofSession.length > 0 ? [...ofToken, ...ofSession] : person
    case 'USER_DISABLED_BY_PERMANENT_LOCKOUT':
    case 'DELETE_ACCOUNT':
      return person
    default:
      return []
  }
}
