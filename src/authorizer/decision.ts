import { randomUUID } from 'node:crypto'
import type { Read, Reading } from '../mcp/reading.ts'
import type { DecidedResource, Decision, ReasonCode, Verdict } from '../policy/decision.gen.ts'
import { messageOf } from '../policy/reasons.ts'
import type { SubjectQuestion } from './verdicts.ts'

export type VirtualServers = readonly (string | null)[]

/** What is known of a decision before policy is asked. */
export type Known = Pick<Decision, 'action' | 'resource' | 'revision' | 'subject'>

/** Asks the policy about everything the request asks for: all of it or nothing, and the first denial is the answer. */
export function judge(
  decide: (question: Pick<SubjectQuestion, 'server' | 'action' | 'target'>) => Verdict,
  reading: Read,
  known: Known,
): Decision {
  const { server, asks, batch } = reading
  if (asks.length === 0) return denial('policy_error', known)
  let resource: DecidedResource = { type: 'server', ...(server === undefined ? {} : { server }) }
  for (const { action, target } of asks) {
    const verdict = decide({ server, action, target })
    if (!verdict.allow) {
      const reasons = verdict.reasons.map(({ code, required }) => ({
        code,
        message: messageOf(code),
        ...(required === undefined ? {} : { required }),
      }))
      return { id: randomUUID(), allow: false, reasons, ...known, action, resource: verdict.resource }
    }
    if (!batch) resource = verdict.resource
  }
  return { id: randomUUID(), allow: true, reasons: [], ...known, resource }
}

/** A denial for one reason, before or instead of policy. */
export function denial(code: ReasonCode, known: Known): Decision {
  const reasons = [{ code, message: messageOf(code) }]
  return { id: randomUUID(), allow: false, reasons, ...known }
}

/** The same decision, turned into a denial by what came after it. */
export function refused(decision: Decision, code: ReasonCode): Decision {
  return { ...decision, allow: false, reasons: [{ code, message: messageOf(code) }] }
}

/** The action a decision names; `batch` for several. */
export function actionOf(reading: Reading): string {
  if (!reading.ok) return reading.action
  return reading.batch ? 'batch' : (reading.asks[0]?.action ?? '')
}

/** What a decision is about, as far as the request says it: names are as the client wrote them. */
export function resourceOf(reading: Reading): DecidedResource {
  if (!reading.ok || reading.batch) return { type: 'server' }
  const target = reading.asks[0]?.target ?? { type: 'server' }
  const { server } = reading
  return {
    type: target.type,
    ...(server === undefined ? {} : { server }),
    ...('name' in target && target.name !== undefined ? { name: target.name } : {}),
  }
}

/** A method on the server as a whole, as a door would have read it. */
export function serverWide(action: string, virtualServers: VirtualServers): Read {
  return {
    ok: true,
    asks: [{ action, target: { type: 'server' } }],
    batch: false,
    virtualServers,
    brokerAnswers: true,
    withoutRemovals: false,
  }
}
