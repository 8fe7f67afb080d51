import { once } from 'node:events'
import type { Client, ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import type { VisibleQuery } from '../../src/authorizer/attempt.ts'
import type { DoorFault } from '../../src/envoy/check.ts'
import { createEnvoyDoor, type EnvoyDoor } from '../../src/envoy/server.ts'
import { recording, strict } from './authorizers.ts'
import { connect, process } from './clients.ts'
import { decodeProcessing, encodeProcessing, type ProcessingFields, type ProcessingReply } from './messages.ts'

/** Envoy's side of one exchange. */
export interface Exchange {
  /** Sends a part and waits for its answer; rejects with the gRPC error where there is none. */
  send(part: ProcessingFields | Buffer): Promise<ProcessingReply>
  /** Ends it, as Envoy does; resolves with the code of its end. */
  end(): Promise<number>
  /** The code of its end, whoever ends it. */
  readonly ended: Promise<number>
  readonly stream: ClientDuplexStream<Buffer, Buffer>
}

export function openExchange(client: Client): Exchange {
  const stream = process(client)
  const ended = new Promise<ServiceError | undefined>((resolve) => {
    stream.once('error', resolve)
    stream.once('status', ({ code, details }) => {
      if (code === 0) resolve(undefined)
      else resolve(Object.assign(new Error(details), { code }) as ServiceError)
    })
  })
  return {
    stream,
    ended: ended.then((error) => error?.code ?? 0),
    async send(part) {
      const answered = once(stream, 'data').catch(() => new Promise<never>(() => undefined))
      stream.write(Buffer.isBuffer(part) ? part : encodeProcessing(part))
      const first = await Promise.race([answered, ended])
      if (Array.isArray(first)) return decodeProcessing(first[0])
      throw first ?? new Error('the stream ended well')
    },
    async end() {
      stream.end()
      stream.resume()
      return (await ended)?.code ?? 0
    },
  }
}

/** What the check says of a list, as Envoy forwards it. */
export function metadata(question: unknown, namespace = 'envoy.filters.http.ext_authz'): ProcessingFields {
  const stringValue = typeof question === 'string' ? question : JSON.stringify(question)
  const fields = { allow: { boolValue: true }, list_filter: { stringValue } }
  return { metadata_context: { filter_metadata: { [namespace]: { fields } } } }
}

export const listQuestion = { server: 'weather', virtualServers: ['team/desk'], id: '7', address: '192.0.2.1' }

type Headers = Readonly<Record<string, string | readonly string[]>>

function headerMap(headers: Headers) {
  const lines = Object.entries(headers).flatMap(([key, values]) =>
    [values].flat().map((value) => ({ key, raw_value: Buffer.from(value) })),
  )
  return { headers: lines }
}

/** The request of somebody, whose name the authorizers of the tests see by. */
export function requestOf(person: string, question: unknown = listQuestion, headers: Headers = {}): ProcessingFields {
  const sent = { ':method': 'POST', authorization: `Bearer ${person}`, ...headers }
  return { request_headers: { headers: headerMap(sent) }, ...metadata(question) }
}

export function answerOf(headers: Headers, endOfStream = false): ProcessingFields {
  return { response_headers: { headers: headerMap({ ':status': '200', ...headers }), end_of_stream: endOfStream } }
}

export const json = answerOf({ 'content-type': 'application/json', 'content-length': '9' })
export const events = answerOf({ 'content-type': 'text/event-stream' })

export function bodyOf(body: string | Uint8Array, endOfStream = true): ProcessingFields {
  return { response_body: { body: Buffer.from(body), end_of_stream: endOfStream } }
}

/** What leaves for a piece of a body: the bytes that stand for it. */
export function leaving(reply: ProcessingReply): string {
  const mutation = reply.response_body?.response?.body_mutation
  if (mutation?.body !== undefined) return mutation.body.toString()
  if (mutation?.clear_body === true) return ''
  throw new Error(`the piece left as it came, or was refused: ${JSON.stringify(reply)}`)
}

/** What each may call; everybody else nothing. */
const names: Readonly<Record<string, readonly string[]>> = {
  alice: ['forecast', 'brief', 'weather://a', 'weather://{a}'],
  bob: ['wipe', 'forecast'],
}

/** Sees by the name in the credential, and keeps what it was asked. */
export function seeing() {
  const queries: VisibleQuery[] = []
  return {
    queries,
    async visible(query: VisibleQuery): Promise<readonly string[]> {
      queries.push(query)
      const { credential } = query
      const [value = '', ...more] = credential.kind === 'authorization' ? credential.values : []
      const mine = more.length > 0 ? [] : (names[value.replace('Bearer ', '')] ?? [])
      return query.names.filter((name) => mine.includes(name))
    },
  }
}

export const tools = ['wipe', 'forecast', 'unheard_of'].map((name) => ({ name, inputSchema: {} }))
export const list = { jsonrpc: '2.0', id: 7, result: { tools, nextCursor: 'n', ttlMs: 9e9, cacheScope: 'public' } }
export const secret = JSON.stringify(list)
export const stream = `: hi\n\nid: 1\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\ndata: ${secret}\n\n`

/** Opens a door for the tests of a file, whose lists are seen by {@link seeing}. */
export function useListDoor() {
  let door: EnvoyDoor | undefined
  let client: Client | undefined
  const asked = seeing()
  const faults: DoorFault[] = []
  beforeAll(async () => {
    const authorizer = { ...recording(), visible: asked.visible }
    const onFault = (fault: DoorFault): void => void faults.push(fault)
    door = await createEnvoyDoor({ authorizer, read: strict, address: '127.0.0.1:0', onFault })
    client = connect(door.address)
  })
  afterAll(async () => {
    client?.close()
    await door?.drain({ deadlineMs: 0 })
  })
  beforeEach(() => {
    asked.queries.length = 0
    faults.length = 0
  })
  const dialled = (): Client => client ?? missing()
  return {
    door: (): EnvoyDoor => door ?? missing(),
    client: dialled,
    asked: () => asked,
    faults,
    /** An exchange that has these parts: the reply to the last. */
    async lastReply(...parts: readonly (ProcessingFields | Buffer)[]): Promise<ProcessingReply> {
      const exchange = openExchange(dialled())
      let reply: ProcessingReply = {}
      try {
        for (const part of parts) reply = await exchange.send(part)
        return reply
      } finally {
        await exchange.end()
      }
    },
  }
}

function missing(): never {
  throw new Error('the door is not open')
}
