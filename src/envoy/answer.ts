import { randomUUID } from 'node:crypto'
import type { Outcome } from '../authorizer/attempt.ts'
import { type ChallengedResource, type DenialReason, statusOf } from '../mcp/denial.ts'
import { type DenialTo, denialForm } from '../mcp/denial-form.ts'
import type { DenialOptions } from '../mcp/denial-options.ts'
import { otherRemovedHeaders, removedHeaders } from '../mcp/internal-headers.ts'
import { mayList, namingToolIn } from '../mcp/list-filter.ts'
import type { HttpRequest, Reading, ReadOptions } from '../mcp/reading.ts'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'
import { messageOf, reasons } from '../policy/reasons.ts'
import { allowed, denied, type ReplyMetadata } from './check-response.ts'
import { type ListQuestion, listQuestionKey, writeListQuestion } from './list-question.ts'

/** What was asked, as far as the answer depends on it. */
export interface Asked {
  readonly profile: ReadOptions['profile']
  /** Kuadrant's wasm filter fails a request whose answer names any removal: only what is there is named then. */
  readonly headersOnly: boolean
  /** See `ReadOptions.authorizedTools`. */
  readonly authorizedTools?: boolean | undefined
  /** What a challenge names. */
  readonly protectedResource?: ChallengedResource | undefined
  /** How denials look. Default: explicit. */
  readonly denials?: DenialOptions | undefined
  /** The gateway's tokens were not looked at, or something speaks against them: nothing is allowed then. */
  readonly unheld?: boolean
  readonly request: HttpRequest
  readonly reading: Reading
  /** Say which answers may hold lists, and how they are to be cut. */
  readonly cutsLists?: boolean
  /** IP address of whoever opened the connection to Envoy. */
  readonly address?: string | undefined
}

/** The bytes of a CheckResponse. */
export interface Answer {
  readonly bytes: Buffer
  /** Set when the outcome could not be used and the answer is a denial made here instead. */
  readonly fault?: ReasonCode
}

/** Whether an allowed request carries the capability token on: to whoever lists, never to an upstream. */
export function wantsToken(profile: ReadOptions['profile'], reading: Reading): boolean {
  return profile === 'strict' || (reading.ok && reading.brokerAnswers)
}

/**
 * The answer to Envoy for what the authorizer decided. An outcome that is no decision, that allows what could not be
 * read, or that lacks the token it must carry, is answered with a denial.
 * @throws TypeError when the capability token cannot be a header value
 */
export function answer(outcome: Outcome, asked: Asked): Answer {
  if (!isDecision(outcome?.decision)) return { bytes: refusal('policy_error', asked), fault: 'policy_error' }
  const { decision, capabilityToken } = outcome
  const first = decision.reasons[0]
  if (first !== undefined) return { bytes: denialOf(decision, first, asked) }
  const fault = faultOf(asked, capabilityToken)
  if (fault !== undefined) return { bytes: refusal(fault, asked, decision.id), fault }
  const { headers, remove } = mutationsOf(asked, capabilityToken)
  const question = listQuestionOf(asked, outcome)
  if (question === undefined) return { bytes: allowed({ headers, remove, metadata: metadataOf(decision) }) }
  const metadata = { ...metadataOf(decision), [listQuestionKey]: writeListQuestion(question) }
  const route = ['x-mcp-authz-filter', question === 'none' ? 'none' : 'list'] as const
  return { bytes: allowed({ headers: [...headers, route], remove, metadata }) }
}

/** A denial that no authorizer made; `to` is absent where nothing could be read. */
export function refusal(code: ReasonCode, to?: DeniedTo, decisionId: string = randomUUID()): Buffer {
  const reason = { code, message: messageOf(code) }
  return denialOf({ id: decisionId, allow: false, revision: '', reasons: [reason] }, reason, to)
}

/** What the answer is to be filtered by, once it comes; undefined where nobody will. */
function listQuestionOf(
  { cutsLists, reading, address, profile }: Asked,
  { subject }: Outcome,
): ListQuestion | undefined {
  if (cutsLists !== true || !reading.ok) return undefined
  if (!mayList(reading)) return 'none'
  const { server, virtualServers, rpcId } = reading
  return {
    server,
    virtualServers,
    rpcId,
    address,
    brokerTool: namingToolIn(reading, profile === 'kuadrant' && server === undefined),
    expiresAt: subject?.expiresAt,
  }
}

/** Of what was asked, as much as the form of a denial depends on. */
type DeniedTo = Pick<Asked, 'request' | 'reading' | 'denials' | 'protectedResource'>

type Decided = Pick<Decision, 'id' | 'allow' | 'revision' | 'reasons' | 'subject'>

function denialOf(decision: Decided, reason: DenialReason, to: DeniedTo | undefined): Buffer {
  const { status: httpStatus, headers, body } = denialForm(decision.id, reason, formTo(to))
  const grpcCode = statusOf(reason.code) === 401 ? 16 : 7
  return denied({ httpStatus, grpcCode, headers, body, metadata: metadataOf(decision) })
}

function formTo(to: DeniedTo | undefined): DenialTo {
  if (to === undefined) return { headers: new Map(), reading: undefined }
  const { request, reading, denials, protectedResource } = to
  return { headers: request.headers, reading, options: denials, resource: protectedResource }
}

function metadataOf({ id, subject, revision, allow, reasons }: Decided): ReplyMetadata {
  return {
    decision_id: id,
    ...(subject === undefined ? {} : { subject }),
    revision,
    allow,
    reasons: reasons.map(({ code }) => code),
  }
}

function faultOf(asked: Asked, capabilityToken: string | undefined): ReasonCode | undefined {
  if (!asked.reading.ok || asked.unheld === true) return 'policy_error'
  if (!wantsToken(asked.profile, asked.reading)) return undefined
  return typeof capabilityToken === 'string' && capabilityToken !== '' ? undefined : 'mint_failed'
}

function mutationsOf(
  asked: Asked,
  capabilityToken: string | undefined,
): { headers: [string, string][]; remove: string[] } {
  const token = wantsToken(asked.profile, asked.reading) ? (capabilityToken ?? '') : undefined
  return {
    headers: token === undefined ? [] : [['x-mcp-authorized', token]],
    remove: asked.reading.ok && asked.reading.withoutRemovals ? [] : removalsOf(asked),
  }
}

/**
 * The `x-mcp-` names whether seen or not, since `disallowed_headers` of Envoy hides headers from the check alone. The
 * others only when seen: mutation rules that allow no more than `x-mcp-.*` turn naming them into an error.
 */
function removalsOf({ profile, headersOnly, authorizedTools, request }: Asked): string[] {
  const isThere = (name: string): boolean => request.headers.has(name)
  const removed = removedHeaders({ profile, method: request.method })
  return [
    ...(headersOnly ? removed.filter(isThere) : removed),
    ...otherRemovedHeaders({ authorizedTools }).filter(isThere),
  ]
}

/** The types say so already; the bytes that go out must not depend on it. */
function isDecision(decision: Decision | undefined): decision is Decision {
  if (typeof decision !== 'object' || decision === null) return false
  const { id, allow, revision, subject } = decision
  const strings = [id, revision, subject ?? ''].every((value) => typeof value === 'string')
  if (!strings || id === '' || !Array.isArray(decision.reasons)) return false
  return allow === (decision.reasons.length === 0) && decision.reasons.every(isReason)
}

function isReason(reason: Decision['reasons'][number]): boolean {
  return typeof reason?.message === 'string' && Object.hasOwn(reasons, reason.code)
}
