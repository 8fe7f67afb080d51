import { isUtf8 } from 'node:buffer'
import { Reader } from 'protobufjs/minimal.js'

/** A field's tag: its number and one of the wire types that the messages here use. */
export const tag = {
  varint: (field: number): number => field << 3,
  bytes: (field: number): number => (field << 3) | 2,
} as const

/** Reads one field whose tag was just read; false leaves it unread, to be skipped. */
export type FieldReader = (reader: Reader, tag: number) => boolean

/**
 * Reads a whole message. A field that occurs again is handed over again, so that messages merge as protobuf says.
 * @throws Error when the bytes are no protobuf message
 */
export function readMessage(bytes: Buffer, field: FieldReader): void {
  readFields(Reader.create(bytes), field)
}

/**
 * Reads the message that the reader stands before, and never beyond its end.
 * @throws Error when the bytes are no protobuf message
 */
export function readNested(reader: Reader, field: FieldReader): void {
  const length = reader.size()
  const outer = reader.len
  const end = reader.pos + length
  if (end > outer) throw new RangeError('message ends beyond its parent')
  reader.len = end
  readFields(reader, field)
  reader.len = outer
}

/**
 * Reads a `string` field.
 * @throws Error when it is not UTF-8, which proto3 demands
 */
export function readText(reader: Reader): string {
  const start = reader.pos
  const text = reader.string()
  if (!text.includes('\uFFFD')) return text
  reader.pos = start
  if (!isUtf8(reader.bytes())) throw new TypeError('string is not UTF-8')
  return text
}

function readFields(reader: Reader, field: FieldReader): void {
  while (reader.pos < reader.len) {
    const fieldTag = reader.tag()
    if (!field(reader, fieldTag)) reader.skipType(fieldTag & 7, 0, fieldTag >>> 3)
  }
  if (reader.pos !== reader.len) throw new RangeError('field ends beyond its message')
}
