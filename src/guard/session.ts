import type { Outcome } from '../authorizer/attempt.ts'
import { holdAgainst } from '../gateway/gate.ts'
import type { Credential } from '../identity/subject.ts'
import type { DenialTo } from '../mcp/denial-form.ts'
import type { Headers as ReadHeaders } from '../mcp/headers.ts'
import { type Filter, filteredMessage, mayList, unfilterableText } from '../mcp/list-filter.ts'
import { isObject } from '../mcp/message.ts'
import type { Read, Reading, ReadOptions, RpcId } from '../mcp/reading.ts'
import { readHttp } from '../mcp/request.ts'
import { textOf } from '../policy/errors.ts'
import { carrierOf, headersIn, type InnerTransport, withoutInternal } from './carrier.ts'
import { watchChanges } from './changes.ts'
import { credentialOf, type GuardCredential, presented } from './credential.ts'
import { type Door, isAllowed, noteDeprecated } from './door.ts'
import { filterFor } from './fetch.ts'
import { readHeaders } from './headers.ts'
import { createDenials, type Denied } from './session-denials.ts'

/** How one transport is guarded. */
export interface TransportGuardOptions {
  /**
   * Whose messages they are, where no HTTP request carries them (stdio): asked anew for every message, so that a token
   * may be replaced; the same one ends when it expires or is revoked. Default: the headers of the HTTP request.
   */
  readonly credential?: GuardCredential | (() => GuardCredential | Promise<GuardCredential>)
  /** IP address of whoever sends, as the caller knows it. */
  readonly address?: string
  /** See `GuardPlace.changesEveryMs`, which is the default. */
  readonly changesEveryMs?: number
}

/** The messages of one transport, both ways. */
export interface Session {
  /** What the transport is to call for every message; `deliver` gets those that are allowed, in order. */
  receiver(deliver: (message: unknown, extra?: unknown) => void): (message: unknown, extra?: unknown) => void
  /** Sends what a server says, with its lists cut. */
  readonly send: (message: unknown, options?: unknown) => Promise<void>
  close(): void
}

type Options = TransportGuardOptions & { readonly changesEveryMs: number }

/** Messages that came together, and are allowed or denied together. */
interface Batch {
  readonly carrier: object | undefined
  readonly messages: unknown[]
  readonly extras: unknown[]
}

interface Allowed {
  readonly allowed: true
  readonly credential: Credential
  readonly reading: Read
  readonly outcome: Outcome
  readonly address: string | undefined
}

type Judged = Allowed | ({ readonly allowed: false } & Denied)

/** Begins to guard the messages of a transport. */
export function createSession(door: Door, inner: InnerTransport, options: Options): Session {
  const filters = new Map<string, Filter | undefined>()
  const changes = watchChanges(door.lookout, inner, options.changesEveryMs)
  const denials = createDenials(inner)
  let delivered: Promise<void> = Promise.resolve()
  let gathering: Batch | undefined

  async function decide(batch: Batch, deliver: (message: unknown, extra?: unknown) => void): Promise<() => void> {
    // A copy is judged and delivered: what came may be changed meanwhile.
    const text = JSON.stringify(batch.messages.length === 1 ? batch.messages[0] : batch.messages)
    const judged = await judge(door, { text, extra: batch.extras[0], options })
    if (!judged.allowed) return () => denials.refuse(batch.messages, judged)
    const parsed: unknown = JSON.parse(text)
    const messages = batch.messages.length === 1 ? [parsed] : (parsed as readonly unknown[])
    return () => {
      messages.forEach((message, at) => {
        remember(door, filters, message, judged)
        changes.received(message, judged)
        denials.received(message)
        deliver(message, withoutInternal(batch.extras[at], door.read))
      })
    }
  }

  function settle(batch: Batch, deliver: (message: unknown, extra?: unknown) => void): void {
    gathering = undefined
    const deciding = decide(batch, deliver).catch((thrown: unknown) => {
      tell(door, thrown)
      return () => denials.refuse(batch.messages, { decision: undefined, to: unread(door) })
    })
    // One after the other: a cancellation must not overtake what it cancels.
    delivered = delivered.then(async () => (await deciding)()).catch((thrown: unknown) => tell(door, thrown))
  }

  return {
    receiver: (deliver) => (message, extra) => {
      const carrier = carrierOf(extra)
      if (gathering !== undefined && carrier !== undefined && gathering.carrier === carrier) {
        gathering.messages.push(message)
        gathering.extras.push(extra)
        return
      }
      const batch: Batch = { carrier, messages: [message], extras: [extra] }
      gathering = batch
      // The SDKs hand over the messages of a batch one after the other, without a pause.
      queueMicrotask(() => settle(batch, deliver))
    },
    async send(message, sendOptions) {
      if (isUnasked(message, sendOptions) && !changes.stands()) return
      const allowed = await outgoing(filters, message)
      denials.sent(allowed)
      await inner.send(changes.sent(allowed), sendOptions)
    },
    close: () => changes.close(),
  }
}

/** Whether a server says something by itself. What it says on its way to an answer belongs to a call, which may finish. */
function isUnasked(message: unknown, options: unknown): boolean {
  const { relatedRequestId } = Object(options) as { relatedRequestId?: unknown }
  return isObject(message) && Object.hasOwn(message, 'method') && relatedRequestId === undefined
}

/** INVARIANT: never rejects, and whatever is thrown inside is a denial. */
async function judge(
  door: Door,
  { text, extra, options }: { readonly text: string; readonly extra: unknown; readonly options: Options },
): Promise<Judged> {
  let to = unread(door)
  try {
    const { read, knows, authorizer, gate } = door
    const headers = readableHeaders(headersIn(extra))
    // Answers are not read for tasks here, so that none would ever be bound to who made it.
    const without = { ...knows, tasks: false }
    const reading = readHttp({ method: 'POST', headers, body: Buffer.from(text) }, without, read)
    to = { ...to, headers, reading }
    const credential = await credentialFor(options, { headers, reading, read })
    const address = options.address ?? addressOf(door, extra)
    const hold = gate && holdAgainst(gate, headers)
    const outcome = await authorizer.authorize({ credential, reading, address, precondition: hold?.precondition })
    const { decision } = outcome
    noteDeprecated(door, credential, decision.subject)
    if (!isAllowed(outcome, reading, hold)) return { allowed: false, decision, to }
    return { allowed: true, credential, reading, outcome, address }
  } catch (thrown) {
    tell(door, thrown)
    return { allowed: false, decision: undefined, to }
  }
}

function unread({ denials }: Door): DenialTo {
  return { headers: new Map(), reading: undefined, options: denials }
}

/** Of the HTTP request without what was true of its body alone: the transport has read that. */
function readableHeaders(headers: Headers | undefined): ReadHeaders {
  const known = headers === undefined ? new Map<string, readonly string[]>() : readHeaders(headers)
  for (const name of ['content-length', 'content-encoding']) known.delete(name)
  known.set('content-type', ['application/json'])
  return known
}

async function credentialFor(
  { credential }: Options,
  { headers, reading, read }: { readonly headers: ReadHeaders; readonly reading: Reading; readonly read: ReadOptions },
): Promise<Credential> {
  if (credential === undefined) return credentialOf(headers, reading, read)
  return presented(typeof credential === 'function' ? await credential() : credential, read)
}

function addressOf(door: Door, extra: unknown): string | undefined {
  const carrier = carrierOf(extra)
  return carrier instanceof Request ? door.addressOf(carrier) : undefined
}

/** Who asks is known when the answer goes. */
function remember(door: Door, filters: Map<string, Filter | undefined>, message: unknown, judged: Allowed): void {
  const { reading } = judged
  if (!isObject(message)) return
  if (Object.hasOwn(message, 'method') && Object.hasOwn(message, 'id')) {
    const filter = mayList(reading) ? filterFor(door, judged) : undefined
    filters.set(JSON.stringify(message['id']), filter)
  } else if (message['method'] === 'notifications/cancelled' && isObject(message['params'])) {
    // What was cancelled is not answered.
    filters.delete(JSON.stringify(message['params']['requestId']))
  }
}

/** What may go in place of a message. A result that nobody asked for is none. */
async function outgoing(filters: Map<string, Filter | undefined>, message: unknown): Promise<unknown> {
  if (!isObject(message) || Object.hasOwn(message, 'method')) return message
  const key = JSON.stringify(message['id'])
  const rpcId: RpcId = { text: key ?? 'null' }
  const filter = filters.get(key)
  const isAwaited = filters.delete(key)
  if (!Object.hasOwn(message, 'result')) return message
  if (!isAwaited) return JSON.parse(unfilterableText(rpcId))
  if (filter === undefined) return message
  return await filteredMessage(message, filter).catch(() => JSON.parse(unfilterableText(rpcId)) as unknown)
}

function tell({ onFault }: Door, thrown: unknown): void {
  try {
    onFault('policy_error', textOf(thrown))
  } catch {
    // An answer is owed whatever becomes of the log.
  }
}
