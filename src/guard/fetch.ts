import type { Outcome } from '../authorizer/attempt.ts'
import { callerOf, digestOf } from '../authorizer/caller.ts'
import { holdAgainst } from '../gateway/gate.ts'
import type { Credential, Subject } from '../identity/subject.ts'
import type { DenialTo } from '../mcp/denial-form.ts'
import { type Filter, mayList, namingToolIn } from '../mcp/list-filter.ts'
import { brokerTools } from '../mcp/methods.ts'
import type { DoorKnowledge, HttpRequest, Read, Reading, ReadOptions } from '../mcp/reading.ts'
import { readHttp } from '../mcp/request.ts'
import { textOf } from '../policy/errors.ts'
import { readBody } from './body.ts'
import { credentialOf } from './credential.ts'
import { withDeclaration } from './declared.ts'
import { type Door, isAllowed, noteDeprecated } from './door.ts'
import { filterResponse } from './filter.ts'
import { carriedRequest, readHeaders } from './headers.ts'
import { denied, refusal } from './refusal.ts'
import { mayLast, type StreamAsked, watchedResponse } from './streams.ts'
import { type TaskMaking, taskMaking, withBoundTask } from './tasks.ts'

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
    try {
      return await answerOf(door, response, judged)
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
      /** The stream that the answer may be. */
      readonly stream: StreamAsked | undefined
      /** A session begins. */
      readonly begins: boolean
      readonly to: DenialTo
    }
  | { readonly ok: false; readonly response: Response }

async function answerOf(
  door: Door,
  response: Response,
  { filter, making, stream, begins }: Extract<Judged, { ok: true }>,
): Promise<Response> {
  if (making !== undefined) return await withBoundTask(response, making)
  if (begins) return await withDeclaration(response, door.declared)
  if (filter === undefined) return response
  const filtered = await filterResponse(response, filter)
  return stream === undefined ? filtered : await watchedResponse(door, filtered, stream)
}

/** INVARIANT: never rejects, and whatever is thrown inside is a denial. */
async function judge(door: Door, request: Request): Promise<Judged> {
  let to: DenialTo = { headers: new Map(), reading: undefined }
  try {
    const { read, knows, authorizer, gate } = door
    // First: a connection whose body is not read to its end may be gone by then, and its address with it.
    const address = door.addressOf(request)
    const { bytes, whole } = await readBody(request, read.maxBodyBytes)
    const headers = readHeaders(request.headers)
    const reading = readWhole({ method: request.method, headers, body: bytes }, whole, { read, knows })
    to = { headers, reading, options: door.denials, resource: door.protectedResource }
    const credential = credentialOf(headers, reading, read)
    const hold = gate && holdAgainst(gate, headers)
    const asked = { credential, reading, address, precondition: hold?.precondition }
    const outcome = await authorizer.authorize(asked)
    noteDeprecated(door, credential, outcome.decision.subject)
    if (!isAllowed(outcome, reading, hold)) return { ok: false, response: denialOf(outcome, to) }
    const making = makingFor(door, reading, outcome)
    const lasts = mayLast(reading)
    const filtered = mayList(reading) || lasts
    const begins = reading.asks.some(({ action }) => action === 'initialize')
    const isRead = filtered || begins || making !== undefined
    const carried = carriedRequest(request, { bytes, read, credential, filtered: isRead })
    const { decision, subject } = outcome
    door.admitted?.set(carried, { decision, caller: subject && callerIn(subject, credential) })
    const filter = filtered ? filterFor(door, { credential, reading, outcome, address }) : undefined
    const stream = lasts ? { credential, reading, address, signal: request.signal } : undefined
    return { ok: true, request: carried, filter, making, stream, begins, to }
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
