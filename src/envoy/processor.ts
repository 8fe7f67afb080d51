import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { textOf } from '../policy/errors.ts'
import { createExchange, type Exchange, type ExchangeOptions } from './exchange.ts'
import { methodOf, type Service } from './service.ts'

/** The name of Envoy's external processing. */
export const externalProcessor = 'envoy.service.ext_proc.v3.ExternalProcessor'

/** Cuts lists in the answers of MCP servers, one gRPC stream for each. */
export interface Processor {
  readonly service: Service
  /** Streams that are open now. */
  open(): number
  /** Ends, as failed, those at a stream of events; they would keep the server from shutting down. */
  endEvents(): void
}

type Stream = ServerDuplexStream<Buffer, Buffer>

export interface ProcessorOptions extends ExchangeOptions {
  /** Milliseconds for which a stream may be open without a first message. Default 10,000. */
  readonly silenceMs?: number | undefined
}

/** Answers external processing with the lists of `authorizer.visible`. */
export function createProcessor(options: ProcessorOptions): Processor {
  const { silenceMs = 10_000 } = options
  const streams = new Map<Stream, Exchange>()

  function processed(stream: Stream): void {
    const exchange = createExchange(options)
    streams.set(stream, exchange)
    const silence = setTimeout(() => fail(stream, status.DEADLINE_EXCEEDED, 'no message came'), silenceMs)
    const forget = (): void => {
      clearTimeout(silence)
      streams.delete(stream)
    }
    stream.once('close', forget).once('cancelled', forget)
    stream.on('data', (part: Buffer) => {
      clearTimeout(silence)
      if (!streams.has(stream)) return
      // One part at a time: Envoy waits for its answer, and whoever does not is held back.
      stream.pause()
      void answer(stream, exchange, part).then(() => stream.resume())
    })
    // Envoy is done; before that, a stream that ends well would let the rest pass unfiltered.
    stream.on('end', () => {
      forget()
      stream.end()
    })
  }

  async function answer(stream: Stream, exchange: Exchange, part: Buffer): Promise<void> {
    try {
      const reply = await exchange.answer(part)
      if (streams.has(stream) && !stream.write(reply)) await writable(stream)
    } catch (thrown) {
      options.onUnfilterable?.(textOf(thrown))
      fail(stream, status.INVALID_ARGUMENT, 'this part of an exchange cannot be filtered')
    }
  }

  function fail(stream: Stream, code: status, details: string): void {
    if (streams.delete(stream)) stream.emit('error', { code, details })
  }

  return {
    service: {
      definition: { Process: methodOf(`/${externalProcessor}/Process`, { requestStream: true, responseStream: true }) },
      implementation: { Process: processed },
    },
    open: () => streams.size,
    endEvents() {
      for (const [stream, exchange] of streams)
        if (exchange.streams()) fail(stream, status.UNAVAILABLE, 'the server is shutting down')
    },
  }
}

function writable(stream: Stream): Promise<void> {
  const events = ['drain', 'close', 'cancelled']
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done)
      resolve()
    }
    for (const event of events) stream.on(event, done)
  })
}
