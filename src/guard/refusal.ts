import { randomUUID } from 'node:crypto'
import { type DenialTo, denialForm } from '../mcp/denial-form.ts'
import { unfilterableText } from '../mcp/list-filter.ts'
import type { RpcId } from '../mcp/reading.ts'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'
import { messageOf } from '../policy/reasons.ts'

/** What the guard answers for a decision that denies: status, challenge and body are those of every other door. */
export function denied(id: string, reason: Decision['reasons'][number], to: DenialTo): Response {
  const { status, headers, body, hidden } = denialForm(id, reason, to)
  return new Response(body, { status, headers: { ...(hidden ? {} : unkept), ...Object.fromEntries(headers) } })
}

/** A denial that no authorizer made. */
export function refusal(code: ReasonCode, to: DenialTo): Response {
  return denied(randomUUID(), { code, message: messageOf(code) }, to)
}

/** What stands for an answer whose lists could not be cut. */
export function unfilterable(rpcId: RpcId | undefined): Response {
  return new Response(unfilterableText(rpcId), { status: 500, headers: plain })
}

const unkept = { 'cache-control': 'no-store' }
const plain = { 'content-type': 'application/json', ...unkept }
