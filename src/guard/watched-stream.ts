import { changedKinds, type ListKind } from '../mcp/list-changed.ts'
import { createSseFilter, eventOf, framingOf, type SseFraming, usualFraming } from '../mcp/sse.ts'
import type { Capabilities } from '../policy/decision.gen.ts'
import type { Audience } from './audience.ts'
import { type Lookout, type Seen, usable, type Watcher, type Who } from './lookout.ts'

/** What a stream is watched by. */
export interface StreamWatch {
  readonly lookout: Lookout
  readonly everyMs: number
  readonly who: Who
  /** What the peer could use when the stream began. */
  readonly before: Capabilities
  /** Whether it would be opened now. Never rejects. */
  readonly stands: () => Promise<boolean>
  readonly audience: Audience
  /** The message that ends it, where its version has one. */
  readonly last: string | undefined
  /** Of the client that reads it. */
  readonly signal: AbortSignal
}

/** The stream as it leaves, watched from the first read on. */
export function watchedStream(body: ReadableStream<Uint8Array>, watch: StreamWatch): ReadableStream<Uint8Array> {
  // Nothing is fetched before it is asked for: what is judged leaves at once.
  return new ReadableStream(new WatchedStream(body, watch), { highWaterMark: 0 })
}

/**
 * Hands on the events of a server while whoever reads them may, and tells of lists that are others now. Every chunk that
 * leaves is a whole event, so that one of the guard's own can stand between any two.
 */
class WatchedStream implements Watcher {
  readonly #watch: StreamWatch
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #pieces: AsyncGenerator<Uint8Array>
  readonly #untold = new Set<ListKind>()
  readonly #left = (): void => this.#end()
  #before: Capabilities
  #framing: SseFraming | undefined
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #unwatch: (() => void) | undefined
  /** What the server says next, once it was asked for. */
  #next: Promise<IteratorResult<Uint8Array>> | undefined
  /** The server is waited for, and nothing of it is on its way. */
  #isReading = false
  /** Ends the wait of a client for the server. */
  #wake: (() => void) | undefined
  /** The server has ended it; what is left may be the beginning of an event. */
  #isDone = false
  #isOver = false

  constructor(body: ReadableStream<Uint8Array>, watch: StreamWatch) {
    this.#watch = watch
    this.#before = watch.before
    this.#reader = body.getReader()
    this.#pieces = this.#read()
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#begin(controller)
    try {
      // One event, or the end; less would not be asked for again. More would wait here, judged long before it leaves.
      while (!this.#isOver && !this.#tell()) {
        const piece = await this.#nextOrTold()
        if (piece?.done === true) return this.#close()
        if (piece !== undefined && (await this.#deliver(piece.value))) return
      }
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  async cancel(reason: unknown): Promise<void> {
    this.#release()
    await this.#reader.cancel(reason)
  }

  who(): Who {
    return this.#watch.who
  }

  async saw(seen: Seen): Promise<void> {
    const now = usable(seen)
    const kinds = changedKinds(this.#before, now)
    // Also what a subscription names is open to others only where that shows in what they may use.
    if ((kinds.length > 0 || seen?.ok !== true) && !(await this.#watch.stands())) return this.#end()
    for (const kind of kinds) this.#untold.add(kind)
    this.#before = now
    if (this.#notices().length > 0) this.#wake?.()
  }

  over(): void {
    this.#end()
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    const filter = createSseFilter(async (data) => this.#noted(data))
    for (;;) {
      this.#isReading = true
      const { done, value } = await this.#reader.read()
      this.#isReading = false
      if (done) break
      yield* filter.push(value)
    }
    this.#isDone = true
    yield* filter.end()
  }

  #begin(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#controller !== undefined) return
    this.#controller = controller
    const { lookout, everyMs, signal } = this.#watch
    if (signal.aborted) {
      this.#end()
      return
    }
    signal.addEventListener('abort', this.#left, { once: true })
    this.#unwatch = lookout.watch(this, everyMs)
    // It may have ended it at once.
    if (this.#isOver) this.#unwatch()
  }

  /** The next piece of the server, or undefined where there may be something to tell before it comes. */
  async #nextOrTold(): Promise<IteratorResult<Uint8Array> | undefined> {
    if (this.#next === undefined) {
      this.#next = this.#pieces.next()
      // It may fail while the client reads nothing; who reads next is told.
      this.#next.catch(() => undefined)
    }
    const { promise: told, resolve } = Promise.withResolvers<undefined>()
    this.#wake = () => resolve(undefined)
    const piece = await Promise.race([this.#next, told])
    this.#wake = undefined
    if (piece !== undefined) this.#next = undefined
    return piece
  }

  /** Whether there was something to tell, and it could be told. */
  #tell(): boolean {
    // Nothing overtakes what is on its way: it may be what a subscription is acknowledged by.
    if (this.#isDone || (this.#next !== undefined && !this.#isReading)) return false
    const notices = this.#notices()
    for (const [kind, notice] of notices) {
      this.#untold.delete(kind)
      this.#write(eventOf(JSON.stringify(notice), this.#framing ?? usualFraming))
    }
    return notices.length > 0
  }

  /** A subscription is told nothing before it was acknowledged. */
  #notices(): readonly (readonly [ListKind, object])[] {
    return [...this.#untold].flatMap((kind) => this.#watch.audience.notices(kind).map((one) => [kind, one] as const))
  }

  /** Whether it left. */
  async #deliver(piece: Uint8Array): Promise<boolean> {
    if (this.#isOver) return false
    if (!(await this.#watch.stands())) {
      this.#end()
      return false
    }
    if (this.#isOver) return false
    this.#framing ??= framingOf(piece)
    this.#write(piece)
    return true
  }

  #noted(data: string): string {
    const { audience } = this.#watch
    if (!/subscriptions\/acknowledged|protocolVersion/u.test(data)) return data
    try {
      const message: unknown = JSON.parse(data)
      const sent = audience.sent(message)
      return sent === message ? data : JSON.stringify(sent)
    } catch {
      return data
    }
  }

  #write(bytes: Uint8Array): void {
    this.#controller?.enqueue(bytes)
  }

  #end(): void {
    if (this.#isOver) return
    const { last, signal } = this.#watch
    // What follows the beginning of an event would be part of it.
    if (last !== undefined && !this.#isDone && !signal.aborted)
      this.#write(eventOf(last, this.#framing ?? usualFraming))
    this.#close()
    this.#reader.cancel().catch(() => undefined)
  }

  #close(): void {
    if (this.#isOver) return
    this.#release()
    this.#controller?.close()
  }

  #fail(thrown: unknown): void {
    if (this.#isOver) return
    this.#release()
    this.#controller?.error(thrown)
    this.#reader.cancel(thrown).catch(() => undefined)
  }

  #release(): void {
    this.#isOver = true
    this.#watch.signal.removeEventListener('abort', this.#left)
    this.#unwatch?.()
  }
}
