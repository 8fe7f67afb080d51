import { randomUUID } from 'node:crypto'
import { type DenialTo, denialMessage, type SessionSaid } from '../mcp/denial-form.ts'
import { isObject, own } from '../mcp/message.ts'
import type { Decision } from '../policy/decision.gen.ts'
import { messageOf } from '../policy/reasons.ts'
import type { InnerTransport } from './carrier.ts'

/** How the requests of one session are denied: as everywhere, by the message alone. */
export interface SessionDenials {
  /** A message that the server gets. */
  received(message: unknown): void
  /** A message that is about to be sent. */
  sent(message: unknown): void
  /** Answers every request among the messages; there is nobody to tell of the others. */
  refuse(messages: readonly unknown[], denied: Denied): void
}

/** Messages that came together, none of which reaches the server. */
export interface Denied {
  /** Undefined where none was made. */
  readonly decision: Pick<Decision, 'id' | 'reasons'> | undefined
  readonly to: DenialTo
}

/** Begins to listen to what client and server agree on: before 2026-07-28 `initialize` alone names client and version. */
export function createDenials(inner: InnerTransport): SessionDenials {
  let said: SessionSaid = {}
  let initializing: unknown
  return {
    received(message) {
      if (!isObject(message) || message['method'] !== 'initialize') return
      initializing = message['id']
      said = { clientName: clientNameIn(message['params']) }
    },
    sent(message) {
      if (initializing === undefined || !isObject(message) || message['id'] !== initializing) return
      if (Object.hasOwn(message, 'method')) return
      initializing = undefined
      const version = isObject(message['result']) ? message['result']['protocolVersion'] : undefined
      if (typeof version === 'string') said = { ...said, protocolVersion: version }
    },
    refuse(messages, { decision, to }) {
      const reason = decision?.reasons[0] ?? { code: 'policy_error', message: messageOf('policy_error') }
      const decisionId = decision?.id ?? randomUUID()
      for (const message of messages) {
        const id = isObject(message) && Object.hasOwn(message, 'method') ? message['id'] : undefined
        if (typeof id !== 'string' && typeof id !== 'number') continue
        const rpcId = { ...to.reading?.rpcId, text: JSON.stringify(id) }
        const denial: unknown = JSON.parse(denialMessage(decisionId, reason, { ...to, rpcId, session: said }))
        // Who has gone is not waiting.
        inner.send(denial, { relatedRequestId: id }).catch(() => undefined)
      }
    },
  }
}

function clientNameIn(params: unknown): string | undefined {
  const info = isObject(params) ? own(params, 'clientInfo') : undefined
  const name = isObject(info) ? own(info, 'name') : undefined
  return typeof name === 'string' ? name : undefined
}
