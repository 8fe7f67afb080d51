import type { ReadOptions } from '../mcp/reading.ts'
import { removedHeadersOf } from './headers.ts'

/** The transport as it is used from within. */
export interface InnerTransport {
  send(message: unknown, options?: unknown): Promise<void>
}

/** The HTTP request that carried a message: the one object that all messages of a batch have in common. */
export function carrierOf(extra: unknown): object | undefined {
  const { request, requestInfo } = Object(extra) as { request?: unknown; requestInfo?: unknown }
  const carrier = request ?? requestInfo
  return typeof carrier === 'object' && carrier !== null ? carrier : undefined
}

/** The headers that a message came with; undefined where none did. */
export function headersIn(extra: unknown): Headers | undefined {
  const { headers } = Object(carrierOf(extra)) as { headers?: unknown }
  if (headers instanceof Headers) return headers
  if (typeof headers !== 'object' || headers === null) return undefined
  const found = new Headers()
  for (const [name, said] of Object.entries(headers)) {
    const values: readonly unknown[] = Array.isArray(said) ? said : [said]
    for (const value of values) if (typeof value === 'string') found.append(name, value)
  }
  return found
}

/** What the server is told of the HTTP request, without what only insiders may say. */
export function withoutInternal(extra: unknown, read: Pick<ReadOptions, 'profile' | 'authorizedTools'>): unknown {
  const { request, requestInfo } = Object(extra) as { request?: unknown; requestInfo?: { headers?: unknown } }
  const headers = headersIn(extra)
  if (headers === undefined) return extra
  for (const name of removedHeadersOf(read, 'POST')) headers.delete(name)
  if (request instanceof Request)
    return { ...Object(extra), request: new Request(request.url, { method: 'POST', headers }) }
  return { ...Object(extra), requestInfo: { ...requestInfo, headers: Object.fromEntries(headers) } }
}
