import type { Credential, Subject } from '../identity/subject.ts'
import type { Read, Reading } from '../mcp/reading.ts'
import type { Capabilities, Decision, ReasonCode } from '../policy/decision.gen.ts'
import type { Definitions } from './definitions.ts'

/** What a caller tried to do. Built by a door, from its protocol only. */
export interface Attempt {
  readonly credential: Credential
  readonly reading: Reading
  /** Who opened the connection, as the door verified it (mTLS); never the client's word. */
  readonly principal?: string | undefined
  /** IP address of whoever opened the connection, as the door knows it; never the client's word. */
  readonly address?: string | undefined
  /** Also mint the capability token; if that fails, the attempt is denied. */
  readonly mint?: boolean
  /**
   * What the door has yet to find out of a request that was read, asked once the credential is good and before policy;
   * what it finds is the reason of the denial, and `detail` is for the log.
   */
  readonly precondition?: ((reading: Read) => Promise<AttemptFault | undefined>) | undefined
  /** Who the caller says it is; a credential of somebody else is then `token_claim_missing`. */
  readonly subjectId?: string
  /**
   * Asks again of what was allowed before and still goes on: no use of an API key, and recorded only where it is denied,
   * which ends it.
   */
  readonly again?: boolean
}

export interface AttemptFault {
  readonly code: ReasonCode
  readonly detail: string
}

export interface Outcome {
  readonly decision: Decision
  /** Whoever was authenticated, also when the decision is a denial. */
  readonly subject?: Subject
  /** The value of x-mcp-authorized, if it was asked for and the decision allows. */
  readonly capabilityToken?: string
}

export type CapabilitiesOutcome =
  | { readonly ok: true; readonly capabilities: Capabilities; readonly subject: Subject; readonly revision: string }
  | { readonly ok: false; readonly decision: Decision }

/** The one use case behind every door. Never rejects: every failure is a denial with a reason. */
export interface Authorizer {
  authorize(attempt: Attempt): Promise<Outcome>
  /** Everything the credential may use under the virtual servers. No use of an API key. */
  capabilities(
    credential: Credential,
    virtualServers: readonly (string | null)[],
    address?: string,
  ): Promise<CapabilitiesOutcome>
  /** The names of a list that the credential may call, in the order given. Empty whenever anything fails. No use of an API key. */
  visible(list: VisibleQuery): Promise<readonly string[]>
  /** What lists define, held against the catalogue. Absent: everything is approved. */
  readonly definitions?: Definitions | undefined
}

/** A list to filter: client-visible names (upstream's where the server is known), or URIs. */
export interface VisibleQuery {
  readonly credential: Credential
  /** `task`: names are ids of tasks, and those are visible that the credential's subject made. */
  readonly type: 'tool' | 'prompt' | 'resource' | 'template' | 'task'
  readonly names: readonly string[]
  readonly server?: string
  readonly virtualServers: readonly (string | null)[]
  /** See `Attempt.address`. */
  readonly address?: string | undefined
}
