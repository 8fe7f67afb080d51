import { type Fault, type Headers, headerOf } from './headers.ts'

/** What a POST says about its body's form: `application/json`, in UTF-8, not encoded (RFC 9110 section 8.3 and 8.4). */
export function contentFault(headers: Headers): Fault | undefined {
  const type = headerOf(headers, 'content-type')
  if (typeof type !== 'string' || !isJson(type))
    return { code: 'content_type', detail: 'content-type must be application/json, with charset utf-8 or none' }
  const encoding = headerOf(headers, 'content-encoding')
  if (encoding !== undefined && encoding?.toLowerCase() !== 'identity')
    return { code: 'content_type', detail: 'content-encoding must be absent or identity' }
  return undefined
}

/** Envoy's word that it did not buffer the whole body. */
export function partialFault(headers: Headers): Fault | undefined {
  const partial = headerOf(headers, 'x-envoy-auth-partial-body')
  if (partial === undefined || partial === 'false') return undefined
  return { code: 'body_partial', detail: 'x-envoy-auth-partial-body must be false; raise max_request_bytes' }
}

/** A content-length that is not the number of bytes at hand. */
export function lengthFault(headers: Headers, bytes: number): Fault | undefined {
  const length = headerOf(headers, 'content-length')
  if (length === undefined || lengthOf(length) === bytes) return undefined
  return { code: 'body_partial', detail: 'content-length must be the number of bytes of the body' }
}

/** A body of any size beside GET or DELETE, or word of one: receivers differ in what they make of it. */
export function unexpectedBodyFault(headers: Headers, bytes: number): Fault | undefined {
  const length = headerOf(headers, 'content-length')
  if (bytes === 0 && (length === undefined || lengthOf(length) === 0)) return undefined
  return { code: 'body_ambiguous', detail: 'GET and DELETE must not have a body' }
}

function lengthOf(value: string | null): number | undefined {
  return value !== null && /^[0-9]+$/.test(value) ? Number(value) : undefined
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t \\x21-\\x7e\\x80-\\xff])*"'
const mediaType = /^application\/json/i
/** RFC 9110 section 5.6.6: a parameter may be left out, its semicolon may stay. */
const parameter = new RegExp(`[\\t ]*;[\\t ]*(?:(${token})=(${token}|${quoted}))?`, 'y')

function isJson(value: string): boolean {
  const parameters = parametersOf(value)
  if (parameters === undefined) return false
  const charsets = parameters.filter(([name]) => name.toLowerCase() === 'charset')
  return charsets.length <= 1 && charsets.every(([, charset]) => unquote(charset).toLowerCase() === 'utf-8')
}

/** The parameters after `application/json`; undefined where the value is anything else. */
function parametersOf(value: string): readonly (readonly [name: string, value: string])[] | undefined {
  let at = mediaType.exec(value)?.[0].length
  if (at === undefined) return undefined
  const parameters: (readonly [string, string])[] = []
  while (at < value.length) {
    parameter.lastIndex = at
    const match = parameter.exec(value)
    if (match === null) return undefined
    const [whole, name, text = ''] = match
    if (name !== undefined) parameters.push([name, text])
    at += whole.length
  }
  return parameters
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
}
