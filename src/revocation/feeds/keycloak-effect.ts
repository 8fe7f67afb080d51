import type { IssuerOptions } from '../../identity/options.ts'
import type { Holder, Target } from '../revocation.ts'
import type { KeycloakEvent } from './event-stream.ts'

/** What an event takes away, before it is named and given a reason. */
export interface Effect {
  readonly target: Target
  /** See `RevocationOrder`. */
  readonly before?: number
}

/** Whom an event is about, as far as what it takes away can be told. */
export type Reach = Extract<Holder, { kind: 'subject' | 'issuer' }>

/** Everybody of an issuer. */
export function everybodyOf({ issuer }: IssuerOptions): Reach {
  return { kind: 'issuer', issuer }
}

/** One person of an issuer. */
export function personOf({ issuer }: IssuerOptions, subject: string): Reach {
  return { kind: 'subject', subject, issuer }
}

/** Ends every token that was issued until the event. */
export function endsTokens(reach: Reach, event: KeycloakEvent): Effect {
  return { target: { of: reach }, before: secondsOf(event) }
}

/**
 * The time of an event as tokens have it. `iat` is cut to the second, and a token that is issued while the event is
 * being committed still says what was; so the second that follows belongs to it: rather a good token too many is
 * refused, and had anew, than a bad one too few.
 */
export function secondsOf({ time }: KeycloakEvent): number {
  return Math.ceil(time / 1000)
}

/** A member of an event, or of what stands in one, where it is text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
