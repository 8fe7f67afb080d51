import { isDeepStrictEqual } from 'node:util'
import type { Capabilities } from '../policy/decision.gen.ts'
import { isObject } from './message.ts'

/** What a notification says has changed, and where that shows. */
const kinds = {
  tools: { flag: 'toolsListChanged', shows: ['tools'] },
  prompts: { flag: 'promptsListChanged', shows: ['prompts'] },
  resources: { flag: 'resourcesListChanged', shows: ['resources', 'templates'] },
} as const satisfies Record<string, { readonly flag: string; readonly shows: readonly (keyof Capabilities)[] }>

/** A kind of list that clients are told of when it is another. */
export type ListKind = keyof typeof kinds

const listKinds = Object.keys(kinds) as readonly ListKind[]

/** Key of `_meta` that names a subscription (2026-07-28, `subscriptions/listen`). */
export const subscriptionKey = 'io.modelcontextprotocol/subscriptionId'

/** What a server has agreed to tell under a subscription. */
export interface Subscription {
  readonly id: unknown
  readonly flags: Readonly<Record<string, unknown>>
}

/** The kinds whose lists are others now, by what somebody may use. */
export function changedKinds(before: Capabilities, now: Capabilities): readonly ListKind[] {
  return listKinds.filter((kind) => kinds[kind].shows.some((shown) => !isDeepStrictEqual(before[shown], now[shown])))
}

/** The notification that a list is another, under a subscription where there is one. */
export function listChanged(kind: ListKind, subscription?: Subscription): Readonly<Record<string, unknown>> {
  const message = { jsonrpc: '2.0', method: `notifications/${kind}/list_changed` }
  return subscription === undefined
    ? message
    : { ...message, params: { _meta: { [subscriptionKey]: subscription.id } } }
}

export function isToldOf({ flags }: Subscription, kind: ListKind): boolean {
  return flags[kinds[kind].flag] === true
}

/** The subscription that a message acknowledges; undefined for every other message. */
export function acknowledgedIn(message: Readonly<Record<string, unknown>>): Subscription | undefined {
  const params = message['params']
  if (message['method'] !== 'notifications/subscriptions/acknowledged' || !isObject(params)) return undefined
  const { _meta: meta, notifications: flags } = params
  return isObject(meta) && isObject(flags) ? { id: meta[subscriptionKey], flags } : undefined
}

/** An answer to `initialize` that says what will be told: clients that are told of none do not listen. */
export interface Declaration {
  readonly message: Readonly<Record<string, unknown>>
  /** The kinds of list that the server has. */
  readonly kinds: readonly ListKind[]
}

/** What is sent in place of an answer to `initialize`; undefined for every other message. */
export function declarationOf(message: Readonly<Record<string, unknown>>): Declaration | undefined {
  const result = message['result']
  if (!isObject(result) || typeof result['protocolVersion'] !== 'string') return undefined
  const { capabilities } = result
  if (!isObject(capabilities)) return undefined
  const declared = listKinds.filter((kind) => isObject(capabilities[kind]))
  const told = declared.map((kind) => [kind, { ...Object(capabilities[kind]), listChanged: true }] as const)
  return {
    message: { ...message, result: { ...result, capabilities: { ...capabilities, ...Object.fromEntries(told) } } },
    kinds: declared,
  }
}
