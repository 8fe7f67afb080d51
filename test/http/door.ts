import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { createMetrics } from '../../src/decision-log/metrics.ts'
import { createHttpDoor, type HttpDoorOptions } from '../../src/http/app.ts'
import { capabilityKey, sceneWith } from '../authorizer/scenes.ts'
import { strict } from '../envoy/authorizers.ts'

export const people = {
  alice: { sub: 'alice', realm_access: { roles: ['forecaster'] } },
  bob: { sub: 'bob' },
}

/** An HTTP answer, whole. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: AnswerDocument
}

/** The fields that answers have, each where it belongs; which ones are there is what a test looks at. */
export interface AnswerDocument {
  readonly error: string
  readonly decision: boolean
  readonly context: { readonly id: string; readonly revision: string; readonly reasons: readonly { code: string }[] }
  readonly evaluations: readonly Pick<AnswerDocument, 'decision' | 'context'>[]
}

/** The door on a loopback socket of its own, gone after the test. */
export interface Door {
  readonly origin: string
  readonly scene: ReturnType<typeof sceneWith>
  get(path: string): Promise<Answer>
  /** Posts a value as JSON, or bytes and text as they are. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
}

export async function openDoor(changes: Partial<HttpDoorOptions> = {}): Promise<Door> {
  const scene = sceneWith()
  let origin = ''
  const app = createHttpDoor({
    status: () => ({ revision: 'r1' }),
    authorizer: scene.authorizer,
    read: strict,
    ready: () => true,
    jwks: () => capabilityKey.jwks,
    metrics: createMetrics({ revision: () => 'r1', ready: () => true }),
    origin: () => origin,
    ...changes,
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(`${origin}${path}`, init)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  }
  return {
    origin,
    scene,
    get: (path) => ask(path, {}),
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' || body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body),
      }),
  }
}

/** An evaluation of alice calling a tool she may call; every case changes a part of it. */
export function evaluation(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    subject: { type: 'identity', id: 'alice', properties: { claims: people.alice } },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'weather_forecast' },
    ...changes,
  }
}

/** An authorizer that must not be asked. */
export const unasked: Authorizer = {
  authorize: async () => Promise.reject(new Error('was asked')),
  capabilities: async () => Promise.reject(new Error('was asked')),
  visible: async () => Promise.reject(new Error('was asked')),
}

/** A request written by hand: a POST without a body and without a length. */
export async function bodiless(origin: string, path: string): Promise<number> {
  const request = httpRequest(`${origin}${path}`, { method: 'POST' })
  request.useChunkedEncodingByDefault = false
  request.end()
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  response.resume()
  return response.statusCode ?? 0
}
