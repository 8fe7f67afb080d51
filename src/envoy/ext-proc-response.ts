import { Writer } from 'protobufjs/minimal.js'
import { tag } from './wire.ts'

/** The bytes of a ProcessingResponse that lets headers pass. */
export function headersReply(
  kind: 'request_headers' | 'response_headers',
  changes: { readonly remove?: readonly string[]; readonly streamed?: boolean } = {},
): Buffer {
  const writer = Writer.create()
  writer.uint32(tag.bytes(kind === 'request_headers' ? 1 : 2)).fork()
  writer.uint32(tag.bytes(1)).fork()
  writer.uint32(tag.bytes(2)).fork()
  for (const name of changes.remove ?? []) writer.uint32(tag.bytes(2)).string(name)
  writer.ldelim().ldelim().ldelim()
  // ProcessingMode, response_body_mode STREAMED.
  if (changes.streamed === true) writer.uint32(tag.bytes(9)).fork().uint32(tag.varint(4)).int32(1).ldelim()
  return finish(writer)
}

/** The bytes of a ProcessingResponse that lets a piece of a response's body pass: as it came, or these bytes instead. */
export function bodyReply(body: Uint8Array | 'same'): Buffer {
  const writer = Writer.create().uint32(tag.bytes(4)).fork()
  if (body !== 'same') {
    writer.uint32(tag.bytes(1)).fork().uint32(tag.bytes(3)).fork()
    if (body.byteLength === 0) writer.uint32(tag.varint(2)).bool(true)
    else writer.uint32(tag.bytes(1)).bytes(body)
    writer.ldelim().ldelim()
  }
  return finish(writer.ldelim())
}

/** The bytes of a ProcessingResponse that lets the trailers of a response pass. */
export function trailersReply(): Buffer {
  return finish(Writer.create().uint32(tag.bytes(6)).fork().ldelim())
}

/** The bytes of a ProcessingResponse by which Envoy answers with JSON of ours, and with nothing of the server's. */
export function immediateReply(httpStatus: number, json: string): Buffer {
  const writer = Writer.create().uint32(tag.bytes(7)).fork()
  writer.uint32(tag.bytes(1)).fork().uint32(tag.varint(1)).int32(httpStatus).ldelim()
  writer.uint32(tag.bytes(2)).fork()
  writeHeader(writer, 'content-type', 'application/json')
  writeHeader(writer, 'cache-control', 'no-store')
  writer.ldelim()
  writer.uint32(tag.bytes(3)).bytes(Buffer.from(json))
  writer.uint32(tag.bytes(5)).string('mcp_authz_unfilterable')
  return finish(writer.ldelim())
}

/** HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD. */
const overwrite = 2

/** With `raw_value`, since Envoy's external processing sends an empty header for a `value`. */
function writeHeader(writer: Writer, name: string, value: string): void {
  writer.uint32(tag.bytes(1)).fork()
  writer.uint32(tag.bytes(1)).fork()
  writer.uint32(tag.bytes(1)).string(name).uint32(tag.bytes(3)).bytes(Buffer.from(value))
  writer.ldelim().uint32(tag.varint(3)).int32(overwrite).ldelim()
}

function finish(writer: Writer): Buffer {
  const bytes = writer.finish()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
