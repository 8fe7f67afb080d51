import { Writer } from 'protobufjs/minimal.js'
import { tag } from './wire.ts'

/** google.rpc.Code: PERMISSION_DENIED, or UNAUTHENTICATED where the client is answered with HTTP 401. */
export type DenialCode = 7 | 16

/** Goes into Envoy's dynamic metadata under `envoy.filters.http.ext_authz`. */
export type ReplyMetadata = Readonly<Record<string, string | boolean | readonly string[]>>

export interface AllowedReply {
  /** Set on the request, in place of whatever the client sent. Lower-case names, each once. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Removed from the request; names that `headers` sets are left out, because Envoy removes after it sets. */
  readonly remove: readonly string[]
  readonly metadata: ReplyMetadata
}

export interface DeniedReply {
  /** 200, or 400 to 599. */
  readonly httpStatus: number
  readonly grpcCode: DenialCode
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly metadata: ReplyMetadata
}

/**
 * The bytes of a CheckResponse that lets the request pass.
 * @throws TypeError when a header cannot be sent as it is
 */
export function allowed(reply: AllowedReply): Buffer {
  const set = new Set(reply.headers.map(([name]) => name))
  if (set.size !== reply.headers.length) throw new TypeError('a header is set twice')
  const writer = startReply(0).uint32(tag.bytes(3)).fork()
  writeHeaders(writer, reply.headers)
  for (const name of reply.remove) if (!set.has(headerName(name))) writer.uint32(tag.bytes(5)).string(name)
  writer.ldelim()
  return finishReply(writer, reply.metadata)
}

/**
 * The bytes of a CheckResponse that refuses the request. Envoy reads the decision from `status.code` alone.
 * @throws TypeError when the code would allow, or the status or a header cannot be sent as it is
 */
export function denied(reply: DeniedReply): Buffer {
  if (reply.grpcCode !== 7 && reply.grpcCode !== 16) throw new TypeError('a denial must carry status 7 or 16')
  const writer = startReply(reply.grpcCode).uint32(tag.bytes(2)).fork()
  writer.uint32(tag.bytes(1)).fork().uint32(tag.varint(1)).int32(httpStatus(reply.httpStatus)).ldelim()
  writeHeaders(writer, reply.headers)
  writer.uint32(tag.bytes(3)).string(reply.body.toWellFormed()).ldelim()
  return finishReply(writer, reply.metadata)
}

function startReply(code: 0 | DenialCode): Writer {
  return Writer.create().uint32(tag.bytes(1)).fork().uint32(tag.varint(1)).int32(code).ldelim()
}

function finishReply(writer: Writer, metadata: ReplyMetadata): Buffer {
  writer.uint32(tag.bytes(4)).fork()
  for (const [key, value] of Object.entries(metadata)) {
    writer.uint32(tag.bytes(1)).fork().uint32(tag.bytes(1)).string(key).uint32(tag.bytes(2)).fork()
    writeValue(writer, value)
    writer.ldelim().ldelim()
  }
  const bytes = writer.ldelim().finish()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A google.protobuf.Value. */
function writeValue(writer: Writer, value: string | boolean | readonly string[]): void {
  // A string that is not UTF-8 would make Envoy drop the whole reply, and a dropped reply is an error, not a denial.
  if (typeof value === 'string') writer.uint32(tag.bytes(3)).string(value.toWellFormed())
  else if (typeof value === 'boolean') writer.uint32(tag.varint(4)).bool(value)
  else {
    writer.uint32(tag.bytes(6)).fork()
    for (const item of value) {
      writer.uint32(tag.bytes(1)).fork()
      writeValue(writer, item)
      writer.ldelim()
    }
    writer.ldelim()
  }
}

/** HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD; `append` stays absent, as `true` would keep a forged value. */
const overwrite = 2

function writeHeaders(writer: Writer, headers: readonly (readonly [string, string])[]): void {
  for (const [name, value] of headers) {
    writer.uint32(tag.bytes(2)).fork()
    writer.uint32(tag.bytes(1)).fork()
    writer.uint32(tag.bytes(1)).string(headerName(name)).uint32(tag.bytes(2)).string(headerValue(name, value))
    writer.ldelim().uint32(tag.varint(3)).int32(overwrite).ldelim()
  }
}

const framing = new Set(['host', 'connection', 'content-length', 'transfer-encoding'])

/** A lower-case RFC 9110 token that does not change where a message goes or ends. */
function headerName(name: string): string {
  if (/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !framing.has(name)) return name
  throw new TypeError(`header \`${name}\` cannot be set or removed; give a lower-case name that is not about framing`)
}

/** Envoy does not check values by default: a line break in one splits the response. */
function headerValue(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(value) && value.isWellFormed()) return value
  throw new TypeError(`the value of header \`${name}\` holds a character that no header can carry`)
}

function httpStatus(status: number): number {
  if (Number.isInteger(status) && (status === 200 || (status >= 400 && status <= 599))) return status
  throw new TypeError(`HTTP status \`${status}\` cannot be a denial; give 200 or 400 to 599`)
}
