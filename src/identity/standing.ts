import { failure } from './failure.ts'
import type { Authentication, CredentialFacts, Judgement, RevocationCheck, Subject } from './subject.ts'

/** A verified credential and what was last found of it under a state of the revocations. */
export interface Standing {
  /** What the credential says, with nothing taken away. */
  readonly subject: Subject
  readonly facts: CredentialFacts
  /** Undefined before it was ever judged. */
  judged?: { readonly epoch: number; readonly judgement: Judgement; readonly authentication: Authentication }
}

/** Where nothing is ever revoked: the default of whoever brings no revocations. */
export const noRevocations: RevocationCheck = { epoch: () => 0, judge: () => ({ kind: 'good' }) }

/**
 * Judges a credential anew where the revocations have changed since. A subject that lost nothing more stays the very
 * same object, so that what was decided for it is still found.
 */
export function judged(standing: Standing, revocations: RevocationCheck): Authentication {
  const epoch = revocations.epoch()
  const before = standing.judged
  // What speaks against a credential ends by itself; what does not is told by another epoch.
  if (before?.epoch === epoch && before.judgement.kind === 'good') return before.authentication
  const judgement = revocations.judge(standing.facts)
  const isTheSame = before !== undefined && JSON.stringify(before.judgement) === JSON.stringify(judgement)
  const authentication = isTheSame ? before.authentication : outcomeOf(standing.subject, judgement)
  standing.judged = { epoch, judgement, authentication }
  return authentication
}

/** What a judgement leaves of a credential. */
export function outcomeOf(subject: Subject, judgement: Judgement): Authentication {
  switch (judgement.kind) {
    case 'good':
      return { ok: true, subject }
    case 'diminished':
      return { ok: true, subject: diminished(subject, judgement) }
    case 'revoked':
      return failure('token_revoked', 'the credential was revoked')
    case 'unknown':
      return failure('revocations_unknown', 'whether the credential was revoked cannot be known')
    default:
      return judgement satisfies never
  }
}

/** The subject without the literal grants that were taken from it; the policy takes the roles, which groups may give too. */
function diminished(subject: Subject, { roles, grants }: Extract<Judgement, { kind: 'diminished' }>): Subject {
  const takenFrom = (server: string): readonly string[] =>
    ['*', server].flatMap((id) => (Object.hasOwn(grants, id) ? (grants[id] ?? []) : []))
  const left = Object.entries(subject.grants).map(([server, values]) => {
    const taken = takenFrom(server)
    return [server, Object.freeze(values.filter((value) => !taken.includes(value)))] as const
  })
  return Object.freeze({
    ...subject,
    grants: Object.freeze(Object.fromEntries(left)),
    withdrawnRoles: Object.freeze([...roles]),
    withdrawnGrants: Object.freeze({ ...grants }),
  })
}
