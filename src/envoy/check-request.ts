import type { Reader } from 'protobufjs/minimal.js'
import type { DoorKnowledge, HttpRequest } from '../mcp/reading.ts'
import { addHeader, headerMapFields, readEntry } from './header-map.ts'
import { readMessage, readNested, readText, tag } from './wire.ts'

/** An `envoy.service.auth.v3.CheckRequest` as the doors know requests, or why it cannot be one. */
export type Check = CheckRead | CheckRefused

export interface CheckRead {
  readonly ok: true
  readonly request: HttpRequest
  readonly door: DoorKnowledge
  /** Every value of the Authorization header. */
  readonly authorization: readonly string[]
  /** Both `body` and `raw_body` came: nobody can know which of them the upstream gets. */
  readonly twoBodies: boolean
  /** The identity in the client's certificate, where Envoy verified one. */
  readonly principal?: string
  /** IP address of whoever opened the connection to Envoy. */
  readonly address?: string
  /** Envoy's configuration says that lists are cut by external processing. */
  readonly cutsLists: boolean
}

export interface CheckRefused {
  readonly ok: false
  readonly code: 'body_malformed'
  /** One lower-case line for people; holds nothing the client sent. */
  readonly detail: string
}

/**
 * Reads the bytes of a CheckRequest. Never throws.
 *
 * Headers come from `header_map` and from `headers`; where both have one and disagree, it has the values of both. A
 * value that is not UTF-8 becomes a string with lone surrogates, which equals no well-formed string.
 */
export function readCheck(bytes: Buffer): Check {
  const parts = newParts()
  try {
    readMessage(bytes, (reader, field) => field === tag.bytes(1) && nested(reader, attributesOf(parts)))
  } catch {
    return { ok: false, code: 'body_malformed', detail: 'the check request is not a well-formed protobuf message' }
  }
  if (!parts.http) return { ok: false, code: 'body_malformed', detail: 'the check request describes no HTTP request' }
  const headers = mergedHeaders(parts)
  return {
    ok: true,
    request: { method: parts.method, headers, body: parts.rawBody.length > 0 ? parts.rawBody : parts.body },
    door: { server: parts.context.get('mcp_server'), virtualServer: parts.context.get('mcp_virtual_server') },
    authorization: headers.get('authorization') ?? [],
    cutsLists: parts.context.has('mcp_list_filter'),
    twoBodies: parts.rawBody.length > 0 && parts.body.length > 0,
    ...(parts.principal === '' ? {} : { principal: parts.principal }),
    ...(parts.address === '' ? {} : { address: parts.address }),
  }
}

/** Field numbers below are those of src/envoy/proto/envoy, service/auth/v3 and config/core/v3. */
interface Parts {
  http: boolean
  method: string
  body: Uint8Array
  rawBody: Uint8Array
  principal: string
  address: string
  readonly headers: Map<string, string[]>
  readonly headerMap: Map<string, string[]>
  readonly context: Map<string, string>
}

type Fields = (reader: Reader, field: number) => boolean

const noBytes = new Uint8Array(0)

function newParts(): Parts {
  return {
    http: false,
    method: '',
    body: noBytes,
    rawBody: noBytes,
    principal: '',
    address: '',
    headers: new Map(),
    headerMap: new Map(),
    context: new Map(),
  }
}

function nested(reader: Reader, fields: Fields): true {
  readNested(reader, fields)
  return true
}

function attributesOf(parts: Parts): Fields {
  return (reader, field) => {
    if (field === tag.bytes(1)) return nested(reader, peerOf(parts))
    if (field === tag.bytes(4)) return nested(reader, requestOf(parts))
    if (field === tag.bytes(10)) {
      const entry = readEntry(reader)
      parts.context.set(entry.key, entry.value)
      return true
    }
    return false
  }
}

function peerOf(parts: Parts): Fields {
  return (reader, field) => {
    if (field === tag.bytes(1)) return nested(reader, addressOf(parts))
    if (field !== tag.bytes(4)) return false
    parts.principal = readText(reader)
    return true
  }
}

/** An Address holds one kind of address, of which a SocketAddress is one; a pipe has no IP address. */
function addressOf(parts: Parts): Fields {
  return (reader, field) => field === tag.bytes(1) && nested(reader, socketAddressOf(parts))
}

function socketAddressOf(parts: Parts): Fields {
  return (reader, field) => {
    if (field !== tag.bytes(2)) return false
    parts.address = withoutPort(readText(reader))
    return true
  }
}

/** Envoy names the port apart; Kuadrant's filter writes what its attribute `source.address` holds, `IP:PORT`. */
function withoutPort(address: string): string {
  const [, ipv4, ipv6] = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/.exec(address) ?? []
  return ipv4 ?? ipv6 ?? address
}

function requestOf(parts: Parts): Fields {
  return (reader, field) => {
    if (field !== tag.bytes(2)) return false
    parts.http = true
    return nested(reader, httpOf(parts))
  }
}

function httpOf(parts: Parts): Fields {
  return (reader, field) => {
    switch (field) {
      case tag.bytes(2):
        parts.method = readText(reader)
        return true
      case tag.bytes(3):
        addHeader(parts.headers, readEntry(reader))
        return true
      case tag.bytes(11):
        parts.body = reader.bytes()
        return true
      case tag.bytes(12):
        parts.rawBody = reader.bytes()
        return true
      case tag.bytes(13):
        return nested(reader, headerMapFields(parts.headerMap))
      default:
        return false
    }
  }
}

function mergedHeaders({ headers, headerMap }: Parts): ReadonlyMap<string, readonly string[]> {
  if (headerMap.size === 0) return headers
  for (const [name, values] of headers) {
    const found = headerMap.get(name) ?? []
    if (!isJoined(values, found)) headerMap.set(name, [...found, ...values])
  }
  return headerMap
}

/** Whether `headers` says the same as `header_map`, which keeps apart what `headers` joins. */
function isJoined([joined, ...more]: readonly string[], apart: readonly string[]): boolean {
  return more.length === 0 && apart.length > 0 && joined === apart.join(',')
}
