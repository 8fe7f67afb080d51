import { hash } from 'node:crypto'
import { declarationOf, type ListKind } from '../mcp/list-changed.ts'
import { formOf } from '../mcp/list-filter.ts'
import { isObject } from '../mcp/message.ts'
import { filterSse } from '../mcp/sse.ts'
import { rebuilt } from './filter.ts'

/** The kinds of list that servers declared in their sessions, which the streams of these do not say. */
export interface Declared {
  of(session: string): readonly ListKind[]
  keep(session: string, kinds: readonly ListKind[]): void
}

export interface DeclaredOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** More sessions are not remembered: those go that were asked for the longest ago. */
  readonly max?: number
}

/** A session that opens no stream for so long is forgotten: its client is then not told, but judged all the same. */
const lifeMs = 24 * 60 * 60 * 1000

export function createDeclared({ now, max = 10_000 }: DeclaredOptions): Declared {
  // In the order in which they were used: the first ends first.
  const sessions = new Map<string, { readonly kinds: readonly ListKind[]; readonly until: number }>()
  const keep = (key: string, kinds: readonly ListKind[]): void => {
    sessions.delete(key)
    sessions.set(key, { kinds, until: now() + lifeMs })
    for (const [oldest, { until }] of sessions) {
      if (sessions.size <= max && until > now()) break
      sessions.delete(oldest)
    }
  }
  return {
    of(session) {
      const key = keyOf(session)
      const found = sessions.get(key)
      if (found === undefined || found.until <= now()) return []
      keep(key, found.kinds)
      return found.kinds
    },
    keep: (session, kinds) => keep(keyOf(session), kinds),
  }
}

/** Ids of sessions are of the server's making, and may be long. */
function keyOf(session: string): string {
  return hash('sha256', session, 'base64')
}

/**
 * The answer to `initialize`, which tells clients that they will be told when lists are others; what the server has lists of
 * is kept for the streams of the session. Without a session there are none. Rejects only where reading the body does.
 */
export async function withDeclaration(response: Response, declared: Declared): Promise<Response> {
  const { body, headers } = response
  const session = headers.get('mcp-session-id')
  if (!response.ok || body === null || session === null) return response
  const told = (text: string): string => declaredText(text, (kinds) => declared.keep(session, kinds))
  const form = formOf(headers.get('content-type'), headers.get('content-encoding'))
  if (form === 'events')
    return rebuilt(
      response,
      filterSse(body, async (data) => told(data)),
    )
  if (form !== 'json') return response
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = new TextDecoder().decode(bytes)
  const sent = told(text)
  return rebuilt(response, sent === text ? bytes : sent)
}

/** What cannot be read declares nothing, and is the client's to make sense of. */
function declaredText(text: string, onKinds: (kinds: readonly ListKind[]) => void): string {
  try {
    const message: unknown = JSON.parse(text)
    const declaration = isObject(message) ? declarationOf(message) : undefined
    if (declaration === undefined) return text
    onKinds(declaration.kinds)
    return JSON.stringify(declaration.message)
  } catch {
    return text
  }
}
