import type { CodeOf } from '../policy/reasons.ts'
import type { Message } from './message.ts'
import { publishedVersions } from './methods.ts'
import type { HttpRequest } from './reading.ts'

/** Header names are lower case; every value a header had is kept, in order. */
export type Headers = HttpRequest['headers']

/** The rule of the contract that a request breaks. */
export interface Fault {
  readonly code: CodeOf<'request'>
  /** One lower-case line for people; holds nothing the client sent. */
  readonly detail: string
}

/**
 * The value of a header, without the spaces and tabs around it. Undefined where the header is absent, null where it
 * has more than one value.
 */
export function headerOf(headers: Headers, name: string): string | null | undefined {
  const values = headers.get(name) ?? []
  const [value] = values
  if (value === undefined) return undefined
  return values.length > 1 ? null : trim(value)
}

/** Whether a header is there at all, with any value. */
export function hasHeader(headers: Headers, name: string): boolean {
  return headerOf(headers, name) !== undefined
}

/**
 * `Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version` against one message of the body (SEP-2243); of `Mcp-Session-Id`
 * there is one at most.
 */
export function mcpHeaderFault(
  headers: Headers,
  message: Pick<Message, 'method' | 'mirrored' | 'metaVersion'>,
): Fault | undefined {
  const method = headerOf(headers, 'mcp-method')
  if (method !== undefined && method !== message.method) return mismatch('mcp-method must equal the method of the body')
  const name = headerOf(headers, 'mcp-name')
  if (name !== undefined && (name === null || message.mirrored === undefined || decodeName(name) !== message.mirrored))
    return mismatch('mcp-name must equal the name, uri or task id of the body')
  const version = headerOf(headers, 'mcp-protocol-version')
  if (version === null) return mismatch('mcp-protocol-version must have one value')
  if (version !== undefined && message.metaVersion !== undefined && version !== message.metaVersion)
    return mismatch('mcp-protocol-version must equal the protocol version in _meta')
  const session = headerOf(headers, 'mcp-session-id')
  // Of what is no UTF-8, one cannot be told from another later.
  const isOne = session === undefined || session?.isWellFormed() === true
  return isOne ? undefined : mismatch('mcp-session-id must have one value, in UTF-8')
}

/** The MCP session that a request names; an empty name is none (Kuadrant's router sends one before there is a session). */
export function sessionOf(headers: Headers): string | undefined {
  const session = headerOf(headers, 'mcp-session-id')
  return session === null || session === '' ? undefined : session
}

/** A version, named by the header or by `_meta`, that is none of the published ones. */
export function versionFault(headers: Headers, metaVersion: unknown): Fault | undefined {
  const named = [headerOf(headers, 'mcp-protocol-version'), metaVersion].filter((version) => version !== undefined)
  return named.every(isPublished)
    ? undefined
    : { code: 'version_unsupported', detail: `the protocol version must be one of ${publishedVersions.join(', ')}` }
}

/** The first version that is named and was never published, where it is a string. */
export function unpublishedVersion(headers: Headers, metaVersion: unknown): string | undefined {
  const named = [metaVersion, headerOf(headers, 'mcp-protocol-version')]
  return named.find((version): version is string => typeof version === 'string' && !isPublished(version))
}

/** The published version a request names, in `_meta` or in the header. */
export function protocolVersionOf(headers: Headers, metaVersion: unknown): string | undefined {
  return [metaVersion, headerOf(headers, 'mcp-protocol-version')].find(isPublished)
}

/** A disagreement between a header and the body. */
export function mismatch(detail: string): Fault {
  return { code: 'header_mismatch', detail }
}

function isPublished(version: unknown): version is string {
  return typeof version === 'string' && publishedVersions.includes(version)
}

/** A loop, since a regular expression would take quadratic time on long runs of blanks. */
function trim(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value, start)) start += 1
  while (end > start && isBlank(value, end - 1)) end -= 1
  return value.slice(start, end)
}

function isBlank(value: string, at: number): boolean {
  const char = value.charAt(at)
  return char === ' ' || char === '\t'
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const sentinel = '=?base64?'

/** What `Mcp-Name` says; undefined where its Base64 form is not canonical or not UTF-8. */
function decodeName(value: string): string | undefined {
  if (!value.startsWith(sentinel)) return value
  const encoded = /^([+/0-9A-Za-z]*={0,2})\?=$/.exec(value.slice(sentinel.length))?.[1]
  if (encoded === undefined) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
