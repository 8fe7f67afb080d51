import { hash } from 'node:crypto'
import type { CredentialFacts, Judgement, Subject } from '../identity/subject.ts'
import type { CapabilityOrigin } from './claim.gen.ts'

/** What a capability token says of the credential it is minted for; undefined where nothing is known of that. */
export function originOf({ id, facts, ...withdrawn }: Subject): CapabilityOrigin | undefined {
  if (facts === undefined) return undefined
  const { issuer, subject, jti, session, digest, issuedAt, apiKey } = facts
  const { withdrawnRoles: roles = [], withdrawnGrants: grants = {} } = withdrawn
  const said = {
    iss: issuer,
    sub: subject === id ? undefined : subject,
    jti,
    sid: session,
    digest,
    iat: issuedAt,
    api_key: apiKey,
    withdrawn: withdrawalDigest({ roles, grants }),
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)) as CapabilityOrigin
}

/** What a revocation of the credential behind a capability token can name. */
export function factsOf(origin: CapabilityOrigin | undefined, subject: string): CredentialFacts {
  const { iss, sub = subject, jti, sid, digest, iat, api_key } = origin ?? {}
  return { issuer: iss, subject: sub, jti, session: sid, digest, issuedAt: iat, apiKey: api_key }
}

type Withdrawal = Pick<Extract<Judgement, { kind: 'diminished' }>, 'roles' | 'grants'>

/**
 * Stands for what was taken from a credential, so that a token minted since can be told from one minted before; the
 * order does not count. Undefined for nothing.
 */
export function withdrawalDigest({ roles, grants }: Withdrawal): string | undefined {
  const byServer = Object.entries(grants)
    .filter(([, names]) => names.length > 0)
    .map(([server, names]) => [server, sorted(names)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  if (roles.length === 0 && byServer.length === 0) return undefined
  return hash('sha256', JSON.stringify([sorted(roles), byServer]), 'base64url')
}

/** What stands for an MCP session in a capability token. */
export function sessionDigest(session: string): string {
  return hash('sha256', session, 'base64url')
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort()
}
