import { hash } from 'node:crypto'
import { compactVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { type Claims, own } from './claims.ts'
import { type Failure, failure } from './failure.ts'
import { digestOf, readToken, type UnverifiedToken } from './jwt.ts'
import type { KeySource } from './key-source.ts'
import { type KeySet, type Selection, selectKey } from './keys.ts'
import type { IssuerOptions } from './options.ts'
import { judged, noRevocations, type Standing } from './standing.ts'
import type { Authentication, CredentialFacts, RevocationCheck, Subject } from './subject.ts'
import { audienceFault, partyFault, requiredClaimFault, type TokenTimes, timeFault, timesOf } from './token-rules.ts'
import { typeFault } from './token-type.ts'

/** An issuer that tokens may name, with its keys opened and its claim paths read. */
export interface TrustedIssuer {
  readonly options: IssuerOptions
  readonly keys: KeySource
  readonly readClaims: (claims: Claims) => Subject | undefined
}

export interface VerifierOptions {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Asked at each sight of a token, whether it is remembered or not. */
  readonly revocations?: RevocationCheck | undefined
}

/** The one key that a token may be signed with, and the set it is in. */
type Choice = Extract<Selection, { ok: true }> & { readonly keySet: KeySet }

interface Signed {
  readonly ok: true
  readonly issuer: TrustedIssuer
  readonly keySet: KeySet
}

interface Verified extends Standing {
  readonly ok: true
  readonly issuer: TrustedIssuer
  readonly keySet: KeySet
  readonly times: TokenTimes
}

/** How many verified tokens are remembered. */
const maxRemembered = 10_000

/**
 * Verifies tokens, each one once as long as it is remembered: by its SHA-256, until it ends or the keys change.
 * A failure is never remembered.
 */
export class TokenVerifier {
  readonly #issuers: ReadonlyMap<string, TrustedIssuer>
  readonly #now: () => number
  readonly #revocations: RevocationCheck
  readonly #remembered = new LRUCache<string, Verified>({ max: maxRemembered })
  readonly #underWay = new Map<string, Promise<Verified | Failure>>()

  constructor(options: VerifierOptions) {
    this.#issuers = options.issuers
    this.#now = options.now
    this.#revocations = options.revocations ?? noRevocations
  }

  /** Verifies a token (RFC 7519 section 7.2, RFC 8725 section 3). */
  async verify(compact: string): Promise<Authentication> {
    const digest = hash('sha256', compact, 'base64')
    const verified = (await this.#recall(digest)) ?? (await this.#verifyOnce(digest, compact))
    return verified.ok ? judged(verified, this.#revocations) : verified
  }

  async #recall(digest: string): Promise<Verified | Failure | undefined> {
    const verified = this.#remembered.get(digest)
    if (verified === undefined) return undefined
    const { issuer, keySet, times } = verified
    const sameKeys = (await issuer.keys.current()) === keySet
    const fault = timeFault(times, issuer.options, this.#seconds())
    if (sameKeys && fault === undefined) return verified
    this.#remembered.delete(digest)
    return sameKeys ? fault : undefined
  }

  #verifyOnce(digest: string, compact: string): Promise<Verified | Failure> {
    const shared = this.#underWay.get(digest)
    if (shared !== undefined) return shared
    const verification = this.#verifyAndRemember(digest, compact).finally(() => this.#underWay.delete(digest))
    this.#underWay.set(digest, verification)
    return verification
  }

  async #verifyAndRemember(digest: string, compact: string): Promise<Verified | Failure> {
    const outcome = await this.#verifyFully(compact)
    if (outcome.ok) this.#remembered.set(digest, outcome)
    return outcome
  }

  async #verifyFully(compact: string): Promise<Verified | Failure> {
    const reading = readToken(compact)
    if (!reading.ok) return reading
    const { token } = reading
    const fault = typeFault(token)
    if (fault !== undefined) return fault
    const signed = await verifySigned(token, this.#issuers)
    return signed.ok ? this.#accept(token, signed.issuer, signed.keySet) : signed
  }

  #accept({ compact, payload }: UnverifiedToken, issuer: TrustedIssuer, keySet: KeySet): Verified | Failure {
    const times = timesOf(payload)
    const { audiences, authorizedParties, requiredClaims } = issuer.options
    const fault =
      timeFault(times, issuer.options, this.#seconds()) ??
      audienceFault(payload, audiences) ??
      partyFault(payload, authorizedParties) ??
      requiredClaimFault(payload, requiredClaims)
    if (fault !== undefined) return fault
    if (times.exp === undefined) return failure('token_claim_missing', 'expected `exp`')
    const subject = issuer.readClaims(payload)
    if (subject === undefined) return failure('token_claim_missing', 'expected the subject claim')
    // An issuer whose clock is ahead issued the token before it was seen, all the same.
    const issuedAt = times.iat === undefined ? undefined : Math.min(times.iat, this.#seconds())
    const facts = Object.freeze({ ...factsOf(payload, subject.id), digest: digestOf(compact), issuedAt })
    return {
      ok: true,
      issuer,
      keySet,
      times,
      facts,
      subject: Object.freeze({ ...subject, expiresAt: times.exp, facts }),
    }
  }

  #seconds(): number {
    return this.#now() / 1000
  }
}

/** The issuer that `iss` names. */
export function issuerOf(claims: Claims, issuers: ReadonlyMap<string, TrustedIssuer>): TrustedIssuer | undefined {
  const iss = own(claims, 'iss')
  return typeof iss === 'string' ? issuers.get(iss) : undefined
}

/** What a revocation can name of claims. */
export function factsOf(claims: Claims, subject: string): CredentialFacts {
  return {
    issuer: stringOf(claims, 'iss'),
    subject,
    jti: stringOf(claims, 'jti'),
    session: stringOf(claims, 'sid'),
  }
}

function stringOf(claims: Claims, name: string): string | undefined {
  const value = own(claims, name)
  return typeof value === 'string' ? value : undefined
}

/** Verifies that a token is signed by the issuer it names; what the issuer says with it is not looked at. */
export async function verifySigned(
  token: UnverifiedToken,
  issuers: ReadonlyMap<string, TrustedIssuer>,
): Promise<Signed | Failure> {
  const issuer = issuerOf(token.payload, issuers)
  if (issuer === undefined) return failure('token_issuer_unknown', 'expected `iss` to name a configured issuer')
  const choice = await verifySignature(token, issuer)
  return choice.ok ? { ok: true, issuer, keySet: choice.keySet } : choice
}

/** Verifies the signature with exactly one key, chosen by what the issuer's options allow. */
async function verifySignature(token: UnverifiedToken, issuer: TrustedIssuer): Promise<Choice | Failure> {
  const alg = own(token.header, 'alg')
  if (typeof alg !== 'string' || /^none$/i.test(alg) || !issuer.options.algorithms.includes(alg)) {
    return failure('token_algorithm', 'expected `alg` to be one of the algorithms of the issuer')
  }
  const choice = await chooseKey(token.header, alg, issuer.keys)
  if (!choice.ok) return choice
  try {
    await compactVerify(token.compact, choice.key, { algorithms: [alg] })
    return choice
  } catch {
    return failure('token_signature', 'expected a signature by the key of the issuer')
  }
}

async function chooseKey(header: Claims, alg: string, source: KeySource): Promise<Choice | Failure> {
  const unavailable = failure('keys_unavailable', 'expected the issuer to give out its keys')
  try {
    const lacksKey = (selection: Selection): boolean => !selection.ok && selection.kidUnknown === true
    let keySet = await source.current()
    if (keySet === undefined) return unavailable
    let selection = selectKey(keySet, header, alg)
    if (lacksKey(selection)) {
      keySet = await source.renewed((set) => !lacksKey(selectKey(set, header, alg)))
      if (keySet === undefined) return unavailable
      selection = selectKey(keySet, header, alg)
    }
    return selection.ok ? { ...selection, keySet } : failure(selection.code, selection.detail)
  } catch {
    return unavailable
  }
}
