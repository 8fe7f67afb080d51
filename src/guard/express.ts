import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { textOf } from '../policy/errors.ts'
import type { Door } from './door.ts'
import { guardFetch } from './fetch.ts'
import { refusal } from './refusal.ts'

/** What Node's server and express hand over; `auth` is what a middleware of an SDK left there. */
export type NodeRequest<Auth = unknown> = IncomingMessage & {
  /** As express knows it, under its `trust proxy`. */
  readonly ip?: string | undefined
  readonly originalUrl?: string
  auth?: Auth
}

/** A web-standard handler as both SDKs have them; `authInfo` is the request's `auth`. */
export type WebHandler<Auth> = (request: Request, options: { readonly authInfo?: Auth }) => Promise<Response> | Response

/** A handler for express, or for `createServer` of Node. */
export type NodeHandler<Auth = unknown> = (
  request: NodeRequest<Auth>,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/**
 * Puts the guard around a web-standard handler and serves it under express. `addressOf` tells who sent a request. What
 * the handler throws goes to `next`, or ends the connection where there is none.
 */
export function guardExpress<Auth>(
  door: Door,
  handler: WebHandler<Auth>,
  addressOf: ((request: Request) => string | undefined) | undefined,
): NodeHandler<Auth> {
  return (incoming, outgoing, next) => {
    const own = addressOf ?? (() => incoming.ip ?? incoming.socket.remoteAddress)
    const authInfo = incoming.auth === undefined ? {} : { authInfo: incoming.auth }
    const guarded = guardFetch({ ...door, addressOf: own }, (request) => handler(request, authInfo))
    answer(door, guarded, { incoming, outgoing }).catch((thrown: unknown) => {
      if (next === undefined || outgoing.headersSent) outgoing.destroy()
      else next(thrown)
    })
  }
}

interface Exchange {
  readonly incoming: NodeRequest
  readonly outgoing: ServerResponse
}

async function answer(
  door: Door,
  guarded: (request: Request) => Promise<Response>,
  { incoming, outgoing }: Exchange,
): Promise<void> {
  const gone = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort()
  })
  const request = requestOf(incoming, gone.signal)
  if (typeof request === 'string') door.onFault('policy_error', request)
  const response = typeof request === 'string' ? refusal('policy_error', unread) : await guarded(request)
  // What is left of a body would be taken for the next request.
  const isRead = incoming.complete
  if (!isRead) outgoing.setHeader('connection', 'close')
  await write(response, outgoing)
  if (isRead) return
  if (typeof request !== 'string' && request.body !== null) await discard(request.body)
  incoming.destroy()
}

/** What is read of a body that nobody wants, so that its sender gets to read the answer. */
const most = { bytes: 16 * 1024 * 1024, ms: 1000 } as const

async function discard(body: Body): Promise<void> {
  if (body.locked) return
  const reader = body.getReader()
  const { promise: late, resolve } = Promise.withResolvers<{ readonly done: true; readonly value?: undefined }>()
  const timer = setTimeout(() => resolve({ done: true }), most.ms).unref()
  try {
    for (let length = 0; length < most.bytes; ) {
      const { done, value } = await Promise.race([reader.read(), late])
      if (done) break
      length += value.byteLength
    }
  } catch {
    // The sender has gone.
  } finally {
    clearTimeout(timer)
  }
}

type Body = NonNullable<Request['body']>

/** Whom a denial goes to where nothing could be read. */
const unread = { headers: new Map(), reading: undefined }

/** The request in the form that is judged, or why there is none. */
function requestOf(incoming: NodeRequest, signal: AbortSignal): Request | string {
  // What a parser made of the body is not what came, and what came is gone.
  if (incoming.readableDidRead) return 'the body was read before it came to the guard: mount it before body parsers'
  const { method = '', rawHeaders } = incoming
  try {
    const headers = new Headers()
    rawHeaders.forEach((name, at) => {
      if (at % 2 === 0 && !name.startsWith(':')) headers.append(name, rawHeaders[at + 1] ?? '')
    })
    const mayHaveBody = method !== 'GET' && method !== 'HEAD'
    const body = mayHaveBody ? { body: Readable.toWeb(incoming), duplex: 'half' as const } : {}
    return new Request(urlOf(incoming), { method, headers, signal, ...body })
  } catch (thrown) {
    return `the request has no web-standard form: ${textOf(thrown)}`
  }
}

/** What the client called the address; nothing is decided by it. */
function urlOf({ originalUrl, url = '/', headers, socket }: NodeRequest): string {
  const scheme = 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http'
  const path = originalUrl ?? url
  const named = `${scheme}://${headers.host ?? 'localhost'}${path.startsWith('/') ? path : '/'}`
  return URL.canParse(named) ? named : `${scheme}://localhost/`
}

async function write(response: Response, outgoing: ServerResponse): Promise<void> {
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  outgoing.writeHead(response.status)
  if (response.body === null) {
    outgoing.end()
    return
  }
  // A stream may be quiet for long: its client must know that it is open.
  outgoing.flushHeaders()
  // An error after the head can only be told by the connection's end; a client that went away is none.
  await pipeline(Readable.fromWeb(response.body as ReadableStream<Uint8Array>), outgoing).catch(() =>
    outgoing.destroy(),
  )
}
