import type { Authorizer, Outcome } from '../authorizer/attempt.ts'
import type { TaskBindings } from '../authorizer/tasks.ts'
import type { Gate, Hold } from '../gateway/gate.ts'
import type { Credential } from '../identity/subject.ts'
import type { DenialOptions } from '../mcp/denial-options.ts'
import { type DeprecatedHeader, deprecatedHeader } from '../mcp/internal-headers.ts'
import type { ProtectedResource } from '../mcp/protected-resource.ts'
import type { DoorKnowledge, Read, Reading, ReadOptions } from '../mcp/reading.ts'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'
import type { Declared } from './declared.ts'
import type { Lookout } from './lookout.ts'

/** What the guard knows of a request that it handed on. */
export interface Admitted {
  readonly decision: Decision
  /**
   * Tells callers apart, also two of one name at two issuers: the same text for all credentials of a person, another for
   * each API key, and for each credential that names nobody. Undefined where none was needed (profile kuadrant, lists).
   */
  readonly caller: string | undefined
}

/** What the guard needs to know to judge requests. */
export interface Door {
  readonly authorizer: Authorizer
  readonly read: ReadOptions
  readonly knows: DoorKnowledge
  /** Whose task is whose, as `authorizer` knows it; absent: no task is bound. */
  readonly tasks?: TaskBindings | undefined
  /** Absent: no router key opens anything, and no session is asked for. */
  readonly gate?: Gate | undefined
  /** What challenges name. */
  readonly protectedResource?: ProtectedResource | undefined
  /** How denials look. Default: explicit. */
  readonly denials?: DenialOptions | undefined
  /** IP address of whoever sent a request. */
  readonly addressOf: (request: Request) => string | undefined
  /** Where it is left what is known of the requests that are handed on. */
  readonly admitted?: WeakMap<Request, Admitted> | undefined
  /** What servers declared in their sessions. */
  readonly declared: Declared
  /** Looks at what peers may use. */
  readonly lookout: Lookout
  /** Milliseconds between two of its looks, where nothing else is said. */
  readonly changesEveryMs: number
  /** Told what went wrong behind a denial of the guard's own; for a log, never for a client. */
  readonly onFault: (code: ReasonCode, cause: string) => void
  /** Told of every request that a deprecated header authenticated. */
  readonly onDeprecated?: ((header: DeprecatedHeader) => void) | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** The types say most of it already; what reaches the handler must not depend on them. */
export function isAllowed({ decision }: Outcome, reading: Reading, hold: Hold | undefined): reading is Read {
  return reading.ok && hold?.passed() !== false && decision.allow === true && decision.reasons.length === 0
}

/** `subject`: whoever the credential named, if it verified. */
export function noteDeprecated(
  { onDeprecated }: Pick<Door, 'onDeprecated'>,
  { kind }: Credential,
  subject: string | undefined,
): void {
  if (kind !== 'authorized-tools' || subject === undefined) return
  try {
    onDeprecated?.(deprecatedHeader)
  } catch {
    // An answer is owed whatever becomes of the count.
  }
}
