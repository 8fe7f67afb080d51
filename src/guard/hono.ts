import type { Door } from './door.ts'
import { guardFetch } from './fetch.ts'

/** What the guard needs of Hono's context. */
export interface HonoContext {
  readonly req: { raw: Request }
  get res(): Response
  set res(response: Response | undefined)
  /** Of the server that runs it; `@hono/node-server` puts Node's request there. */
  readonly env?: unknown
}

/** Middleware of Hono. */
export type HonoMiddleware = (context: HonoContext, next: () => Promise<void>) => Promise<void>

/**
 * Puts the guard before whatever is mounted behind it: that gets the request as it was judged, as `c.req.raw`, and what
 * it lists is cut. `addressOf` tells who sent a request.
 */
export function guardHono(
  door: Door,
  addressOf: ((request: Request) => string | undefined) | undefined,
): HonoMiddleware {
  return async (context, next) => {
    const own = addressOf ?? (() => remoteAddressOf(context.env))
    const guarded = guardFetch({ ...door, addressOf: own }, async (request) => {
      context.req.raw = request
      await next()
      return context.res
    })
    const response = await guarded(context.req.raw)
    // Hono merges the headers of an answer that is there into the next, also those that no longer hold.
    context.res = undefined
    context.res = response
  }
}

function remoteAddressOf(env: unknown): string | undefined {
  const { incoming } = Object(env) as { incoming?: { socket?: { remoteAddress?: unknown } } }
  const address = incoming?.socket?.remoteAddress
  return typeof address === 'string' ? address : undefined
}
