export interface SseOptions {
  /** Bytes of one event, line ends included; a longer one ends the stream with an error. Default 8 MiB. */
  readonly maxEventBytes?: number
}

/**
 * Rewrites the data of a stream of server-sent events (WHATWG HTML, section 9.2), event by event: an event leaves as
 * soon as it is complete, and no more than one is held. `transform` gets the data of an event, its lines joined by
 * LF, and answers with what stands for it; empty data is not asked about. Everything else is kept byte for byte, also
 * an event whose data stays the same; only marks at the start of the stream are removed. An unfinished event at the end
 * of the stream is transformed too. The stream ends with an error where `transform` rejects or an event is too long.
 */
export function filterSse(
  stream: ReadableStream<Uint8Array>,
  transform: (data: string) => Promise<string>,
  options: SseOptions = {},
): ReadableStream<Uint8Array> {
  const filter = createSseFilter(transform, options)
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        for await (const event of filter.push(chunk)) controller.enqueue(event)
      },
      async flush(controller) {
        for await (const rest of filter.end()) controller.enqueue(rest)
      },
    }),
  )
}

/** The same where chunks are handed over one by one; the next only once the last was gone through to its end. */
export interface SseFilter {
  /** What can leave after this chunk. Throws where `transform` rejects or an event is too long. */
  push(chunk: Uint8Array): AsyncGenerator<Uint8Array>
  /** What is left when the stream ends. */
  end(): AsyncGenerator<Uint8Array>
}

/** Makes the filter of one stream. */
export function createSseFilter(transform: (data: string) => Promise<string>, options: SseOptions = {}): SseFilter {
  const splitter = new EventSplitter(options.maxEventBytes ?? 8 * 1024 * 1024)
  return {
    async *push(chunk) {
      for (const event of splitter.split(chunk)) yield await rewrite(event, transform)
    },
    async *end() {
      for (const rest of splitter.end()) yield await rewrite(rest, transform)
    },
  }
}

/** How a server writes its events. */
export interface SseFraming {
  readonly lineEnd: string
  /** Whether it says their type, also where that is the default. */
  readonly named: boolean
}

/** How both SDKs write events. */
export const usualFraming: SseFraming = { lineEnd: '\n', named: true }

/** How a whole event is written; undefined where there is no data in it, which shows too little. */
export function framingOf(event: Uint8Array): SseFraming | undefined {
  const text = decoder.decode(event)
  if (!/^data(?:$|:)/mu.test(text)) return undefined
  return { lineEnd: /\r\n|\r|\n/u.exec(text)?.[0] ?? usualFraming.lineEnd, named: /^event(?:$|:)/mu.test(text) }
}

/** A whole event, without an id: whoever resumes a stream goes on after an event of the server. */
export function eventOf(data: string, { lineEnd, named }: SseFraming): Uint8Array {
  const lines = [...(named ? ['event: message'] : []), `data: ${data}`, '', '']
  return encoder.encode(lines.join(lineEnd))
}

const lf = 0x0a
const cr = 0x0d
const colon = 0x3a
/** A byte-order mark, and one that was encoded twice: readers skip this one too (eventsource-parser of the SDKs). */
const marks: readonly (readonly number[])[] = [
  [0xef, 0xbb, 0xbf],
  [0xc3, 0xaf, 0xc2, 0xbb, 0xc2, 0xbf],
]

/** Cuts bytes into pieces that can leave: whole events, comments between events, a line end that came late. */
class EventSplitter {
  readonly #maxEventBytes: number
  #buffer = new Uint8Array(1024)
  #length = 0
  #lineStart = 0
  #afterCr = false
  #atStart = true

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes
  }

  *split(chunk: Uint8Array): Generator<Uint8Array> {
    let at = 0
    while (at < chunk.length) {
      if (this.#afterCr && chunk[at] === lf) {
        this.#append(chunk.subarray(at, at + 1))
        this.#lineStart = this.#length
        this.#afterCr = false
        at += 1
        if (this.#length === 1) yield this.#take()
        continue
      }
      const end = endOfLine(chunk, at)
      this.#append(chunk.subarray(at, end.next))
      at = end.next
      this.#afterCr = end.by === cr
      if (end.by === undefined) return
      if (this.#atStart) this.#unmark()
      if (this.#isComplete()) yield this.#take()
      else this.#lineStart = this.#length
    }
  }

  /** What is left when the stream ends. */
  *end(): Generator<Uint8Array> {
    if (this.#atStart) this.#unmark()
    if (this.#length > 0) yield this.#take()
  }

  /** How many marks are skipped at the start differs between readers; without any, all see the same first field. */
  #unmark(): void {
    this.#atStart = false
    let at = 0
    for (let mark = this.#markAt(at); mark !== undefined; mark = this.#markAt(at)) at += mark.length
    this.#buffer.copyWithin(0, at, this.#length)
    this.#length -= at
  }

  #markAt(start: number): readonly number[] | undefined {
    const isAt = (byte: number, at: number): boolean => start + at < this.#length && this.#buffer[start + at] === byte
    return marks.find((mark) => mark.every(isAt))
  }

  /** After a line: whether it was blank, or a comment that no event has begun before. */
  #isComplete(): boolean {
    const first = this.#buffer[this.#lineStart]
    return first === cr || first === lf || (this.#lineStart === 0 && first === colon)
  }

  #take(): Uint8Array {
    const taken = this.#buffer.slice(0, this.#length)
    this.#length = 0
    this.#lineStart = 0
    return taken
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#maxEventBytes) throw new Error(`an event of the stream is over ${this.#maxEventBytes} bytes`)
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.length))
      larger.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#length)
    this.#length = length
  }
}

/** The first line end from `from` on: which byte makes it, and the place after that byte. */
function endOfLine(chunk: Uint8Array, from: number): { readonly by?: number; readonly next: number } {
  for (let at = from; at < chunk.length; at += 1) {
    const byte = chunk[at]
    if (byte === lf || byte === cr) return { by: byte, next: at + 1 }
  }
  return { next: chunk.length }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

async function rewrite(event: Uint8Array, transform: (data: string) => Promise<string>): Promise<Uint8Array> {
  const lines = [...decoder.decode(event).matchAll(/([^\r\n]*)(\r\n|\r|\n|$)/g)]
  const payloads = lines.map(([, content = '']) => dataOf(content))
  const data = payloads.filter((payload) => payload !== undefined).join('\n')
  if (data === '') return event
  const transformed = await transform(data)
  if (transformed === data) return event
  const first = payloads.findIndex((payload) => payload !== undefined)
  const text = lines.map(([whole, , end = ''], at) => {
    if (payloads[at] === undefined) return whole
    return at === first ? dataLines(transformed, end) : ''
  })
  return encoder.encode(text.join(''))
}

/** The value of a data field; undefined for any other line. */
function dataOf(line: string): string | undefined {
  const value = /^data(?:$|: ?)/.exec(line)
  return value === null ? undefined : line.slice(value[0].length)
}

function dataLines(data: string, end: string): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}`)
  return lines.join(end === '' ? '\n' : end) + end
}
