/** A POST of a JSON-RPC message, as a client of 2025-11-25 sends it. */
export function rpcRequest(
  method: string,
  params: unknown = {},
  headers: Readonly<Record<string, string>> = {},
  id: unknown = 1,
): Request {
  return post(JSON.stringify({ jsonrpc: '2.0', id, method, params }), headers)
}

export function post(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Request {
  return new Request('http://mcp.test/mcp', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: typeof body === 'string' ? body : Buffer.from(body),
  })
}

export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** A handler that answers every request with the same, and keeps what reached it. */
export interface Handler {
  readonly fetch: (request: Request) => Promise<Response>
  readonly reached: Request[]
}

export function handlerOf(answer: (request: Request) => Response | Promise<Response>): Handler {
  const reached: Request[] = []
  return {
    reached,
    fetch: async (request) => {
      reached.push(request)
      return await answer(request)
    },
  }
}

export function result(value: unknown, id: unknown = 1): Response {
  return Response.json({ jsonrpc: '2.0', id, result: value })
}

/** A stream of server-sent events, one for each message. */
export function events(...messages: readonly unknown[]): Response {
  const text = messages.map((message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`).join('')
  return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
}

/** The messages of a stream of server-sent events. */
export function messagesOf(text: string): unknown[] {
  return [...text.matchAll(/^data: (.*)$/gmu)].map(([, data = '']) => JSON.parse(data) as unknown)
}
