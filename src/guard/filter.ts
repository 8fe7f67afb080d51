import { filterSse } from '../mcp/list.ts'
import { bodyHeaders, type Filter, filteredJson, formOf, rewriter } from '../mcp/list-filter.ts'
import { unfilterable } from './refusal.ts'

/**
 * Cuts the lists in an answer that holds JSON or server-sent events. One that is neither, or cannot be read, is answered
 * by an error instead; an answer without a body, or with an error status, is passed on. Rejects only where reading the
 * body does.
 */
export async function filterResponse(response: Response, filter: Filter): Promise<Response> {
  if (!response.ok || response.body === null) return response
  const form = formOf(response.headers.get('content-type'), response.headers.get('content-encoding'))
  if (form === 'events') return rebuilt(response, filterSse(response.body, rewriter(filter)))
  if (form === 'unknown') return (await isEmpty(response.body)) ? rebuilt(response, null) : unfilterable(filter.rpcId)
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

/** The same answer with another body. */
export function rebuilt(
  response: Response,
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string | null,
): Response {
  const headers = new Headers(response.headers)
  for (const name of bodyHeaders) headers.delete(name)
  return new Response(body, { status: response.status, statusText: response.statusText, headers })
}
