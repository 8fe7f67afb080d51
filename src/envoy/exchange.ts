import type { Authorizer } from '../authorizer/attempt.ts'
import { createSseFilter, type SseFilter } from '../mcp/list.ts'
import {
  bodyHeaders,
  conditions,
  type Filter,
  filteredJson,
  formOf,
  rewriter,
  unfilterableText,
} from '../mcp/list-filter.ts'
import type { RpcId } from '../mcp/reading.ts'
import { type BodyPart, type HeadersPart, readProcessing } from './ext-proc-request.ts'
import { bodyReply, headersReply, immediateReply, trailersReply } from './ext-proc-response.ts'
import { type ListQuery, readListQuestion } from './list-question.ts'

export interface ExchangeOptions {
  readonly authorizer: Pick<Authorizer, 'visible' | 'definitions'>
  /** Told why an answer was not sent on. */
  readonly onUnfilterable?: (detail: string) => void
}

/** One HTTP exchange that Envoy hands over part by part. */
export interface Exchange {
  /**
   * The bytes of a ProcessingResponse for those of a ProcessingRequest, one after the other. Rejects for what cannot be
   * read, comes in another order, or cannot be filtered any more: Envoy must then be told of an error, as a stream that
   * ends well lets the rest of the answer pass.
   */
  answer(part: Buffer): Promise<Buffer>
  /** Whether it is at a stream of events, which may go on for hours. */
  streams(): boolean
}

type State =
  | { readonly at: 'start' | 'untouched' | 'end' }
  | { readonly at: 'asked'; readonly list: List }
  | { readonly at: 'json'; readonly filter: Filter; readonly chunks: Uint8Array[]; readonly length: number }
  | { readonly at: 'events'; readonly events: SseFilter }
  | { readonly at: 'blank'; readonly rpcId: RpcId | undefined }

interface List {
  readonly query: ListQuery
  readonly authorization: readonly string[]
}

/** What becomes of a part, and where the exchange is then. */
type Step = readonly [next: State, reply: Buffer]

/** Begins an exchange. */
export function createExchange(options: ExchangeOptions): Exchange {
  let state: State = { at: 'start' }
  return {
    async answer(bytes) {
      const [next, reply] = await step(state, bytes, options)
      state = next
      return reply
    },
    streams: () => state.at === 'events',
  }
}

async function step(state: State, bytes: Buffer, options: ExchangeOptions): Promise<Step> {
  const part = readProcessing(bytes)
  switch (part.kind) {
    case 'request_headers':
      if (state.at === 'start') return begin(part, options)
      break
    case 'response_headers':
      if (state.at === 'start') return beginLate(part, options)
      if (state.at === 'untouched') return [state, headersReply(part.kind)]
      if (state.at === 'asked') return readAnswer(part, state.list, options)
      break
    case 'response_body':
      if (state.at === 'untouched') return [state, bodyReply('same')]
      return await readBody(state, part, options)
    case 'response_trailers':
      if (state.at === 'untouched' || state.at === 'end') return [state, trailersReply()]
  }
  throw new TypeError(`${part.kind} came out of order`)
}

function begin({ kind, headers, listQuestion }: HeadersPart, options: ExchangeOptions): Step {
  const query = listQuestion === undefined ? undefined : readListQuestion(listQuestion)
  if (query === 'none') return [{ at: 'untouched' }, headersReply(kind)]
  if (query === undefined) return refuse(options, 'the check said nothing of lists', undefined)
  const list = { query, authorization: headers.get('authorization') ?? [] }
  return [{ at: 'asked', list }, headersReply(kind, { remove: conditions })]
}

/** Envoy leaves the request out: where there may be a list, nobody knows whose. */
function beginLate({ kind, listQuestion }: HeadersPart, options: ExchangeOptions): Step {
  const query = listQuestion === undefined ? undefined : readListQuestion(listQuestion)
  if (query === 'none') return [{ at: 'untouched' }, headersReply(kind)]
  return refuse(options, 'the request was left out', query?.rpcId)
}

/** The same rules as the guard's: an error status, or an answer without a body, is nobody's list. */
function readAnswer(part: HeadersPart, { query, authorization }: List, options: ExchangeOptions): Step {
  const { kind, headers, status, endOfStream } = part
  const isOk = status >= 200 && status < 300
  if (Number.isNaN(status)) return refuse(options, 'the answer has no status', query.rpcId)
  if (!isOk || endOfStream) return [{ at: 'untouched' }, headersReply(kind)]
  const filter = filterFor(query, authorization, options)
  const form = formOf(only(headers.get('content-type')), only(headers.get('content-encoding')))
  if (form === 'json')
    return [{ at: 'json', filter, chunks: [], length: 0 }, headersReply(kind, { remove: bodyHeaders })]
  if (form === 'unknown') return [{ at: 'blank', rpcId: query.rpcId }, headersReply(kind)]
  const events = createSseFilter(rewriter(filter), { maxEventBytes: maxBytes })
  return [{ at: 'events', events }, headersReply(kind, { remove: bodyHeaders, streamed: true })]
}

/** Of a header that came several times, all of it: no reader can tell which counts, and no form is called that. */
function only(values: readonly string[] | undefined): string | null {
  return values === undefined ? null : values.join(', ')
}

/** Of an answer in JSON, or of one event. */
const maxBytes = 8 * 1024 * 1024

function filterFor(query: ListQuery, authorization: readonly string[], options: ExchangeOptions): Filter {
  const { server, virtualServers, address, expiresAt, rpcId, brokerTool } = query
  const { authorizer } = options
  return {
    visible: async (type, names) =>
      await authorizer.visible({
        credential: { kind: 'authorization', values: authorization },
        type,
        names,
        virtualServers,
        address,
        ...(server === undefined ? {} : { server }),
      }),
    approved: (type, items, seen) => authorizer.definitions?.approved({ type, server, items }, seen) ?? items,
    maxTtlMs: expiresAt === undefined ? undefined : Math.floor(expiresAt * 1000 - Date.now()),
    rpcId,
    brokerTool,
  }
}

async function readBody(state: State, { body, endOfStream }: BodyPart, options: ExchangeOptions): Promise<Step> {
  switch (state.at) {
    case 'json':
      return await readJson(state, body, { endOfStream, options })
    case 'events':
      return [endOfStream ? { at: 'end' } : state, bodyReply(await readEvents(state.events, body, endOfStream))]
    case 'blank':
      if (body.byteLength > 0) return refuse(options, 'the answer is neither JSON nor events', state.rpcId)
      return [endOfStream ? { at: 'end' } : state, bodyReply('same')]
    default:
      throw new TypeError('response_body came out of order')
  }
}

async function readJson(
  { filter, chunks, length }: Extract<State, { at: 'json' }>,
  body: Uint8Array,
  { endOfStream, options }: { readonly endOfStream: boolean; readonly options: ExchangeOptions },
): Promise<Step> {
  const total = length + body.byteLength
  if (total > maxBytes) return refuse(options, 'the answer is too long', filter.rpcId)
  if (!endOfStream) {
    if (body.byteLength > 0) chunks.push(body)
    return [{ at: 'json', filter, chunks, length: total }, bodyReply(noBytes)]
  }
  if (total === 0) return [{ at: 'end' }, bodyReply(noBytes)]
  const text = await filteredJson(Buffer.concat([...chunks, body]), filter)
  if (text === undefined) return refuse(options, 'the answer is not JSON-RPC', filter.rpcId)
  return [{ at: 'end' }, bodyReply(Buffer.from(text))]
}

const noBytes = new Uint8Array(0)

async function readEvents(events: SseFilter, chunk: Uint8Array, endOfStream: boolean): Promise<Uint8Array> {
  const leaving: Uint8Array[] = []
  for await (const event of events.push(chunk)) leaving.push(event)
  if (endOfStream) for await (const rest of events.end()) leaving.push(rest)
  return Buffer.concat(leaving)
}

function refuse({ onUnfilterable }: ExchangeOptions, detail: string, rpcId: RpcId | undefined): Step {
  onUnfilterable?.(detail)
  return [{ at: 'end' }, immediateReply(500, unfilterableText(rpcId))]
}
