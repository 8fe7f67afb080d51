import { ProtocolError, type Result } from '@modelcontextprotocol/client'
import type { UpstreamConfig } from '../config/config.ts'
import type { CallOptions } from './client.ts'
import { failureOf } from './failure.ts'
import type { Presence } from './keeper.ts'
import type { Link } from './link.ts'
import { paramHeaders } from './param-headers.ts'
import type { Sessions } from './sessions.ts'
import { UpstreamUnavailable } from './unavailable.ts'
import type { Wording } from './wording.ts'

/** The way to a server for its callers: the connection of all, or one for each. */
export interface Access {
  /** Connects where the caller needs a connection of its own. @throws as `request` does */
  ready(caller: string): Promise<void>
  /** @throws what `failureOf` makes of it */
  request(caller: string, method: string, params: Record<string, unknown>, options: CallOptions): Promise<Result>
}

export interface AccessOptions {
  readonly wording: Wording
  readonly sessions: Sessions
  readonly presence: () => Presence | undefined
  readonly isEnabled: () => boolean
  /** Told when a request found something wrong with the connection. */
  readonly onFault: () => void
}

export function createAccess(id: string, config: UpstreamConfig, options: AccessOptions): Access {
  const { wording, sessions, presence, isEnabled, onFault } = options

  async function through<T>(caller: string, run: (link: Link) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const link = presence()?.link
    if (link === undefined) throw new UpstreamUnavailable(id, isEnabled() ? 'unreachable' : 'disabled')
    try {
      // The connection that lists is lent to callers only where none of them could leave something in it.
      const isShared = config.sessions === 'shared' || link.isStateless
      return await (isShared ? run(link) : sessions.use(caller, run, signal))
    } catch (thrown) {
      const failure = failureOf(thrown, id, wording, signal)
      if (failure instanceof UpstreamUnavailable || isHeaderMismatch(failure)) onFault()
      throw failure
    }
  }

  return {
    ready: async (caller) => await through(caller, async () => undefined),
    async request(caller, method, params, { signal, timeoutMs = config.timeoutSeconds * 1000, onprogress }) {
      const run = (link: Link) => {
        const headers = link.repeatsParams && method === 'tools/call' ? headersOf(presence(), params) : undefined
        return link.request(method, params, { signal, timeoutMs, onprogress, headers })
      }
      return await through(caller, run, signal)
    },
  }
}

/** The tool that was called is not any more what was listed. */
function isHeaderMismatch(failure: unknown): boolean {
  return failure instanceof ProtocolError && failure.code === -32020
}

function headersOf(presence: Presence | undefined, { name, arguments: given }: Record<string, unknown>) {
  const tool = presence?.offer.tools.find((one) => one.name === name)
  return paramHeaders(tool?.inputSchema, given)
}
