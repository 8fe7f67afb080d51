import type { Reader } from 'protobufjs/minimal.js'
import { addHeader, readEntry } from './header-map.ts'
import { listQuestionKey } from './list-question.ts'
import { type FieldReader, readMessage, readNested, readText, tag } from './wire.ts'

/** A part of an HTTP exchange, as an `envoy.service.ext_proc.v3.ProcessingRequest` carries it. */
export type Processing = HeadersPart | BodyPart | { readonly kind: 'response_trailers' }

export interface HeadersPart {
  readonly kind: 'request_headers' | 'response_headers'
  /** Lower-case names, every value in order; without pseudo headers. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Of a response; NaN where there is none, or more than one. */
  readonly status: number
  /** No body follows. */
  readonly endOfStream: boolean
  /** What the check said of lists, in Envoy's metadata. */
  readonly listQuestion: string | undefined
}

export interface BodyPart {
  readonly kind: 'response_body'
  readonly body: Uint8Array
  readonly endOfStream: boolean
}

/**
 * Reads the bytes of a ProcessingRequest.
 * @throws Error for bytes that are none, that hold several parts or one that is never asked for, or that are sent for
 * observation only
 */
export function readProcessing(bytes: Buffer): Processing {
  const parts: Parts = { listQuestions: [], kinds: [], headers: new Map(), statuses: [], body: noBytes, isEnd: false }
  readMessage(bytes, processingFields(parts))
  const [kind, ...others] = parts.kinds
  if (kind === undefined || others.length > 0) throw new TypeError('a message must hold one part of an exchange')
  if (parts.listQuestions.length > 1) throw new TypeError('metadata holds a key twice')
  if (kind === 'response_trailers') return { kind }
  if (kind === 'response_body') return { kind, body: parts.body, endOfStream: parts.isEnd }
  const { headers, statuses, isEnd, listQuestions } = parts
  const status = statuses.length === 1 && /^[1-9]\d\d$/.test(statuses[0] ?? '') ? Number(statuses[0]) : Number.NaN
  return { kind, headers, status, endOfStream: isEnd, listQuestion: listQuestions[0] }
}

interface Parts {
  readonly kinds: Processing['kind'][]
  readonly headers: Map<string, string[]>
  readonly statuses: string[]
  readonly listQuestions: string[]
  body: Uint8Array
  isEnd: boolean
}

const noBytes = new Uint8Array(0)

/** The namespace in which Envoy keeps what the check answered. */
const authz = 'envoy.filters.http.ext_authz'

function processingFields(parts: Parts): FieldReader {
  const part = (reader: Reader, kind: Processing['kind'], fields: FieldReader): true => {
    parts.kinds.push(kind)
    readNested(reader, fields)
    return true
  }
  return (reader, field) => {
    switch (field) {
      case tag.bytes(2):
        return part(reader, 'request_headers', headersFields(parts))
      case tag.bytes(3):
        return part(reader, 'response_headers', headersFields(parts))
      case tag.bytes(5):
        return part(reader, 'response_body', bodyFields(parts))
      case tag.bytes(7):
        return part(reader, 'response_trailers', () => false)
      case tag.bytes(4):
      case tag.bytes(6):
        throw new TypeError('bodies and trailers of requests are not asked for')
      case tag.bytes(8):
        readNested(reader, mapFields(authz, structFields(parts)))
        return true
      case tag.varint(10):
        if (reader.bool()) throw new TypeError('in observability_mode nothing can be filtered')
        return true
      default:
        return false
    }
  }
}

function headersFields(parts: Parts): FieldReader {
  return (reader, field) => {
    if (field === tag.bytes(1)) readNested(reader, headerMapFields(parts))
    else if (field === tag.varint(3)) parts.isEnd = reader.bool()
    else return false
    return true
  }
}

function headerMapFields({ headers, statuses }: Parts): FieldReader {
  return (reader, field) => {
    if (field !== tag.bytes(1)) return false
    const entry = readEntry(reader)
    if (entry.key === ':status') statuses.push(entry.raw === '' ? entry.value : entry.raw)
    else addHeader(headers, entry)
    return true
  }
}

function bodyFields(parts: Parts): FieldReader {
  return (reader, field) => {
    if (field === tag.bytes(1)) parts.body = reader.bytes()
    else if (field === tag.varint(2)) parts.isEnd = reader.bool()
    else return false
    return true
  }
}

/** The value under one key of a map, whose entries have their key as field 1 and a message as field 2. */
function mapFields(wanted: string, fields: FieldReader): FieldReader {
  return (reader, field) => {
    if (field !== tag.bytes(1)) return false
    readNested(reader, entryFields(wanted, fields))
    return true
  }
}

function entryFields(wanted: string, fields: FieldReader): FieldReader {
  let key = ''
  return (reader, field) => {
    if (field === tag.bytes(1)) key = readText(reader)
    // A writer may put the value first; nobody does, and what is not found is refused.
    else if (field === tag.bytes(2) && key === wanted) readNested(reader, fields)
    else return false
    return true
  }
}

/** A google.protobuf.Struct: `fields` is a map of Values, of which the question is a string. */
function structFields({ listQuestions }: Parts): FieldReader {
  return mapFields(listQuestionKey, (reader, field) => {
    if (field !== tag.bytes(3)) return false
    listQuestions.push(readText(reader))
    return true
  })
}
