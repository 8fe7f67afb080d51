import type {
  CallToolRequestParams,
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptRequestParams,
  GetPromptResult,
  Progress,
  ReadResourceRequestParams,
  ReadResourceResult,
  Result,
} from '@modelcontextprotocol/client'
import { isPlainObject } from './plain-object.ts'

/** How a request of a caller is made. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the server's `timeoutSeconds`. Begun anew by progress. */
  readonly timeoutMs?: number | undefined
  readonly onprogress?: ((progress: Progress) => void) | undefined
}

/**
 * Asks a server on behalf of one caller. Names are the server's own. Results are as the server gave them, unchecked. Of
 * `_meta` what speaks of the caller's connection with the broker is not passed on.
 *
 * @throws ProtocolError of the SDK, the server's own error; UpstreamUnavailable; the reason of an aborted signal
 */
export interface UpstreamClient {
  callTool(params: CallToolRequestParams, options?: CallOptions): Promise<CallToolResult>
  getPrompt(params: GetPromptRequestParams, options?: CallOptions): Promise<GetPromptResult>
  readResource(params: ReadResourceRequestParams, options?: CallOptions): Promise<ReadResourceResult>
  complete(params: CompleteRequestParams, options?: CallOptions): Promise<CompleteResult>
}

/** Sends one request, and gives what comes back. */
export type Send = (method: string, params: Record<string, unknown>, options: CallOptions) => Promise<Result>

/** The requests of one caller, by the one way that they are sent. */
export function clientOf(send: Send): UpstreamClient {
  async function ask<T extends Result>(method: string, params: object, options: CallOptions = {}): Promise<T> {
    return (await send(method, forwarded(params), options)) as T
  }
  return {
    callTool: (params, options) => ask('tools/call', params, options),
    getPrompt: (params, options) => ask('prompts/get', params, options),
    readResource: (params, options) => ask('resources/read', params, options),
    complete: (params, options) => ask('completion/complete', params, options),
  }
}

/**
 * Parameters without what the protocol says in `_meta` of one connection: left in, the caller's word of its version and of
 * what it can do would stand in place of the broker's.
 */
function forwarded(params: object): Record<string, unknown> {
  const { _meta, ...rest } = { ...params } as Record<string, unknown>
  if (!isPlainObject(_meta)) return rest
  const kept = Object.entries(_meta).filter(
    ([key]) => key !== 'progressToken' && !key.startsWith('io.modelcontextprotocol/'),
  )
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) }
}
