import type { Authorizer, Outcome } from '../authorizer/attempt.ts'
import { callerOf, digestOf } from '../authorizer/caller.ts'
import type { TaskBindings } from '../authorizer/tasks.ts'
import { type Gate, type Hold, holdAgainst } from '../gateway/gate.ts'
import type { Credential, Subject } from '../identity/subject.ts'
import type { DenialTo } from '../mcp/denial-form.ts'
import type { DenialOptions } from '../mcp/denial-options.ts'
import { type DeprecatedHeader, deprecatedHeader } from '../mcp/internal-headers.ts'
import { type Filter, mayList, namingToolIn } from '../mcp/list-filter.ts'
import { brokerTools } from '../mcp/methods.ts'
import type { ProtectedResource } from '../mcp/protected-resource.ts'
import type { DoorKnowledge, HttpRequest, Read, Reading, ReadOptions } from '../mcp/reading.ts'
import { readHttp } from '../mcp/request.ts'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'
import { textOf } from '../policy/errors.ts'
import { readBody } from './body.ts'
import { credentialOf } from './credential.ts'
import { filterResponse } from './filter.ts'
import { carriedRequest, readHeaders } from './headers.ts'
import type { Lookout } from './lookout.ts'
import { denied, refusal } from './refusal.ts'
import { type TaskMaking, taskMaking, withBoundTask } from './tasks.ts'

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

/** A web-standard handler: SDK v2's `createMcpHandler(...).fetch` and its like. Further arguments are its own. */
export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Promise<Response> | Response

/**
 * Puts the guard around a handler: what is denied does not reach it, what it lists is cut for the caller. Whatever the
 * handler throws is thrown; the guard itself never rejects.
 */
export function guardFetch<Rest extends readonly unknown[]>(
  door: Door,
  handler: FetchHandler<Rest>,
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    const judged = await judge(door, request)
    if (!judged.ok) return judged.response
    const response = await handler(judged.request, ...judgedBodyOnly(rest))
    const { filter, making } = judged
    try {
      if (making !== undefined) return await withBoundTask(response, making)
      return filter === undefined ? response : await filterResponse(response, filter)
    } catch (thrown) {
      return fault(door, thrown, judged.to)
    }
  }
}

type Judged =
  | {
      readonly ok: true
      readonly request: Request
      readonly filter: Filter | undefined
      readonly making: TaskMaking | undefined
      readonly to: DenialTo
    }
  | { readonly ok: false; readonly response: Response }

/** INVARIANT: never rejects, and whatever is thrown inside is a denial. */
async function judge(door: Door, request: Request): Promise<Judged> {
  let to: DenialTo = { headers: new Map(), reading: undefined }
  try {
    const { read, knows, authorizer, gate } = door
    const { bytes, whole } = await readBody(request, read.maxBodyBytes)
    const headers = readHeaders(request.headers)
    const reading = readWhole({ method: request.method, headers, body: bytes }, whole, { read, knows })
    to = { headers, reading, options: door.denials, resource: door.protectedResource }
    const credential = credentialOf(headers, reading, read)
    const hold = gate && holdAgainst(gate, headers)
    const address = door.addressOf(request)
    const asked = { credential, reading, address, precondition: hold?.precondition }
    const outcome = await authorizer.authorize(asked)
    noteDeprecated(door, credential, outcome.decision.subject)
    if (!isAllowed(outcome, reading, hold)) return { ok: false, response: denialOf(outcome, to) }
    const making = makingFor(door, reading, outcome)
    const filtered = mayList(reading)
    const isRead = filtered || making !== undefined
    const carried = carriedRequest(request, { bytes, read, credential, filtered: isRead })
    const { decision, subject } = outcome
    door.admitted?.set(carried, { decision, caller: subject && callerIn(subject, credential) })
    const filter = filtered ? filterFor(door, { credential, reading, outcome, address }) : undefined
    return { ok: true, request: carried, filter, making, to }
  } catch (thrown) {
    return { ok: false, response: fault(door, thrown, to) }
  }
}

/**
 * Of a body beyond the limit, as much as was read is enough to find the fault that comes first; its length is not, as
 * only the sender knows it.
 */
function readWhole(
  request: HttpRequest,
  whole: boolean,
  { read, knows }: { readonly read: ReadOptions; readonly knows: DoorKnowledge },
): Reading {
  if (whole) return readHttp(request, knows, read)
  const headers = new Map([...request.headers].filter(([name]) => name !== 'content-length'))
  return readHttp({ ...request, headers }, knows, read)
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

/** Somebody without a name is told apart by what they came with. */
function callerIn(subject: Subject, credential: Credential): string | undefined {
  if (credential.kind === 'anonymous') return undefined
  return callerOf(subject) ?? ('values' in credential ? digestOf(['credential', ...credential.values]) : undefined)
}

function denialOf({ decision }: Outcome, to: DenialTo): Response {
  const [reason] = decision.reasons
  return reason === undefined ? refusal('policy_error', to) : denied(decision.id, reason, to)
}

function makingFor(door: Door, reading: Read, { subject }: Outcome): TaskMaking | undefined {
  const { tasks: bindings } = door
  if (bindings === undefined || subject === undefined) return undefined
  return taskMaking(reading, { bindings, subject, onUnbound: (thrown) => told(door, thrown) })
}

const nobody: ReadonlySet<string> = new Set()

/** How the lists in an answer are cut for whoever asked. */
export function filterFor(
  { authorizer, knows, read: { profile }, now }: Door,
  asked: {
    readonly credential: Credential
    readonly reading: Read
    readonly outcome: Outcome
    readonly address: string | undefined
  },
): Filter {
  const { credential, reading, outcome, address } = asked
  const { server, virtualServers, rpcId } = reading
  const ends = outcome.subject?.expiresAt
  return {
    visible: async (type, names) => {
      const asked = { credential, type, names, virtualServers, address, ...(server === undefined ? {} : { server }) }
      const seen = await authorizer.visible(asked)
      // Kuadrant's are listed where no claim speaks of tools, as everything else is then.
      const hasOwn = knows.brokerTools === true && profile === 'strict' && server === undefined
      if (!hasOwn || type !== 'tool') return seen
      const shown = new Set([...seen, ...brokerTools])
      return names.filter((name) => shown.has(name))
    },
    approved(type, items, seen) {
      // What everybody is shown, somebody without a name must not take from everybody.
      const by = credential.kind === 'anonymous' ? nobody : seen
      return authorizer.definitions?.approved({ type, server, items }, by) ?? items
    },
    maxTtlMs: ends === undefined ? undefined : Math.floor(ends * 1000 - now()),
    rpcId,
    brokerTool: namingToolIn(reading, server === undefined && (knows.brokerTools === true || profile === 'kuadrant')),
  }
}

/** A body that somebody parsed before is not the one that was judged: the handler parses for itself. */
function judgedBodyOnly<Rest extends readonly unknown[]>(rest: Rest): Rest {
  const kept = rest.map((argument) => {
    if (typeof argument !== 'object' || argument === null || !('parsedBody' in argument)) return argument
    const { parsedBody: _, ...others } = argument
    return others
  })
  return kept as unknown as Rest
}

function fault(door: Door, thrown: unknown, to: DenialTo): Response {
  told(door, thrown)
  return refusal('policy_error', to)
}

function told({ onFault }: Door, thrown: unknown): void {
  try {
    onFault('policy_error', textOf(thrown))
  } catch {
    // An answer is owed whatever becomes of the log.
  }
}
