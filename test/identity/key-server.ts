import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An issuer's web server on loopback, whose answers a test changes as it goes. */
export interface KeyServer extends AsyncDisposable {
  readonly origin: string
  /** The paths that were asked for, in order. */
  readonly requests: readonly string[]
  /** Answers every path from now on. */
  answer(listener: RequestListener): void
  /** Answers every path with a JWK Set of these keys. */
  publish(keys: readonly unknown[]): void
}

export async function startKeyServer(): Promise<KeyServer> {
  const requests: string[] = []
  let listener: RequestListener = failing
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const answer = (next: RequestListener): void => {
    listener = next
  }
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer,
    publish: (keys) => answer(json({ keys })),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Answers 503. */
export const failing: RequestListener = (_, response) => {
  response.writeHead(503).end()
}

/** Never answers. */
export const silent: RequestListener = () => undefined

/** Answers 200 with text, or with a value as JSON. */
export function json(value: unknown): RequestListener {
  const text = typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value)
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(text)
  }
}

/** Answers with a JWK Set of these keys, but not before it is released. */
export function hold(keys: readonly unknown[]): { readonly listener: RequestListener; release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const listener: RequestListener = (request, response) => void promise.then(() => json({ keys })(request, response))
  return { listener, release: resolve }
}
