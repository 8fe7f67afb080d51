import type { ReasonCode } from '../policy/decision.gen.ts'
import { categoryOf, messageOf } from '../policy/reasons.ts'
import {
  type ChallengedResource,
  challengeOf,
  type DenialReason,
  type DenialStatus,
  denialBody,
  statusOf,
} from './denial.ts'
import { type DenialMode, type DenialOptions, explicitDenials, modeFor } from './denial-options.ts'
import { type Headers, protocolVersionOf } from './headers.ts'
import { unknownItem } from './hidden-item.ts'
import type { Ask, Reading, RpcId } from './reading.ts'

/** An HTTP answer that denies. */
export interface DenialForm {
  readonly status: DenialStatus | 200
  /** Lower-case names, each once; `content-type` among them. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** It is to look like the answer of the server behind the door: nothing may be added to it. */
  readonly hidden: boolean
}

/** What a session has said once, and later requests leave out. */
export interface SessionSaid {
  readonly clientName?: string | undefined
  readonly protocolVersion?: string | undefined
}

/** Whom a denial goes to. */
export interface DenialTo {
  readonly headers: Headers
  /** Undefined where it could not even be tried. */
  readonly reading: Reading | undefined
  /** Default: explicit for everybody. */
  readonly options?: DenialOptions | undefined
  /** What a challenge names. */
  readonly resource?: ChallengedResource | undefined
  /** What goes without saying, where the door has heard it. */
  readonly session?: SessionSaid | undefined
}

/** The one table of how denials look; every door sends what it says. Never throws. `reason.message` is fit for clients. */
export function denialForm(decisionId: string, reason: DenialReason, to: DenialTo): DenialForm {
  const { mode, options, asked } = chosenFor(to)
  const rpcId = to.reading?.rpcId
  if (rpcId === undefined) return explicitForm(decisionId, mode === 'hide' ? indistinct(reason) : reason, to)
  if (hasStatus(mode, reason)) return explicitForm(decisionId, reason, to)
  const hidden = mode === 'hide' ? hiddenText(reason, { ...asked, rpcId }, options) : undefined
  if (hidden !== undefined) return hiddenForm(hidden, { ...asked, rpcId }, options)
  return framed(openText(decisionId, reason, { ...asked, rpcId }, mode), to.headers)
}

/**
 * Of the same table the JSON-RPC message alone, for a door that can send nothing else; it has no status, so that those
 * forms that differ by theirs are one. `rpcId`: of the request that is answered, which may be one of a batch.
 */
export function denialMessage(decisionId: string, reason: DenialReason, to: DenialTo & { rpcId: RpcId }): string {
  const { rpcId, reading } = to
  const { mode, options, asked } = chosenFor(to)
  // Denied as a whole, a batch is answered in no server's words.
  const isBatch = reading?.ok === true && reading.batch
  if (isBatch) return denialBody(decisionId, mode === 'hide' ? indistinct(reason) : reason, rpcId)
  if (hasStatus(mode, reason)) return denialBody(decisionId, reason, rpcId)
  const hidden = mode === 'hide' ? hiddenText(reason, { ...asked, rpcId }, options) : undefined
  return hidden ?? openText(decisionId, reason, { ...asked, rpcId }, mode)
}

interface Asked {
  readonly rpcId: RpcId
  readonly ask: Ask | undefined
  readonly isModern: boolean
  readonly headers: Headers
  readonly session: string | undefined
}

interface Chosen {
  readonly mode: DenialMode
  readonly options: DenialOptions
  readonly asked: Omit<Asked, 'rpcId'>
}

function chosenFor({ headers, reading, options = explicitDenials, session }: DenialTo): Chosen {
  const version = reading?.ok === true ? reading.protocolVersion : protocolVersionOf(headers, undefined)
  const protocolVersion = version ?? session?.protocolVersion
  const clientName = reading?.clientName ?? session?.clientName
  const ask = reading?.ok === true ? reading.asks[0] : undefined
  const isModern = protocolVersion !== undefined && protocolVersion >= '2026-07-28'
  return {
    mode: modeFor(options, { headers, clientName, protocolVersion }),
    options,
    asked: { ask, isModern, headers, session: sessionIn(reading) },
  }
}

/**
 * Whether a denial keeps its own HTTP status. Without the 401 no client would log in again; MCP prescribes the 400 of
 * the two others, and clients of 2026-07-28 find out by it which version to speak.
 */
function hasStatus(mode: DenialMode, reason: DenialReason): boolean {
  const { code } = reason
  const category = categoryOf(code)
  if (mode === 'explicit' || category === 'credential') return true
  if (code === 'header_mismatch' || code === 'version_unsupported') return true
  if (mode === 'challenge') return challengeOf(reason) !== undefined
  return mode === 'hide' && category !== 'policy'
}

function explicitForm(decisionId: string, reason: DenialReason, { reading, resource }: DenialTo): DenialForm {
  const challenge = challengeOf(reason, resource)
  return {
    status: statusOf(reason.code, reading?.rpcId),
    headers: [['content-type', 'application/json'], ...(challenge === undefined ? [] : [authenticate(challenge)])],
    body: denialBody(decisionId, reason, reading?.rpcId),
    hidden: false,
  }
}

function authenticate(challenge: string): readonly [string, string] {
  return ['www-authenticate', challenge]
}

/** COAZ-MCP, draft 1: a denial, and a decision point that failed. What is wrong with a request keeps MCP's own codes. */
const coazCodes = { policy: -32001, service: -32603, request: undefined, credential: undefined } as const

/** A message that says the reason. */
function openText(decisionId: string, reason: DenialReason, asked: Asked, mode: DenialMode): string {
  if (mode === 'tool-result' && asked.ask?.action === 'tools/call') return resultText(decisionId, reason, asked)
  return denialBody(decisionId, reason, asked.rpcId, mode === 'coaz' ? coazCodes[categoryOf(reason.code)] : undefined)
}

function resultText(decisionId: string, { code, message }: DenialReason, { isModern, rpcId }: Asked): string {
  const text = `${message} (${code}, decision ${decisionId})`
  const result = { ...(isModern ? { resultType: 'complete' } : {}), content: [{ type: 'text', text }], isError: true }
  return `{"jsonrpc":"2.0","id":${rpcId.text},"result":${JSON.stringify(result)}}`
}

/** Reasons that are about an item being there for the caller at all; the others speak of what a caller can see. */
const hiding: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  'role_missing',
  'item_unknown',
  'item_ambiguous',
  'server_unknown',
  'server_disabled',
  'virtual_server_unknown',
  'virtual_server_excludes',
  'scope_missing',
  'credential_excludes',
])

/** What stands for a reason that is hidden, where no message of a server could: no item can be told from another by it. */
function indistinct(reason: DenialReason): DenialReason {
  return hiding.has(reason.code) ? { code: 'item_unknown', message: messageOf('item_unknown') } : reason
}

/** The message of a server that does not have the item; undefined where it is none, or not hidden. */
function hiddenText({ code }: DenialReason, asked: Asked, { hideLike }: DenialOptions): string | undefined {
  const { rpcId, ask, isModern } = asked
  return hiding.has(code) && ask !== undefined ? unknownItem(ask, rpcId, isModern ? 'v2' : hideLike.sdk) : undefined
}

function hiddenForm(body: string, { isModern, headers, session }: Asked, { hideLike }: DenialOptions): DenialForm {
  // The SDK answers errors of 2026-07-28 in JSON, and what came before in an event stream.
  const isStream = !isModern && !hideLike.json && accepts(headers, 'text/event-stream')
  const ofSession = session === undefined ? [] : [['mcp-session-id', session] as const]
  const own: DenialForm['headers'] = isStream
    ? [
        ['content-type', 'text/event-stream'],
        ['cache-control', 'no-cache, no-transform'],
        ['x-accel-buffering', 'no'],
      ]
    : [['content-type', 'application/json']]
  return { status: 200, headers: [...own, ...ofSession], body: isStream ? eventOf(body) : body, hidden: true }
}

/** The session that a server repeats; of what no server would name one by (2025-11-25, transports) nothing is repeated. */
function sessionIn(reading: Reading | undefined): string | undefined {
  const session = reading?.ok === true ? reading.session : undefined
  return session !== undefined && /^[\x21-\x7e]+$/.test(session) ? session : undefined
}

/** In JSON, but for a client that accepts nothing but an event stream. */
function framed(body: string, headers: Headers): DenialForm {
  const isStream = !accepts(headers, 'application/json') && accepts(headers, 'text/event-stream')
  const type = isStream ? 'text/event-stream' : 'application/json'
  return { status: 200, headers: [['content-type', type]], body: isStream ? eventOf(body) : body, hidden: false }
}

/** No line break stands in JSON text outside of white space, and there is none. */
function eventOf(message: string): string {
  return `event: message\ndata: ${message}\n\n`
}

/** Whether Accept admits a media type (RFC 9110 section 12.5.1), as far as a choice between two needs it. */
function accepts(headers: Headers, type: 'application/json' | 'text/event-stream'): boolean {
  const values = headers.get('accept') ?? []
  if (values.length === 0) return true
  const [kind] = type.split('/')
  const ranges = values.join(',').toLowerCase().split(',')
  return ranges.some((range) => {
    const [name = '', ...params] = range.split(';').map((part) => part.trim())
    const isRefused = params.some((param) => /^q=0(?:\.0*)?$/.test(param))
    return !isRefused && [type, `${kind}/*`, '*/*'].includes(name)
  })
}
