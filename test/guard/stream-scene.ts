import { expect, onTestFinished } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Engine } from '../../src/policy/engine.ts'
import { sceneWith, bearer as token } from '../authorizer/scenes.ts'
import { engineOf } from '../policy/questions.ts'
import { bearer, rpcRequest } from './requests.ts'

export const data = {
  servers: {
    weather: {
      prefix: 'weather_',
      tools: ['forecast', 'alerts'],
      prompts: ['brief'],
      resources: ['weather://stations', 'weather://maps'],
    },
    files: { prefix: 'files_', tools: ['read'] },
  },
  roles: { forecaster: { weather: ['tool:*', 'prompt:*', 'resource:*'] } },
} satisfies Data

/** The same with other contents of the server that alice may use. */
export function withWeather(changes: Partial<(typeof data)['servers']['weather']>): Data {
  return { ...data, servers: { ...data.servers, weather: { ...data.servers.weather, ...changes } } }
}

/** A guard whose clock and data the test sets; alice's token lasts until `clock` is moved by more than five minutes. */
export interface StreamScene {
  readonly guard: Guard
  readonly alice: { readonly authorization: string }
  /** Lets alice's token end. */
  expire(): void
  replaceData(data: Data): void
  /** Takes the bundle away. */
  unload(): void
  /** How often it was asked what somebody may use. */
  readonly looks: () => number
  readonly recorded: () => number
}

export async function streamScene(changesEveryMs = 10): Promise<StreamScene> {
  let engine: Engine | undefined = engineOf(data)
  let looks = 0
  const { authorizer, clock, recorded } = sceneWith({ engine: () => engine })
  const guard = await createGuard({
    authorizer: {
      ...authorizer,
      async capabilities(...asked) {
        looks += 1
        return await authorizer.capabilities(...asked)
      },
    },
    changesEveryMs,
  })
  onTestFinished(async () => await guard.close())
  return {
    guard,
    alice: bearer(token()),
    expire() {
      clock.ms += 600_000
    },
    replaceData(next) {
      engine = engineOf(next)
    },
    unload() {
      engine = undefined
    },
    looks: () => looks,
    recorded: () => recorded.length,
  }
}

/** A server's stream that the test feeds. */
export interface Feed {
  readonly handler: () => Response
  send(...messages: readonly unknown[]): void
  write(text: string): void
  close(): void
  fail(thrown: unknown): void
  /** Why nobody reads it any more. */
  readonly cancelled: Promise<unknown>
}

const encoder = new TextEncoder()

export function feed(headers: Readonly<Record<string, string>> = {}): Feed {
  const { promise: cancelled, resolve } = Promise.withResolvers<unknown>()
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
    cancel: (reason) => resolve(reason),
  })
  const write = (text: string): void => controller?.enqueue(encoder.encode(text))
  return {
    handler: () => new Response(body, { headers: { 'content-type': 'text/event-stream', ...headers } }),
    send: (...messages) => {
      for (const message of messages) write(`event: message\ndata: ${JSON.stringify(message)}\n\n`)
    },
    write,
    close: () => controller?.close(),
    fail: (thrown) => controller?.error(thrown),
    cancelled,
  }
}

export const news = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'news' } }

export function get(headers: Readonly<Record<string, string>>, signal: AbortSignal | null = null): Request {
  return new Request('http://mcp.test/mcp', { headers: { accept: 'text/event-stream', ...headers }, signal })
}

export function listen(
  headers: Readonly<Record<string, string>>,
  notifications: object = { toolsListChanged: true },
): Request {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const versioned = { ...headers, 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }
  return rpcRequest('subscriptions/listen', { _meta: meta, notifications }, versioned, 's')
}

/** Reads a response chunk by chunk. */
export interface Reading {
  /** The next chunk; undefined at the end. */
  next(): Promise<string | undefined>
  /** The message in it. */
  message(): Promise<unknown>
  cancel(reason?: unknown): Promise<void>
}

export function reading({ body }: Response): Reading {
  if (body === null) throw new TypeError('there is no body')
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  const next = async (): Promise<string | undefined> => {
    const { value } = await reader.read()
    return value === undefined ? undefined : new TextDecoder().decode(value)
  }
  return {
    next,
    async message() {
      const text = await next()
      return text === undefined ? undefined : JSON.parse(/^data: (.*)$/mu.exec(text)?.[1] ?? 'null')
    },
    cancel: (reason) => reader.cancel(reason),
  }
}

export const subscriptionId = 'io.modelcontextprotocol/subscriptionId'

export function acknowledged(notifications: Readonly<Record<string, unknown>>, id: unknown = 's'): object {
  const params = { _meta: { [subscriptionId]: id }, notifications }
  return { jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params }
}

export function changed(kind: string, id?: unknown): object {
  const message = { jsonrpc: '2.0', method: `notifications/${kind}/list_changed` }
  return id === undefined ? message : { ...message, params: { _meta: { [subscriptionId]: id } } }
}

/** A stream that was opened, and its server. */
export async function opened(
  scene: Pick<StreamScene, 'guard' | 'alice'>,
  open: (headers: Readonly<Record<string, string>>) => Request,
): Promise<Feed & Reading> {
  const source = feed()
  const response = await scene.guard.fetch(source.handler)(open(scene.alice))
  return { ...source, ...reading(response) }
}

/** Waits until it was looked twice: the first look may have begun before what the test did. */
export async function looked({ looks }: StreamScene): Promise<void> {
  const before = looks()
  await expect.poll(looks, { interval: 5 }).toBeGreaterThan(before + 2)
}
