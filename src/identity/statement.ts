import type { Claims } from './claims.ts'
import { type Failure, failure } from './failure.ts'
import { readToken } from './jwt.ts'
import type { IssuerOptions } from './options.ts'
import { type TrustedIssuer, verifySigned } from './verifier.ts'

/** A JWT that is signed by the issuer it names. Its type, times and audience are for the reader to check. */
export interface Statement {
  readonly ok: true
  readonly issuer: IssuerOptions
  readonly header: Claims
  readonly payload: Claims
}

export type StatementVerification = Statement | Failure

/** Verifies the form, the issuer and the signature of a JWT, as for a credential. Never rejects. */
export async function verifyStatement(
  compact: string,
  issuers: ReadonlyMap<string, TrustedIssuer>,
): Promise<StatementVerification> {
  try {
    const reading = readToken(compact)
    if (!reading.ok) return reading
    const { header, payload } = reading.token
    const signed = await verifySigned(reading.token, issuers)
    return signed.ok ? { ok: true, issuer: signed.issuer.options, header, payload } : signed
  } catch {
    return failure('token_malformed', 'expected a statement that can be read')
  }
}
