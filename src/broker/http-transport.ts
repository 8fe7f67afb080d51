import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import type { HttpUpstreamConfig } from '../config/config.ts'

/** The `data` of an error that no server sent: the stream that should have brought the answer ended without it. */
export const streamEnded: unique symbol = Symbol('the stream ended before the answer')

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1]

/**
 * The SDK's transport, which alone lets a request wait for its whole time limit where the event stream of its answer
 * broke. Here the request fails at once.
 */
export class HttpTransport extends StreamableHTTPClientTransport {
  readonly #unanswered = new Set<string | number>()
  #isWatching = false

  constructor({ url, headers }: HttpUpstreamConfig) {
    super(new URL(url), { requestInit: { headers: { ...headers } } })
  }

  /** Begins once the client has connected, and has said where messages go. */
  watch(): void {
    const deliver = this.onmessage
    this.#isWatching = true
    this.onmessage = (message) => {
      if (!('method' in message) && message.id !== undefined) this.#unanswered.delete(message.id)
      deliver?.(message)
    }
  }

  override async send(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): Promise<void> {
    const id = this.#isWatching && 'method' in message && 'id' in message ? message.id : undefined
    // A subscription hears of the end by itself.
    if (id === undefined || options?.onRequestStreamEnd !== undefined) return await super.send(message, options)
    this.#unanswered.add(id)
    const onRequestStreamEnd = () => {
      if (!this.#unanswered.has(id)) return
      const error = { code: -32000, message: 'stream ended', data: streamEnded }
      this.onmessage?.({ jsonrpc: '2.0', id, error })
    }
    try {
      await super.send(message, { ...options, onRequestStreamEnd })
    } catch (thrown) {
      this.#unanswered.delete(id)
      throw thrown
    }
  }
}
