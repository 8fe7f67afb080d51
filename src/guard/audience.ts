import {
  acknowledgedIn,
  declarationOf,
  isToldOf,
  type ListKind,
  listChanged,
  type Subscription,
} from '../mcp/list-changed.ts'
import { isObject } from '../mcp/message.ts'

/** Who on one line is to be told of what, as the messages say that go through it. */
export interface Audience {
  /** A message of the client. */
  received(message: unknown): void
  /** A message that is about to be sent; what is returned goes in its place. */
  sent(message: unknown): unknown
  /** What is to be sent where a list is another. */
  notices(kind: ListKind): readonly object[]
}

/** More subscriptions of one peer are not told. */
const maxSubscriptions = 1024

/**
 * Older versions are told of the kinds that the server declared, once or in `declared`; 2026-07-28 of those that it
 * acknowledged to each subscription.
 */
export function createAudience(declared: Iterable<ListKind> = []): Audience {
  const subscriptions = new Map<string, Subscription>()
  const kinds = new Set(declared)
  return {
    received(message) {
      if (!isObject(message) || message['method'] !== 'notifications/cancelled' || !isObject(message['params'])) return
      subscriptions.delete(JSON.stringify(message['params']['requestId']))
    },
    sent(message) {
      if (!isObject(message)) return message
      const acknowledged = acknowledgedIn(message)
      if (acknowledged !== undefined && subscriptions.size < maxSubscriptions) {
        subscriptions.set(JSON.stringify(acknowledged.id), acknowledged)
      }
      if (!isObject(message['result'])) return message
      subscriptions.delete(JSON.stringify(message['id']))
      const declaration = declarationOf(message)
      for (const kind of declaration?.kinds ?? []) kinds.add(kind)
      return declaration?.message ?? message
    },
    notices(kind) {
      const told = [...subscriptions.values()].filter((subscription) => isToldOf(subscription, kind))
      return [...(kinds.has(kind) ? [listChanged(kind)] : []), ...told.map((one) => listChanged(kind, one))]
    },
  }
}
