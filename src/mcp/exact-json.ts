/** A number that is kept as its JSON source. It is none of the message's objects, and `JSON.stringify` writes its source. */
interface ExactNumber {
  readonly rawJSON: string
}

/** What JavaScript engines have, and TypeScript's libraries do not yet (ECMA-262, "JSON.parse source text access"). */
interface ExactJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
  rawJSON(source: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
}

const json = JSON as unknown as ExactJson

/**
 * Reads JSON text as `JSON.parse` does, but numbers that it would write otherwise than they stand there stay as they are:
 * ids and bounds of 64 bits, which no double holds, as much as `1.0`. What looks at values must see {@link plainNumber}.
 */
export function parseExact(text: string): unknown {
  if (!holdsAltered(text)) return JSON.parse(text)
  return json.parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && isAltered(source) ? json.rawJSON(source) : value,
  )
}

/** Whether a value is a number that is kept as its source. */
export function isExactNumber(value: unknown): value is ExactNumber {
  return json.isRawJSON(value)
}

/** The number that `JSON.parse` would have made of one that is kept as its source; any other value as it is. */
export function plainNumber(value: unknown): unknown {
  return isExactNumber(value) ? Number(value.rawJSON) : value
}

/** The value as `JSON.parse` would have made it, however deep such numbers are. */
export function withPlainNumbers(value: unknown): unknown {
  return holdsExact(value) ? JSON.parse(JSON.stringify(value)) : value
}

function holdsExact(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isExactNumber(value) || Object.values(value).some(holdsExact)
}

/**
 * Where a value may begin: 16 digits, a fraction, an exponent or a negative zero. INVARIANT: takes linear time. One pattern
 * over the whole text, since most have none of these; text in strings may look the same, and costs a slower reading.
 */
const suspects = /(?:\d(?:\d{15}|[.eE])|-0)(?<=(?:^|[[:,])\s*(-?[\d.eE]{1,18}))([-+.\deE]*)/g

function holdsAltered(text: string): boolean {
  for (const [, start = '', rest = ''] of text.matchAll(suspects)) if (isAltered(start + rest)) return true
  return false
}

function isAltered(source: string): boolean {
  return JSON.stringify(Number(source)) !== source
}
