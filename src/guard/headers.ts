import { isUtf8 } from 'node:buffer'
import type { Credential } from '../identity/subject.ts'
import { deprecatedHeader, otherRemovedHeaders, removedHeaders } from '../mcp/internal-headers.ts'
import { conditions } from '../mcp/list-filter.ts'
import type { ReadOptions } from '../mcp/reading.ts'

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
  readonly read: Means
  /** What verified. */
  readonly credential: Credential
  /** Whether the answer will be filtered. */
  readonly filtered: boolean
}

/** What it depends on which headers are internal. */
type Means = Pick<ReadOptions, 'profile' | 'authorizedTools'>

/** What only insiders may say, and no handler is told. */
export function removedHeadersOf(read: Means, method: string): readonly string[] {
  return [...removedHeaders({ profile: read.profile, method }), ...otherRemovedHeaders(read)]
}

/** The header that a credential is, where that is an internal one. */
const headerOfKind: { readonly [Kind in Credential['kind']]?: string } = {
  capability: 'x-mcp-authorized',
  'authorized-tools': deprecatedHeader,
}

/** The request for the handler: the very bytes that were judged, without what only insiders may say. */
export function carriedRequest(request: Request, { bytes, read, credential, filtered }: Carried): Request {
  const headers = new Headers(request.headers)
  const internal = removedHeadersOf(read, request.method)
  const removed = filtered ? [...internal, ...conditions] : internal
  for (const name of removed) if (name !== headerOfKind[credential.kind]) headers.delete(name)
  const body = bytes.byteLength === 0 ? {} : { body: Buffer.from(bytes) }
  return new Request(request.url, { method: request.method, headers, signal: request.signal, ...body })
}

/** Not UTF-8: each byte from 0x80 on becomes half of a surrogate pair, which equals nothing that a body can say. */
function decoded(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return value.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 | byte.charCodeAt(0)))
}
