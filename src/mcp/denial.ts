import type { ReasonCode } from '../policy/decision.gen.ts'
import { categoryOf, messageOf, type ReasonCategory } from '../policy/reasons.ts'
import { publishedVersions, tasksExtension } from './methods.ts'
import { metadataAddress, type ProtectedResource, scopeTokens } from './protected-resource.ts'
import type { RpcId } from './reading.ts'

/**
 * The HTTP statuses of a denial. 404 only where 2026-07-28 demands it, which has no sessions: behind it a client or
 * gateway of an older version drops the session.
 */
export type DenialStatus = 400 | 401 | 403 | 404 | 413 | 429 | 503

/** The part of a decision's reason that a client is told. */
export interface DenialReason {
  readonly code: ReasonCode
  readonly message: string
  /** OAuth scopes that would cure it. */
  readonly scopes?: readonly string[]
}

const statusOfCategory = {
  credential: 401,
  request: 400,
  policy: 403,
  service: 503,
} satisfies Record<ReasonCategory, DenialStatus>

const statusOfCode: ReadonlyMap<ReasonCode, DenialStatus> = new Map([
  ['body_too_large', 413],
  ['usage_exceeded', 429],
])

/** JSON-RPC error codes of MCP's own (2026-07-28); the others repeat the status, outside the reserved range. */
const rpcCodeOfCode: ReadonlyMap<ReasonCode, number> = new Map([
  ['header_mismatch', -32020],
  ['version_unsupported', -32022],
])

/** What a client needs to choose another version (UnsupportedProtocolVersionError of 2026-07-28). */
function versionsOf(code: ReasonCode, { version, unsupportedVersion = '' }: RpcId): object {
  if (code !== 'version_unsupported') return {}
  // Whoever names a version in `_meta` looks for another one that is named there.
  const supported = version === undefined ? publishedVersions : modernVersions
  return { supported, requested: unsupportedVersion }
}

/** Versions without sessions, which requests name in `_meta`. */
const modernVersions = publishedVersions.filter((version) => version >= '2026-07-28')

/** The code that 2026-07-28 has for an unknown method, under HTTP 404 (streamable HTTP, "unknown methods"). */
function modernCodeOf(code: ReasonCode, { version }: RpcId): number | undefined {
  return code === 'method_unknown' && version !== undefined ? -32601 : undefined
}

/**
 * The code for a task that does not exist (2025-11-25, SEP-2663). A client that does not declare tasks is told to (under
 * HTTP 400), as the server tells it for a task that does exist.
 */
function taskCodeOf(code: ReasonCode, { tasks }: RpcId): number | undefined {
  if (code !== 'item_unknown' || tasks === undefined) return undefined
  return tasks === 'declared' ? -32602 : missingCapability
}

const missingCapability = -32021

/** What a client needs to declare (MissingRequiredClientCapabilityError of 2026-07-28). */
function capabilitiesOf(code: ReasonCode, rpcId: RpcId): object {
  if (taskCodeOf(code, rpcId) !== missingCapability) return {}
  return { requiredCapabilities: { extensions: { [tasksExtension]: {} } } }
}

/** The HTTP status that a denial for this reason has. */
export function statusOf(code: ReasonCode, rpcId?: RpcId): DenialStatus {
  if (code === 'method_unknown' && rpcId?.version !== undefined) return 404
  if (rpcId !== undefined && taskCodeOf(code, rpcId) === missingCapability) return 400
  return statusOfCode.get(code) ?? statusOfCategory[categoryOf(code)]
}

/** A code that MCP has for what the reason says. */
function ownCodeOf(code: ReasonCode, rpcId: RpcId): number | undefined {
  return modernCodeOf(code, rpcId) ?? taskCodeOf(code, rpcId) ?? rpcCodeOfCode.get(code)
}

/**
 * The JSON body of a denial: a JSON-RPC error where the request had an id (repeated as it stood in the body),
 * otherwise an object of our own. `reason.message` must be fit for the client to see. `rpcCode` replaces the code of
 * that error.
 */
export function denialBody(decisionId: string, reason: DenialReason, rpcId?: RpcId, rpcCode?: number): string {
  const { code, message } = reason
  if (rpcId === undefined) return JSON.stringify({ error: code, message, decision_id: decisionId })
  const error = {
    code: rpcCode ?? ownCodeOf(code, rpcId) ?? statusOf(code),
    message,
    data: { reason: code, decision_id: decisionId, ...versionsOf(code, rpcId), ...capabilitiesOf(code, rpcId) },
  }
  return `{"jsonrpc":"2.0","id":${rpcId.text},"error":${JSON.stringify(error)}}`
}

/** What challenges name of the protected resource. */
export type ChallengedResource = Pick<ProtectedResource, 'resource' | 'scopesSupported'>

/**
 * The value of WWW-Authenticate: RFC 6750 section 3, with `resource_metadata` (RFC 9728 section 5.1) and `scope` where
 * the protected resource is known. Undefined for what neither another token nor more scope would cure.
 */
export function challengeOf(reason: DenialReason, resource?: ChallengedResource): string | undefined {
  const metadata = resource?.resource === undefined ? undefined : metadataAddress(resource.resource)
  if (categoryOf(reason.code) === 'credential') {
    const scope = scopeTokens(resource?.scopesSupported ?? []).join(' ')
    return bearerWith([...errorOf(reason.code), ['resource_metadata', metadata], ['scope', scope]])
  }
  const scope = reason.code === 'scope_missing' ? scopeTokens(reason.scopes ?? []).join(' ') : ''
  if (scope === '') return undefined
  return bearerWith([
    ['error', 'insufficient_scope'],
    ['scope', scope],
    ['resource_metadata', metadata],
    ['error_description', messageOf(reason.code)],
  ])
}

type AuthParam = readonly [name: string, value: string | undefined]

/** Reasons where the token itself is not at fault: none came, or it is the gateway's session that is bad. */
const faultless: ReadonlySet<ReasonCode> = new Set(['token_missing', 'session_invalid'])

// RFC 6750 section 3.1: no error is named where no credential came.
function errorOf(code: ReasonCode): AuthParam[] {
  if (faultless.has(code)) return []
  return [
    ['error', 'invalid_token'],
    ['error_description', messageOf(code)],
  ]
}

function bearerWith(params: readonly AuthParam[]): string {
  const said = params.filter(([, value]) => value !== undefined && value !== '')
  return ['Bearer', said.map(([name, value = '']) => `${name}=${quotedString(value)}`).join(', ')].join(' ').trimEnd()
}

// RFC 9110 section 5.6.4. Nothing beyond ASCII: readers disagree about it, and what ends a header must not be in one.
function quotedString(value: string): string {
  return `"${value.replace(/[^\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`
}
