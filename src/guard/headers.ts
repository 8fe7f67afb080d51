import { isUtf8 } from 'node:buffer'
import { initiators, removedHeaders } from '../mcp/internal-headers.ts'
import { conditions } from '../mcp/list-filter.ts'

/** No value of these holds a comma and a blank: where they are there, `Headers` has joined several values. */
const neverJoined = new Set([
  'mcp-method',
  'mcp-protocol-version',
  'mcp-session-id',
  'x-mcp-method',
  'x-mcp-servername',
])

/**
 * The headers of a request as the reader knows them. `Headers` joins the values of a repeated header, so that one has
 * several only where it cannot be otherwise; its bytes, which it keeps as Latin-1, are UTF-8 again, as every other
 * door reads them.
 */
export function readHeaders(headers: globalThis.Headers): Map<string, readonly string[]> {
  return new Map([...headers].map(([name, value]) => [name, valuesOf(name, decoded(value))]))
}

function valuesOf(name: string, value: string): readonly string[] {
  return neverJoined.has(name) ? value.split(', ') : [value]
}

/** What an allowed request is to be carried on with. */
export interface Carried {
  /** The bytes that were judged. */
  readonly bytes: Uint8Array
  readonly profile: 'strict' | 'kuadrant'
  /** Whether x-mcp-authorized was the credential and verified. */
  readonly authorized: boolean
  /** Whether the answer will be filtered. */
  readonly filtered: boolean
}

/** What only insiders may say, and no handler is told. */
export function removedHeadersOf(profile: 'strict' | 'kuadrant', method: string): readonly string[] {
  return [...removedHeaders({ profile, method }), ...initiators]
}

/** The request for the handler: the very bytes that were judged, without what only insiders may say. */
export function carriedRequest(request: Request, { bytes, profile, authorized, filtered }: Carried): Request {
  const headers = new Headers(request.headers)
  const internal = removedHeadersOf(profile, request.method)
  const removed = filtered ? [...internal, ...conditions] : internal
  for (const name of removed) if (!(authorized && name === 'x-mcp-authorized')) headers.delete(name)
  const body = bytes.byteLength === 0 ? {} : { body: Buffer.from(bytes) }
  return new Request(request.url, { method: request.method, headers, signal: request.signal, ...body })
}

/** Not UTF-8: each byte from 0x80 on becomes half of a surrogate pair, which equals nothing that a body can say. */
function decoded(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return value.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 | byte.charCodeAt(0)))
}
