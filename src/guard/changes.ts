import { isDeepStrictEqual } from 'node:util'
import type { Outcome } from '../authorizer/attempt.ts'
import type { Credential } from '../identity/subject.ts'
import { isObject } from '../mcp/message.ts'
import type { Read } from '../mcp/reading.ts'
import type { Capabilities } from '../policy/decision.gen.ts'
import type { InnerTransport } from './carrier.ts'
import type { Door } from './fetch.ts'

/** Looks for what a peer may use otherwise than before, and tells it. */
export interface Changes {
  /** A message that was allowed, and whose it is. */
  received(message: unknown, asked: Asked): void
  /** A message that is about to be sent; what is returned goes in its place. */
  sent(message: unknown): unknown
  close(): void
}

/** Who came last, and how. */
export interface Asked {
  readonly credential: Credential
  readonly reading: Read
  readonly address: string | undefined
  readonly outcome: Outcome
}

/** What a notification says has changed, and where that shows. */
const kinds = {
  tools: { flag: 'toolsListChanged', shows: ['tools'] },
  prompts: { flag: 'promptsListChanged', shows: ['prompts'] },
  resources: { flag: 'resourcesListChanged', shows: ['resources', 'templates'] },
} as const satisfies Record<string, { readonly flag: string; readonly shows: readonly (keyof Capabilities)[] }>

type Kind = keyof typeof kinds

/** Key of `_meta` that names a subscription (2026-07-28, `subscriptions/listen`). */
const subscriptionKey = 'io.modelcontextprotocol/subscriptionId'

/** More subscriptions of one peer are not told. */
const maxSubscriptions = 1024

const nothing: Capabilities = { tools: {}, prompts: {}, resources: {}, templates: {} }

/**
 * Compares, every so often, what whoever came last may use with what it was, whatever the cause of a change: data, policy,
 * a revocation, the end of the credential. Older versions are told once they are initialized, 2026-07-28 by its
 * subscriptions alone.
 */
export function watchChanges(door: Door, inner: InnerTransport, everyMs: number): Changes {
  const audience = createAudience(inner)
  let last: Asked | undefined
  let before: Capabilities | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  async function look(): Promise<void> {
    const asked = last
    if (asked === undefined) return
    const { credential, reading, address } = asked
    const outcome = await door.authorizer.capabilities(credential, reading.virtualServers, address)
    const now = outcome.ok ? outcome.capabilities : nothing
    // Whoever else came meanwhile is compared with itself.
    if (last === undefined || !isSamePeer(asked, last) || isClosed) return
    const changed = before === undefined ? [] : changedKinds(before, now)
    before = now
    for (const kind of changed) await audience.tell(kind)
  }

  /** One look after the other, however long one takes. */
  function schedule(): void {
    timer = setTimeout(async () => {
      // A peer that is gone is not told; the next look tells those that are there.
      await look().catch(() => undefined)
      if (!isClosed) schedule()
    }, everyMs)
    timer.unref()
  }

  return {
    received(message, asked) {
      audience.received(message)
      const isSame = last !== undefined && isSamePeer(last, asked)
      last = asked
      // Of the same person with another token the list is still the one that was shown.
      if (isSame) return
      before = undefined
      // What it may use now is what a change is measured by.
      void look().catch(() => undefined)
      if (timer === undefined && !isClosed) schedule()
    },
    sent: audience.sent,
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}

interface Subscription {
  readonly id: unknown
  readonly flags: Readonly<Record<string, unknown>>
}

/** Who is to be told of what. */
interface Audience extends Pick<Changes, 'sent'> {
  received(message: unknown): void
  tell(kind: Kind): Promise<void>
}

function createAudience(inner: InnerTransport): Audience {
  const subscriptions = new Map<string, Subscription>()
  const declared = new Set<Kind>()
  return {
    received(message) {
      if (!isObject(message) || message['method'] !== 'notifications/cancelled' || !isObject(message['params'])) return
      subscriptions.delete(JSON.stringify(message['params']['requestId']))
    },
    sent(message) {
      if (!isObject(message)) return message
      const acknowledged = subscriptionIn(message)
      if (acknowledged !== undefined && subscriptions.size < maxSubscriptions) {
        subscriptions.set(JSON.stringify(acknowledged.id), acknowledged)
      }
      if (!isObject(message['result'])) return message
      subscriptions.delete(JSON.stringify(message['id']))
      return withListChanged(message, message['result'], declared)
    },
    async tell(kind) {
      const method = `notifications/${kind}/list_changed`
      if (declared.has(kind)) await inner.send({ jsonrpc: '2.0', method })
      for (const { id, flags } of subscriptions.values()) {
        if (flags[kinds[kind].flag] !== true) continue
        await inner.send({ jsonrpc: '2.0', method, params: { _meta: { [subscriptionKey]: id } } })
      }
    },
  }
}

function isSamePeer(one: Asked, other: Asked): boolean {
  const [first, second] = [one, other].map(({ outcome, reading }) => [outcome.subject?.id, reading.virtualServers])
  return isDeepStrictEqual(first, second)
}

function changedKinds(before: Capabilities, now: Capabilities): readonly Kind[] {
  return (Object.keys(kinds) as Kind[]).filter((kind) =>
    kinds[kind].shows.some((shown) => !isDeepStrictEqual(before[shown], now[shown])),
  )
}

/** What the server has agreed to tell under a subscription. */
function subscriptionIn(message: Readonly<Record<string, unknown>>): Subscription | undefined {
  const params = message['params']
  if (message['method'] !== 'notifications/subscriptions/acknowledged' || !isObject(params)) return undefined
  const { _meta: meta, notifications: flags } = params
  return isObject(meta) && isObject(flags) ? { id: meta[subscriptionKey], flags } : undefined
}

/** The answer to `initialize` says what will be told: clients that are told of none do not listen. */
function withListChanged(
  message: Readonly<Record<string, unknown>>,
  result: Readonly<Record<string, unknown>>,
  declared: Set<Kind>,
): unknown {
  const { capabilities } = result
  if (typeof result['protocolVersion'] !== 'string' || !isObject(capabilities)) return message
  const told: Record<string, unknown> = { ...capabilities }
  for (const kind of Object.keys(kinds) as Kind[]) {
    const capability = capabilities[kind]
    if (!isObject(capability)) continue
    declared.add(kind)
    told[kind] = { ...capability, listChanged: true }
  }
  return { ...message, result: { ...result, capabilities: told } }
}
