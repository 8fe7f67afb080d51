import { randomUUID } from 'node:crypto'
import type { Read, Reading } from '../mcp/reading.ts'
import type { DecidedResource, Decision, PolicyReason, Reason, ReasonCode, Verdict } from '../policy/decision.gen.ts'
import { messageOf } from '../policy/reasons.ts'
import { smallestCure } from './scopes.ts'
import type { SubjectQuestion } from './verdicts.ts'

export type VirtualServers = readonly (string | null)[]

/** What is known of a decision before policy is asked. */
export type Known = Pick<Decision, 'action' | 'resource' | 'revision' | 'subject'>

/**
 * Asks the policy about everything the request asks for: all of it or nothing. The first denial that no OAuth scope
 * would cure is the answer; where more scope would cure every one, it is `scope_missing` with the scopes for all of them.
 */
export function judge(
  decide: (question: Pick<SubjectQuestion, 'server' | 'action' | 'target'>) => Verdict,
  reading: Read,
  known: Known,
): Decision {
  const { server, asks, batch } = reading
  if (asks.length === 0) return denial('policy_error', known)
  let resource: DecidedResource = { type: 'server', ...(server === undefined ? {} : { server }) }
  let conditions: Conditions = {}
  const curable: Denied[] = []
  for (const { action, target } of asks) {
    const verdict = decide({ server, action, target })
    const denied = { action, resource: verdict.resource, reasons: verdict.reasons, ...conditionsOf(verdict) }
    if (!verdict.allow && !isCurable(denied)) return denialOf(denied, known)
    if (!verdict.allow) curable.push(denied)
    else if (!batch) [resource, conditions] = [verdict.resource, conditionsOf(verdict)]
  }
  const [first] = curable
  if (first !== undefined) return denialOf({ ...first, reasons: [together(curable)] }, known)
  return { id: randomUUID(), allow: true, reasons: [], ...known, resource, ...conditions }
}

type Conditions = Pick<Verdict, 'conditions'>

function conditionsOf({ conditions }: Verdict): Conditions {
  return conditions === undefined ? {} : { conditions }
}

interface Denied extends Conditions {
  readonly action: string
  readonly resource: DecidedResource
  readonly reasons: readonly PolicyReason[]
}

function isCurable({ reasons }: Denied): boolean {
  return reasons.every(({ code, scope_choices: choices }) => code === 'scope_missing' && choices !== undefined)
}

function together(denied: readonly Denied[]): PolicyReason {
  const reasons = denied.flatMap((each) => each.reasons)
  return { code: 'scope_missing', scope_choices: reasons.flatMap(({ scope_choices: choices = [] }) => choices) }
}

function denialOf({ reasons, ...about }: Denied, known: Known): Decision {
  return { id: randomUUID(), allow: false, reasons: reasons.map(reasonOf), ...known, ...about }
}

function reasonOf({ code, required, scope_choices: choices }: PolicyReason): Reason {
  const reason = { code, message: messageOf(code) }
  if (choices === undefined) return { ...reason, ...(required === undefined ? {} : { required }) }
  const scopes = [...smallestCure(choices)]
  return { ...reason, required: `scope ${scopes.join(' ')}`, scopes }
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
