import { isUtf8 } from 'node:buffer'
import type { Reader } from 'protobufjs/minimal.js'
import { type FieldReader, readNested, readText, tag } from './wire.ts'

/** The fields of an `envoy.config.core.v3.HeaderMap`, collected in `headers`: lower-case names, every value in order. */
export function headerMapFields(headers: Map<string, string[]>): FieldReader {
  return (reader, field) => {
    if (field !== tag.bytes(1)) return false
    addHeader(headers, readEntry(reader))
    return true
  }
}

/** An entry of a map, or a HeaderValue: both have `key` as field 1 and `value` as field 2. */
export interface Entry {
  key: string
  value: string
  raw: string
}

/** Reads the entry that the reader stands before. */
export function readEntry(reader: Reader): Entry {
  const entry: Entry = { key: '', value: '', raw: '' }
  readNested(reader, (inner, field) => {
    if (field === tag.bytes(1)) entry.key = readText(inner)
    else if (field === tag.bytes(2)) entry.value = readText(inner)
    else if (field === tag.bytes(3)) entry.raw = rawText(inner.bytes())
    else return false
    return true
  })
  return entry
}

/**
 * UTF-8 as text; of anything else each byte from 0x80 on becomes a lone low surrogate. Reading it as latin1 instead
 * would make the byte E9 equal to a rightly encoded `é`.
 */
function rawText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isUtf8(buffer)) return buffer.toString('utf8')
  return buffer.toString('latin1').replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 | byte.charCodeAt(0)))
}

/** Every value counts, also when one key comes twice in a map: readers of `headers` would see only the last. */
export function addHeader(headers: Map<string, string[]>, { key, value, raw }: Entry): void {
  if (key.startsWith(':')) return
  const name = key.toLowerCase()
  const values = headers.get(name) ?? []
  if (raw === '' || value === '' || raw === value) values.push(raw === '' ? value : raw)
  else values.push(value, raw)
  headers.set(name, values)
}
