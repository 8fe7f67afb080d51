import { type Claims, createClaimReader } from './claims.ts'
import { apiKeyPrefix, type Presented, presentedToken } from './credential.ts'
import { failure } from './failure.ts'
import { createKeySource } from './key-source.ts'
import type { IssuerOptions } from './options.ts'
import { noRevocations, outcomeOf } from './standing.ts'
import { type StatementVerification, verifyStatement } from './statement.ts'
import type { ApiKeyAuthenticator, Authentication, Authenticator, Credential, RevocationCheck } from './subject.ts'
import { factsOf, issuerOf, TokenVerifier, type TrustedIssuer } from './verifier.ts'

export interface AuthenticatorOptions {
  /** The issuers that are trusted; claims without `iss` are read by the paths of the first. */
  readonly issuers: readonly IssuerOptions[]
  /** Milliseconds since the epoch; the system's clock by default. */
  readonly now?: () => number
  /** Fetches keys; the platform's by default. */
  readonly fetch?: typeof globalThis.fetch
  /** Also fetch keys over plain http from other hosts than this one (`insecure.httpIssuers`). */
  readonly allowHttp?: boolean
  /** Told why an issuer's keys could not be fetched, once for each cause; for a log. */
  readonly onKeysFault?: ((issuer: string, detail: string) => void) | undefined
  /** Who was turned away since; by default nobody. */
  readonly revocations?: RevocationCheck | undefined
  /** Knows the bearer tokens that are API keys; absent: there are none. */
  readonly apiKeys?: ApiKeyAuthenticator | undefined
}

/**
 * An authenticator that owns the keys it verifies with. It knows tokens and claims; a credential of any other kind names
 * nobody here (`token_missing`).
 */
export interface KeyedAuthenticator extends Authenticator {
  /** Verifies what an issuer says that is no credential, such as a logout token. Never rejects. */
  statement(compact: string): Promise<StatementVerification>
  /** Whether the keys of every issuer are here. */
  ready(): boolean
  /** Fetches the keys of every issuer. Never rejects: `ready` tells how it went. */
  load(): Promise<void>
  /** Ends what is under way. Remote keys are not to be had from then on. */
  close(): void
}

/**
 * Creates the one way from a credential to a subject.
 * @throws TypeError for an `iss` that is configured twice, a claim path that does not parse, keys that cannot be used
 */
export function createAuthenticator(options: AuthenticatorOptions): KeyedAuthenticator {
  const { issuers: configured, now = Date.now, fetch = globalThis.fetch, allowHttp = false, onKeysFault } = options
  const issuers = new Map<string, TrustedIssuer>()
  for (const issuer of configured) {
    if (issuers.has(issuer.issuer)) {
      throw new TypeError(`issuer \`${issuer.issuer}\` is configured twice; merge the two entries`)
    }
    const onFault = (detail: string): void => onKeysFault?.(issuer.issuer, detail)
    const keys = createKeySource(issuer, { now, fetch, allowHttp, onFault })
    issuers.set(issuer.issuer, { options: issuer, keys, readClaims: createClaimReader(issuer.claims) })
  }
  const { revocations = noRevocations, apiKeys } = options
  const verifier = new TokenVerifier({ issuers, now, revocations })
  const sources = [...issuers.values()].map((issuer) => issuer.keys)
  return {
    authenticate: (credential) => authenticate(credential, { issuers, verifier, revocations, apiKeys }),
    statement: (compact) => verifyStatement(compact, issuers),
    ready: () => sources.map((source) => source.ready()).every(Boolean),
    load: async () => {
      await Promise.all(sources.map((source) => source.load()))
    },
    close: () => {
      for (const source of sources) source.close()
    },
  }
}

interface Means {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  readonly verifier: TokenVerifier
  readonly revocations: RevocationCheck
  readonly apiKeys: ApiKeyAuthenticator | undefined
}

async function authenticate(credential: Credential, means: Means): Promise<Authentication> {
  try {
    switch (credential.kind) {
      case 'claims':
        return fromClaims(credential.claims, means)
      case 'authorization':
      case 'token':
        return await fromToken(presentedToken(credential), means)
      default:
        return failure('token_missing', 'expected a bearer token')
    }
  } catch {
    return failure('token_malformed', 'expected a credential that can be read')
  }
}

async function fromToken(presented: Presented, { verifier, apiKeys }: Means): Promise<Authentication> {
  if (!presented.ok) return presented
  const { token } = presented
  return apiKeys !== undefined && token.startsWith(apiKeyPrefix) ? apiKeys.authenticate(token) : verifier.verify(token)
}

/** Claims that the caller has verified: only who it is and what is granted are read, no times and no audience. */
function fromClaims(claims: Claims, { issuers, revocations }: Means): Authentication {
  const [first] = issuers.values()
  const issuer = Object.hasOwn(claims, 'iss') ? issuerOf(claims, issuers) : first
  if (issuer === undefined) return failure('token_issuer_unknown', 'expected `iss` to name a configured issuer')
  const subject = issuer.readClaims(claims)
  if (subject === undefined) return failure('token_claim_missing', 'expected the subject claim')
  const iat = Object.hasOwn(claims, 'iat') ? claims['iat'] : undefined
  const issuedAt = typeof iat === 'number' && Number.isFinite(iat) ? iat : undefined
  const facts = Object.freeze({ ...factsOf(claims, subject.id), issuer: issuer.options.issuer, issuedAt })
  return outcomeOf(Object.freeze({ ...subject, facts }), revocations.judge(facts))
}
