import type { Credential } from '../identity/subject.ts'
import { subscriptionKey } from '../mcp/list-changed.ts'
import { formOf } from '../mcp/list-filter.ts'
import type { Read } from '../mcp/reading.ts'
import { createAudience } from './audience.ts'
import { type Door, isAllowed } from './door.ts'
import { rebuilt } from './filter.ts'
import { usable } from './lookout.ts'
import { watchedStream } from './watched-stream.ts'

/** Whose stream it is, as it was opened. */
export interface StreamAsked {
  readonly credential: Credential
  readonly reading: Read
  readonly address: string | undefined
  readonly signal: AbortSignal
}

/**
 * Whether the answer is a stream of whatever happens, which lasts. One that answers a call ends with it: what was allowed
 * may finish.
 */
export function mayLast({ asks }: Read): boolean {
  return asks.some(({ action }) => action === 'GET' || action === 'subscriptions/listen')
}

/**
 * Watches a stream of events for as long as it is open: it ends once the credential, or what was asked for, would not be
 * allowed any more, and its client is told when its lists are others. Never rejects.
 */
export async function watchedResponse(door: Door, response: Response, asked: StreamAsked): Promise<Response> {
  const { body, headers } = response
  if (!response.ok || body === null) return response
  if (formOf(headers.get('content-type'), headers.get('content-encoding')) !== 'events') return response
  const { lookout, changesEveryMs: everyMs, declared } = door
  const { credential, reading, address, signal } = asked
  const { virtualServers, session } = reading
  const who = { credential, virtualServers, address }
  // Before the client sees that it is open: what changes from then on is told.
  const before = usable(await lookout.look(who))
  const watch = {
    lookout,
    everyMs,
    who,
    before,
    stands: async () => await stands(door, asked),
    audience: createAudience(session === undefined ? [] : declared.of(session)),
    last: lastOf(reading),
    signal,
  }
  return rebuilt(response, watchedStream(body, watch))
}

/** Asked as it was when it began, but for what a gateway's own tokens were held against: some of these are spent. */
async function stands({ authorizer }: Door, { credential, reading, address }: StreamAsked): Promise<boolean> {
  try {
    const outcome = await authorizer.authorize({ credential, reading, address, again: true })
    return isAllowed(outcome, reading, undefined)
  } catch {
    return false
  }
}

/**
 * With 2026-07-28 a server that ends a subscription answers the request (basic/patterns/subscriptions, graceful closure);
 * older versions have nothing but the end of the stream. Clients open either again, and are judged anew.
 */
function lastOf({ asks: [ask], rpcId }: Read): string | undefined {
  if (ask?.action !== 'subscriptions/listen' || rpcId === undefined) return undefined
  const result = `{"resultType":"complete","_meta":{${JSON.stringify(subscriptionKey)}:${rpcId.text}}}`
  return `{"jsonrpc":"2.0","id":${rpcId.text},"result":${result}}`
}
