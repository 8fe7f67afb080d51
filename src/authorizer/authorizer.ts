import type { Admission, Admitted, Occasion } from '../api-keys/admission.ts'
import type { Minter } from '../capabilities/mint.ts'
import type { Authenticator, Subject } from '../identity/subject.ts'
import type { Read, Reading } from '../mcp/reading.ts'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'
import type { Engine } from '../policy/engine.ts'
import { textOf } from '../policy/errors.ts'
import { categoryOf } from '../policy/reasons.ts'
import type { Attempt, Authorizer, CapabilitiesOutcome, Outcome, VisibleQuery } from './attempt.ts'
import { actionOf, denial, judge, type Known, refused, resourceOf, serverWide } from './decision.ts'
import type { Definitions } from './definitions.ts'
import { createSubjectViews, type SubjectViews } from './subject-views.ts'
import { decidedOfTasks, isOfTasks, ownTasks, type TaskBindings, tasksIn, withoutTasks } from './tasks.ts'
import { createVerdicts, type Decide, type Scope } from './verdicts.ts'
import { createVisibleNames, type SeeNames } from './visible-names.ts'

export interface AuthorizerOptions {
  readonly authenticator: Authenticator
  /** Checks what API keys are bound to; absent where there are none: whoever comes with one is then denied. */
  readonly admission?: Admission | undefined
  /** The engine that decides now; undefined before one is loaded. */
  readonly engine: () => Engine | undefined
  /** Absent where nothing is minted (the guard, the command line): asking for a token is then a denial. */
  readonly minter?: Minter | undefined
  readonly profile: 'strict' | 'kuadrant'
  /** Whose task is whose; absent: nobody's. */
  readonly tasks?: TaskBindings | undefined
  /** What lists define, held against the catalogue; absent: everything is approved. */
  readonly definitions?: Definitions | undefined
  /** See `Question.prefixedUris`. */
  readonly prefixedUris?: boolean
  /** See `Question.unenforced`. */
  readonly unenforced?: boolean
  /** Told every decision once, when it is made. */
  readonly record?: (decision: Decision) => void
  /** Told what went wrong behind a `service` reason; for the log, never for the caller. */
  readonly onFault?: (code: ReasonCode, cause: string) => void
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

interface Parts extends AuthorizerOptions {
  readonly views: SubjectViews
  readonly decide: Decide
  readonly seeNames: SeeNames
}

/**
 * Makes the authorizer: credential, then request, then what the credential is bound to, then policy, then the capability
 * token; the first fault is the reason.
 */
export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const { now = Date.now } = options
  const views = createSubjectViews({ minter: options.minter, now })
  const parts: Parts = { ...options, views, decide: createVerdicts(), seeNames: createVisibleNames() }
  return {
    async authorize(attempt) {
      const again = attempt.again === true
      const outcome = await outcomeOf(parts, attempt, !again)
      return again && outcome.decision.allow ? outcome : recorded(parts, outcome)
    },
    capabilities: async (credential, virtualServers, address) =>
      await capabilitiesOf(parts, { credential, reading: serverWide('tools/list', virtualServers), address }),
    visible: async (query) => await visibleOf(parts, query),
    definitions: options.definitions,
  }
}

/** INVARIANT: never rejects; whatever is thrown inside is a denial with a `service` reason. */
async function outcomeOf(parts: Parts, attempt: Attempt, counted: boolean): Promise<Outcome> {
  try {
    return await decide(parts, attempt, counted)
  } catch (thrown) {
    tell(parts, 'policy_error', thrown)
    return { decision: denial('policy_error', knownOf(parts.engine(), attempt.reading)) }
  }
}

// What cannot be recorded is not allowed.
function recorded(parts: Parts, outcome: Outcome): Outcome {
  try {
    parts.record?.(outcome.decision)
    return outcome
  } catch (thrown) {
    tell(parts, 'policy_error', thrown)
    return { decision: refused(outcome.decision, 'policy_error') }
  }
}

function tell({ onFault }: Parts, code: ReasonCode, thrown: unknown): void {
  try {
    onFault?.(code, textOf(thrown))
  } catch {
    // An answer is owed whatever becomes of the log.
  }
}

async function decide(parts: Parts, attempt: Attempt, counted: boolean): Promise<Outcome> {
  const { credential, reading, principal, mint, subjectId } = attempt
  const authentication = await parts.authenticator.authenticate(credential)
  const engine = parts.engine()
  const known = knownOf(engine, reading)
  if (!authentication.ok) return { decision: denial(authentication.code, known) }
  const { subject } = authentication
  if (subjectId !== undefined && subjectId !== subject.id) return { decision: denial('token_claim_missing', known) }
  const named = { ...known, subject: subject.id }
  if (!reading.ok) return { decision: denial(reading.code, named), subject }
  if (engine === undefined) return { decision: denial('not_ready', named), subject }
  // Most requests have neither, and are not to wait for nothing.
  const isPlain = attempt.precondition === undefined && subject.apiKey === undefined
  const objection = isPlain ? undefined : await objectionTo(parts, { ...attempt, reading }, { subject, counted })
  if (objection !== undefined) return { decision: denial(objection, named), subject }
  const scope = scopeOf(parts, { subject, virtualServers: reading.virtualServers, principal })
  const decision = await judgedWithTasks(parts, { engine, scope, reading, named })
  if (!decision.allow || mint !== true) return { decision, subject }
  return await withToken(parts, { decision, scope, engine, reading })
}

async function admit({ admission }: Parts, subject: Subject, occasion: Occasion): Promise<Admitted> {
  if (subject.apiKey === undefined) return { ok: true }
  if (admission === undefined) throw new TypeError('an API key was presented where none is admitted')
  return await admission.admit(subject, occasion)
}

/** What is asked beside credential and policy: requests come first, and nothing is counted for one that is refused. */
async function objectionTo(
  parts: Parts,
  { reading, precondition, address }: Attempt & { readonly reading: Read },
  { subject, counted }: { readonly subject: Subject; readonly counted: boolean },
): Promise<ReasonCode | undefined> {
  const fault = await precondition?.(reading)
  if (fault !== undefined && categoryOf(fault.code) === 'service') tell(parts, fault.code, fault.detail)
  if (fault !== undefined) return fault.code
  const admitted = await admit(parts, subject, { address, counted })
  return admitted.ok ? undefined : admitted.code
}

interface Judging {
  readonly engine: Engine
  readonly scope: Scope
  readonly reading: Read
  readonly named: Known
}

async function judgedWithTasks(parts: Parts, { reading, ...rest }: Judging): Promise<Decision> {
  const { engine, scope, named } = rest
  const ids = tasksIn(reading)
  if (ids.length === 0 && !isOfTasks(reading)) return judged(parts, { reading, ...rest })
  if (parts.tasks === undefined) return denial('method_unknown', named)
  const decision = judged(parts, { reading: withoutTasks(reading), ...rest })
  if (!decision.allow || ids.length === 0) return decidedOfTasks(decision, { reading, named, own: new Map() })
  const own = await ownTasks(parts.tasks, { engine, scope, server: reading.server }, ids)
  return decidedOfTasks(decision, { reading, named, own })
}

function judged(parts: Parts, { engine, scope, reading, named }: Judging): Decision {
  try {
    return judge((asked) => parts.decide(engine, { ...scope, ...asked }), reading, named)
  } catch (thrown) {
    tell(parts, 'policy_error', thrown)
    return denial('policy_error', named)
  }
}

async function withToken(
  parts: Parts,
  { decision, scope, engine, reading }: { decision: Decision; scope: Scope; engine: Engine; reading: Read },
): Promise<Outcome> {
  const { subject } = scope
  try {
    const { session, server } = reading
    const minted = await parts.views.token(engine, scope, { session, server: decision.resource.server ?? server })
    if (!minted.ok) return { decision: refused(decision, minted.code), subject }
    return { decision, subject, capabilityToken: minted.token }
  } catch (thrown) {
    tell(parts, 'mint_failed', thrown)
    return { decision: refused(decision, 'mint_failed'), subject }
  }
}

async function capabilitiesOf(
  parts: Parts,
  attempt: Attempt & { readonly reading: Read },
): Promise<CapabilitiesOutcome> {
  const { virtualServers } = attempt.reading
  const { decision, subject } = await outcomeOf(parts, attempt, false)
  const engine = parts.engine()
  if (!decision.allow || subject === undefined || engine === undefined) return { ok: false, decision }
  try {
    const capabilities = parts.views.capabilities(engine, scopeOf(parts, { subject, virtualServers }))
    return { ok: true, capabilities, subject, revision: engine.revision }
  } catch (thrown) {
    tell(parts, 'policy_error', thrown)
    return { ok: false, decision: refused(decision, 'policy_error') }
  }
}

async function visibleOf(parts: Parts, query: VisibleQuery): Promise<readonly string[]> {
  const { credential, type, names, server, virtualServers, address } = query
  try {
    const authentication = await parts.authenticator.authenticate(credential)
    const engine = parts.engine()
    if (!authentication.ok || engine === undefined) return []
    const { subject } = authentication
    if (!(await admit(parts, subject, { address, counted: false })).ok) return []
    const scoped = scopeOf(parts, { subject, virtualServers })
    if (type === 'task') {
      if (parts.tasks === undefined) return []
      return [...(await ownTasks(parts.tasks, { engine, scope: scoped, server }, names)).keys()]
    }
    const scope = { ...scoped, unenforced: parts.unenforced ?? false }
    return parts.seeNames(engine, scope, { type, names, server })
  } catch (thrown) {
    tell(parts, 'policy_error', thrown)
    return []
  }
}

function knownOf(engine: Engine | undefined, reading: Reading): Known {
  return { action: actionOf(reading), resource: resourceOf(reading), revision: engine?.revision ?? '' }
}

function scopeOf(
  { profile, prefixedUris = false }: Parts,
  who: Pick<Scope, 'subject' | 'virtualServers' | 'principal'>,
): Scope {
  return { ...who, profile, prefixedUris }
}
