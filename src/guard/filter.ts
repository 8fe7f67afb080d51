import { filterList, filterSse, isListMethod, type ListMethod, listedType } from '../mcp/list.ts'
import { isObject } from '../mcp/message.ts'
import type { Read, RpcId } from '../mcp/reading.ts'
import { unfilterable, unfilterableText } from './refusal.ts'

/** How the lists in an answer are cut for one caller. */
export interface Filter {
  /** Those of the client-visible names that the caller may use. */
  readonly visible: (
    type: 'tool' | 'prompt' | 'resource' | 'template',
    names: readonly string[],
  ) => Promise<readonly string[]>
  /** Milliseconds for which a list may be kept; undefined: as long as the handler says. */
  readonly maxTtlMs: number | undefined
  readonly rpcId: RpcId | undefined
}

/** By their shape and not by what was asked, so that no answer carries a list of another kind past the filter. */
const listMethods: readonly ListMethod[] = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list']

/** Whether the answer to a request may hold lists: one was asked for, or it is a stream of answers to others. */
export function mayList({ asks }: Read): boolean {
  return asks.some(({ action }) => isListMethod(action) || action === 'GET')
}

/**
 * Cuts the lists in an answer that holds JSON or server-sent events. One that is neither, or cannot be read, is answered
 * by an error instead; an answer without a body, or with an error status, is passed on. Rejects only where reading the
 * body does.
 */
export async function filterResponse(response: Response, filter: Filter): Promise<Response> {
  if (!response.ok || response.body === null) return response
  const encoding = response.headers.get('content-encoding')
  const type = encoding === null || encoding.toLowerCase() === 'identity' ? mediaTypeOf(response) : 'encoded'
  if (type === 'text/event-stream') return rebuilt(response, filterSse(response.body, rewriter(filter)))
  if (type !== 'application/json')
    return (await isEmpty(response.body)) ? rebuilt(response, null) : unfilterable(filter.rpcId)
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (bytes.byteLength === 0) return rebuilt(response, null)
  const text = await filteredJson(bytes, filter)
  return text === undefined ? unfilterable(filter.rpcId) : rebuilt(response, text)
}

/** Reads no further than the first byte: what else comes, and for how long, does not matter. */
async function isEmpty(body: ReadableStream<Uint8Array>): Promise<boolean> {
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return true
    if (value.byteLength === 0) continue
    reader.cancel().catch(() => undefined)
    return false
  }
}

function mediaTypeOf({ headers }: Response): string {
  return (headers.get('content-type') ?? '').split(';', 1).join('').trim().toLowerCase()
}

/** Whatever the handler said of the body it made is not true of the one that is sent. */
const bodyHeaders = ['content-length', 'content-encoding', 'etag', 'last-modified', 'content-digest', 'digest']

function rebuilt(response: Response, body: ReadableStream<Uint8Array> | string | null): Response {
  const headers = new Headers(response.headers)
  for (const name of bodyHeaders) headers.delete(name)
  return new Response(body, { status: response.status, statusText: response.statusText, headers })
}

async function filteredJson(bytes: Uint8Array, filter: Filter): Promise<string | undefined> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return await filteredText(text, filter)
  } catch {
    return undefined
  }
}

function rewriter(filter: Filter): (data: string) => Promise<string> {
  return async (data) => {
    // Without a brace there is no message in it: the address that the transport of 2024-11-05 begins with, a blank.
    if (!data.includes('{')) return data
    return await filteredText(data, filter).catch(() => unfilterableText(filter.rpcId))
  }
}

/** Text without a response is kept as it stands; rejects for what is not JSON-RPC. */
async function filteredText(text: string, filter: Filter): Promise<string> {
  const message: unknown = JSON.parse(text)
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

async function filteredMessage(message: unknown, { visible, maxTtlMs }: Filter): Promise<unknown> {
  let filtered = message
  for (const method of listMethods) {
    const type = listedType(method)
    if (type !== undefined) filtered = await filterList(method, filtered, (names) => visible(type, names), { maxTtlMs })
  }
  return filtered
}
