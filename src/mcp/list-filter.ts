import { anyBrokerTool, filterBrokerAnswer } from './broker-answers.ts'
import type { DefinedType } from './definition.ts'
import { parseExact } from './exact-json.ts'
import { filterList, isListMethod, type ListedItem, type ListMethod, type ListOptions, listedType } from './list.ts'
import { isObject } from './message.ts'
import type { Read, RpcId } from './reading.ts'
import { brokerToolIn } from './router-headers.ts'

/** How the lists in an answer are cut for one caller. */
export interface Filter {
  /** Those of the client-visible names that the caller may use. */
  readonly visible: (
    type: 'tool' | 'prompt' | 'resource' | 'template' | 'task',
    names: readonly string[],
  ) => Promise<readonly string[]>
  /** The items that the catalogue approves, each as it has them; `seen`: what is visible. Absent: all, as they are. */
  readonly approved?:
    | ((type: DefinedType, items: readonly ListedItem[], seen: ReadonlySet<string>) => readonly ListedItem[])
    | undefined
  /** Milliseconds for which a list may be kept; undefined: as long as the handler says. */
  readonly maxTtlMs: number | undefined
  readonly rpcId: RpcId | undefined
  /** The broker's own tool that answers, where it is one: see {@link namingToolIn}. */
  readonly brokerTool: string | undefined
}

/** By their shape and not by what was asked, so that no answer carries a list of another kind past the filter. */
const listMethods: readonly ListMethod[] = [
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'tasks/list',
]

/** Whether the answer to a request may hold lists: one was asked for, or it is a stream of answers to others. */
export function mayList({ asks }: Read): boolean {
  return asks.some(({ action }) => isListMethod(action) || action === 'GET') || brokerToolIn(asks) !== undefined
}

/**
 * Whose answer names other tools, and is cut: a tool of the broker's own that is called, or, where a stream is opened that
 * may repeat its answer, any of them. `isBroker`: whether a broker with such tools answers.
 */
export function namingToolIn({ asks }: Read, isBroker: boolean): string | undefined {
  const repeats = isBroker && asks.some(({ action }) => action === 'GET')
  return brokerToolIn(asks) ?? (repeats ? anyBrokerTool : undefined)
}

/** With these a server may answer in a form, or a part, that cannot be filtered. */
export const conditions = ['accept-encoding', 'if-none-match', 'if-modified-since', 'if-range', 'range'] as const

/** Whatever a server said of the body it made is not true of the one that is sent. */
export const bodyHeaders = [
  'content-length',
  'content-encoding',
  'etag',
  'last-modified',
  'content-digest',
  'digest',
] as const

/** How lists can stand in an answer; `unknown` is a form that cannot be read, `encoded` among them. */
export type AnswerForm = 'json' | 'events' | 'unknown'

/** The form that an answer's `Content-Type` and `Content-Encoding` say it has; null where there is none. */
export function formOf(contentType: string | null, contentEncoding: string | null): AnswerForm {
  if (contentEncoding !== null && contentEncoding.toLowerCase() !== 'identity') return 'unknown'
  const type = (contentType ?? '').split(';', 1).join('').trim().toLowerCase()
  if (type === 'application/json') return 'json'
  return type === 'text/event-stream' ? 'events' : 'unknown'
}

/** Cuts the lists in an answer that is JSON; undefined for one that cannot be read, which must not be sent on. */
export async function filteredJson(bytes: Uint8Array, filter: Filter): Promise<string | undefined> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return await filteredText(text, filter)
  } catch {
    return undefined
  }
}

/** Cuts the lists in the data of one event; what cannot be read becomes an error. Never rejects. */
export function rewriter(filter: Filter): (data: string) => Promise<string> {
  return async (data) => {
    // Without a brace there is no message in it: the address that the transport of 2024-11-05 begins with, a blank.
    if (!data.includes('{')) return data
    return await filteredText(data, filter).catch(() => unfilterableText(filter.rpcId))
  }
}

/** The JSON-RPC message that stands for an answer whose lists could not be cut: internal error (JSON-RPC 2.0, 5.1). */
export function unfilterableText(rpcId: RpcId | undefined): string {
  const error = { code: -32603, message: 'the answer could not be filtered' }
  return `{"jsonrpc":"2.0","id":${rpcId?.text ?? 'null'},"error":${JSON.stringify(error)}}`
}

/** Text without a response is kept as it stands; rejects for what is not JSON-RPC. */
async function filteredText(text: string, filter: Filter): Promise<string> {
  const message = parseExact(text)
  if (!isJsonRpc(message)) throw new TypeError('what was answered is not JSON-RPC')
  return holdsResult(message) ? JSON.stringify(await filteredMessage(message, filter)) : text
}

function isJsonRpc(message: unknown): boolean {
  const messages = Array.isArray(message) ? message : [message]
  return messages.every((one) => isObject(one) && ['method', 'result', 'error'].some((key) => Object.hasOwn(one, key)))
}

/** Also under a key that only readers without regard to case would take for `result`. */
function holdsResult(message: unknown): boolean {
  if (Array.isArray(message)) return message.some(holdsResult)
  return isObject(message) && Object.keys(message).some((key) => /^result$/iu.test(key))
}

/** A JSON-RPC message with its lists cut. */
export async function filteredMessage(message: unknown, filter: Filter): Promise<unknown> {
  const { visible, maxTtlMs, brokerTool } = filter
  let filtered = message
  for (const method of listMethods) {
    const type = listedType(method)
    if (type === undefined) continue
    const approved = approvedOf(filter, type)
    filtered = await filterList(method, filtered, (names) => visible(type, names), { maxTtlMs, approved })
  }
  if (brokerTool === undefined) return filtered
  return await filterBrokerAnswer(brokerTool, filtered, (names) => visible('tool', names))
}

/** Tasks are no part of a catalogue. */
function approvedOf({ approved }: Filter, type: DefinedType | 'task'): ListOptions['approved'] {
  return approved === undefined || type === 'task' ? undefined : (items, seen) => approved(type, items, seen)
}
