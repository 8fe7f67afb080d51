import type { ReasonCode } from '../policy/decision.gen.ts'
import { categoryOf, messageOf, type ReasonCategory } from '../policy/reasons.ts'
import type { RpcId } from './reading.ts'

/** The HTTP statuses of a denial. Never 404: behind it a gateway drops the session. */
export type DenialStatus = 400 | 401 | 403 | 413 | 503

/** The part of a decision's reason that a client is told. */
export interface DenialReason {
  readonly code: ReasonCode
  readonly message: string
}

const statusOfCategory = {
  credential: 401,
  request: 400,
  policy: 403,
  service: 503,
} satisfies Record<ReasonCategory, DenialStatus>

const statusOfCode: ReadonlyMap<ReasonCode, DenialStatus> = new Map([['body_too_large', 413]])

/** JSON-RPC error codes of MCP's own (2026-07-28); the others repeat the status, outside the reserved range. */
const rpcCodeOfCode: ReadonlyMap<ReasonCode, number> = new Map([['header_mismatch', -32020]])

/** The HTTP status that a denial for this reason has. */
export function statusOf(code: ReasonCode): DenialStatus {
  return statusOfCode.get(code) ?? statusOfCategory[categoryOf(code)]
}

/**
 * The JSON body of a denial: a JSON-RPC error where the request had an id (repeated as it stood in the body),
 * otherwise an object of our own. `reason.message` must be fit for the client to see.
 */
export function denialBody(decisionId: string, reason: DenialReason, rpcId?: RpcId): string {
  const { code, message } = reason
  if (rpcId === undefined) return JSON.stringify({ error: code, message, decision_id: decisionId })
  const error = {
    code: rpcCodeOfCode.get(code) ?? statusOf(code),
    message,
    data: { reason: code, decision_id: decisionId },
  }
  return `{"jsonrpc":"2.0","id":${rpcId.text},"error":${JSON.stringify(error)}}`
}

/**
 * The value of WWW-Authenticate (RFC 6750 section 3), which names no error where no credential came. Undefined for
 * reasons that are not about the credential.
 */
export function challengeOf(code: ReasonCode): string | undefined {
  if (categoryOf(code) !== 'credential') return undefined
  return code === 'token_missing' ? 'Bearer' : `Bearer error="invalid_token", error_description="${messageOf(code)}"`
}
