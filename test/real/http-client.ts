import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

export type HeaderLines = readonly (readonly [name: string, value: string])[]

export interface HttpCall {
  readonly method?: string
  readonly path?: string
  /** Sent as they are, in this order. */
  readonly headers?: HeaderLines
  readonly body?: string | Buffer
  /** Send the body in chunks, without its length. */
  readonly chunked?: boolean
}

export interface HttpAnswer {
  readonly status: number
  header(name: string): string | undefined
  readonly body: string
}

/** One HTTP/1.1 request on a connection of its own, with header lines exactly as given. */
export async function send(port: number, call: HttpCall): Promise<HttpAnswer> {
  const { method = 'POST', path = '/mcp', headers = [], body, chunked = false } = call
  const framing = body === undefined ? [] : chunked ? ['transfer-encoding', 'chunked'] : lengthOf(body)
  const lines = ['host', 'mcp.example', ...headers.flat(), ...framing]
  const outgoing = request({ host: '127.0.0.1', port, method, path, headers: lines, agent: false })
  outgoing.end(body)
  const [response] = await once(outgoing, 'response')
  return {
    status: response.statusCode,
    header: (name) => response.headers[name],
    body: await text(response),
  }
}

/** The status that bytes on a bare socket are answered with; `closed` where there is none before the connection ends. */
export async function sendBytes(port: number, bytes: string): Promise<number | 'closed'> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(2000, () => socket.destroy())
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk
    if (answer.includes('\r\n\r\n')) socket.destroy()
  })
  socket.on('error', () => undefined)
  socket.write(bytes)
  await once(socket, 'close')
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]
  return status === undefined ? 'closed' : Number(status)
}

/** What an MCP client sends beside its body. */
export function mcpHeaders(token?: string): HeaderLines {
  const sent: HeaderLines = [
    ['content-type', 'application/json'],
    ['accept', 'application/json, text/event-stream'],
  ]
  return token === undefined ? sent : [...sent, ['authorization', `Bearer ${token}`]]
}

/** The body of a tools/call. */
export function toolCall(name: string, id: number | string = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } })
}

/** The JSON-RPC error in an answer. */
export interface RpcError {
  readonly jsonrpc: string
  readonly id: unknown
  readonly error: { readonly code: number; readonly data: { readonly reason: string; readonly decision_id: string } }
}

/** Reads a denial's body. */
export function errorIn({ body }: Pick<HttpAnswer, 'body'>): RpcError {
  return JSON.parse(body) as RpcError
}

/** The reason in a denial, whether it came as a JSON-RPC error or on its own. */
export function reasonIn({ body }: Pick<HttpAnswer, 'body'>): string {
  const { error } = JSON.parse(body) as { error: string | RpcError['error'] }
  return typeof error === 'string' ? error : error.data.reason
}

function lengthOf(body: string | Buffer): readonly [string, string] {
  return ['content-length', String(Buffer.byteLength(body))]
}
