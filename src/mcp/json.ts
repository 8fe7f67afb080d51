/** What a strict reading of JSON needs to know. */
export interface StrictJsonOptions {
  /** Nested arrays and objects that are allowed; a scalar has none. */
  readonly maxDepth: number
  /** A member of the outermost object whose JSON source is wanted, where it is a string, number or literal. */
  readonly sourceOf?: string
}

/** One JSON value that can be read in one way only, or why it cannot. */
export type StrictJson = StrictJsonRead | StrictJsonFault

export interface StrictJsonRead {
  readonly ok: true
  /** As `JSON.parse` gives it: `__proto__` is an own key like any other. */
  readonly value: unknown
  /** The text that was read. */
  readonly text: string
  /** The JSON source of the member that `sourceOf` names. */
  readonly source?: string
}

export interface StrictJsonFault {
  readonly ok: false
  readonly code: 'body_malformed' | 'body_ambiguous'
  /** One lower-case line for people; holds nothing of the text. */
  readonly detail: string
  /** Of a text that is ambiguous only: as of one that was read, the last of equal keys, and `source` of a single one. */
  readonly value?: unknown
  readonly source?: string
}

/**
 * Reads bytes as exactly one JSON value (RFC 8259) in UTF-8 without byte-order mark, with the I-JSON rules (RFC 7493)
 * that no two members of an object share a name and that every string is well-formed Unicode. Never throws; takes
 * linear time and no stack. Where a text is both malformed and ambiguous, malformed is said.
 */
export function parseStrictJson(bytes: Uint8Array, options: StrictJsonOptions): StrictJson {
  const text = decode(bytes)
  return text === undefined ? malformed('the bytes are not UTF-8') : parseStrictText(text, options)
}

/** The same for text that is decoded already. A byte-order mark is refused here too. */
export function parseStrictText(text: string, options: StrictJsonOptions): StrictJson {
  if (!text.isWellFormed()) return malformed('the text holds half of a surrogate pair')
  const parsed = parse(text)
  if (parsed === undefined) return malformed('the text is not exactly one JSON value')
  const scan = new Scan(text, options)
  const fault = scan.run()
  if (fault?.code === 'body_malformed') return fault
  const read = { value: parsed.value, ...(scan.source === undefined ? {} : { source: scan.source }) }
  return fault === undefined ? { ok: true, text, ...read } : { ...fault, ...read }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

function malformed(detail: string): StrictJsonFault {
  return { ok: false, code: 'body_malformed', detail }
}

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

const escapedSurrogate = /\\u[dD][89a-fA-F]/

/** Walks text that `JSON.parse` has accepted, so that only what it forgives has to be looked for. */
class Scan {
  source: string | undefined
  readonly #text: string
  readonly #maxDepth: number
  readonly #sourceOf: string | undefined
  readonly #inObject: boolean[] = []
  readonly #keys = new OpenKeys()
  #at = 0
  #expectsKey = false
  #escaped = false
  #ambiguous = false

  constructor(text: string, options: StrictJsonOptions) {
    this.#text = text
    this.#maxDepth = options.maxDepth
    this.#sourceOf = options.sourceOf
  }

  run(): StrictJsonFault | undefined {
    while (this.#at < this.#text.length) {
      const fault = this.#step(this.#text.charCodeAt(this.#at))
      if (fault !== undefined) return fault
    }
    return this.#ambiguous ? { ok: false, code: 'body_ambiguous', detail: 'an object holds a key twice' } : undefined
  }

  #step(code: number): StrictJsonFault | undefined {
    if (code === quote) return this.#string()
    this.#at += 1
    switch (code) {
      case comma:
        this.#expectsKey = this.#inObject.at(-1) === true
        return undefined
      case openBrace:
      case openBracket:
        return this.#open(code === openBrace)
      case closeBrace:
      case closeBracket:
        this.#close()
        return undefined
      default:
        return undefined
    }
  }

  #open(isObject: boolean): StrictJsonFault | undefined {
    if (this.#inObject.length >= this.#maxDepth) return malformed('arrays and objects are nested too deep')
    this.#inObject.push(isObject)
    if (isObject) this.#keys.open()
    this.#expectsKey = isObject
    return undefined
  }

  #close(): void {
    if (this.#inObject.pop() === true) this.#keys.close()
  }

  #string(): StrictJsonFault | undefined {
    const start = this.#at
    this.#at = this.#endOfString(start)
    const isKey = this.#expectsKey
    this.#expectsKey = false
    if (!isKey && !this.#escaped) return undefined
    const source = this.#text.slice(start, this.#at)
    if (!isKey && !escapedSurrogate.test(source)) return undefined
    const string = this.#escaped ? String(JSON.parse(source)) : source.slice(1, -1)
    if (!string.isWellFormed()) return malformed('a string holds half of a surrogate pair')
    if (isKey) this.#key(string)
    return undefined
  }

  #key(key: string): void {
    const isFirst = this.#keys.add(key)
    if (!isFirst) this.#ambiguous = true
    if (this.#inObject.length === 1 && key === this.#sourceOf) this.source = isFirst ? this.#scalarSource() : undefined
  }

  /** The source of the scalar after the colon that comes next. */
  #scalarSource(): string | undefined {
    const start = skip(this.#text, this.#at)
    if (this.#text.charCodeAt(start) === quote) return this.#text.slice(start, this.#endOfString(start))
    const scalar = /[-+.0-9A-Za-z]+/y
    scalar.lastIndex = start
    return scalar.exec(this.#text)?.[0]
  }

  /** The place after the closing quote of the string that starts at `start`. */
  #endOfString(start: number): number {
    this.#escaped = false
    for (let at = start + 1; ; at += 1) {
      const code = this.#text.charCodeAt(at)
      if (code === quote) return at + 1
      if (code === backslash) {
        this.#escaped = true
        at += 1
      }
    }
  }
}

function skip(text: string, from: number): number {
  let at = from
  while (' \t\r\n:'.includes(text.charAt(at))) at += 1
  return at
}

/** Below this many keys, looking at each is faster than hashing. */
const fewKeys = 8

/** The keys of all objects that are open, innermost last. One array for all: objects are many, and most are small. */
class OpenKeys {
  readonly #keys: string[] = []
  readonly #starts: number[] = []
  readonly #sets: (Set<string> | undefined)[] = []
  #count = 0

  open(): void {
    this.#starts.push(this.#count)
    this.#sets.push(undefined)
  }

  close(): void {
    this.#count = this.#starts.pop() ?? 0
    this.#sets.pop()
  }

  /** False when the innermost object has the key already. */
  add(key: string): boolean {
    const set = this.#sets.at(-1)
    if (set !== undefined) return set.size < set.add(key).size
    const start = this.#starts.at(-1) ?? 0
    for (let at = start; at < this.#count; at += 1) if (this.#keys[at] === key) return false
    this.#keys[this.#count] = key
    this.#count += 1
    if (this.#count - start > fewKeys) this.#sets[this.#sets.length - 1] = new Set(this.#keys.slice(start, this.#count))
    return true
  }
}
