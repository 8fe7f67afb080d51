import { randomUUID } from 'node:crypto'
import { type ChallengedResource, challengeOf, denialBody, statusOf } from '../mcp/denial.ts'
import { unfilterableText } from '../mcp/list-filter.ts'
import type { RpcId } from '../mcp/reading.ts'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'
import { messageOf } from '../policy/reasons.ts'

/** What the guard answers for a decision that denies: status, challenge and body are those of every other door. */
export function denied(
  id: string,
  reason: Decision['reasons'][number],
  { rpcId, resource }: { readonly rpcId: RpcId | undefined; readonly resource?: ChallengedResource | undefined },
): Response {
  const challenge = challengeOf(reason, resource)
  return new Response(denialBody(id, reason, rpcId), {
    status: statusOf(reason.code),
    headers: { ...plain, ...(challenge === undefined ? {} : { 'www-authenticate': challenge }) },
  })
}

/** A denial that no authorizer made. */
export function refusal(code: ReasonCode, rpcId: RpcId | undefined): Response {
  return denied(randomUUID(), { code, message: messageOf(code) }, { rpcId })
}

/** What stands for an answer whose lists could not be cut. */
export function unfilterable(rpcId: RpcId | undefined): Response {
  return new Response(unfilterableText(rpcId), { status: 500, headers: plain })
}

const plain = { 'content-type': 'application/json', 'cache-control': 'no-store' }
