import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express'
import type { JWK } from 'jose'
import type { Authorizer } from '../authorizer/attempt.ts'
import { parseStrictJson } from '../mcp/json.ts'
import { isObject } from '../mcp/message.ts'
import type { ProtectedResource } from '../mcp/protected-resource.ts'
import type { ReadOptions } from '../mcp/reading.ts'
import type { BackChannelLogout } from '../revocation/feeds/back-channel-logout.ts'
import { bringsClaims, type EvaluationRequest, evaluationOf, readEvaluation } from './authzen.ts'
import { addBackChannelLogoutRoute } from './back-channel-logout.ts'
import { addOperationsRoutes, type Operations } from './operations.ts'
import { type Permits, type Trust, trustOf, untrusted } from './permits.ts'
import { protectedResourceRoutes } from './protected-resource.ts'
import { addRevocationRoutes, type RevocationRoutes } from './revocations.ts'

export interface HttpDoorOptions extends Operations {
  readonly authorizer: Authorizer
  readonly read: ReadOptions
  /** The public keys of x-mcp-authorized. */
  readonly jwks: () => { readonly keys: readonly JWK[] }
  /** `http://HOST:PORT` as bound, for metadata. */
  readonly origin: () => string
  /** What API keys permit; absent: there are none. */
  readonly permits?: Permits | undefined
  /** Absent: nothing is revoked here. */
  readonly revocations?: RevocationRoutes | undefined
  /** Where issuers tell of logouts; absent: none may. */
  readonly backChannelLogout?: BackChannelLogout | undefined
  /** What is published of the gateway; absent: nothing is. */
  readonly protectedResource?: ProtectedResource | undefined
}

const maxEvaluations = 1000

/** Makes the HTTP door: health, readiness, public keys, AuthZEN. */
export function createHttpDoor(options: HttpDoorOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  addOperationsRoutes(app, options)
  app.get('/.well-known/jwks.json', (_request, response) => {
    response.set('cache-control', 'public, max-age=60').json(options.jwks())
  })
  app.get('/.well-known/authzen-configuration', (_request, response) => {
    response.json(configurationAt(options.origin()))
  })
  const { protectedResource } = options
  if (protectedResource !== undefined) app.use(protectedResourceRoutes(protectedResource, options.origin))
  app.use('/access/v1', (request, response, next) => {
    // Section 10.1.4 of AuthZEN, whatever becomes of the request.
    const requestId = request.get('x-request-id')
    if (requestId !== undefined) response.set('x-request-id', requestId)
    next()
  })
  const body = express.raw({ type: () => true, limit: options.read.maxBodyBytes })
  app.post('/access/v1/evaluation', body, async (request, response) => {
    await answer(request, response, options, (document, trust) => evaluateOne(document, trust, options))
  })
  app.post('/access/v1/evaluations', body, async (request, response) => {
    await answer(request, response, options, (document, trust) => evaluateMany(document, trust, options))
  })
  if (options.backChannelLogout !== undefined) addBackChannelLogoutRoute(app, options.backChannelLogout)
  if (options.revocations !== undefined) addRevocationRoutes(app, options.revocations)
  app.use((_request, response) => fail(response, 404, 'there is nothing here'))
  app.use(onError)
  return app
}

type Answer =
  | { readonly ok: true; readonly body: object }
  | { readonly ok: false; readonly status: number; readonly message: string }

async function answer(
  request: Request,
  response: Response,
  { read, permits }: HttpDoorOptions,
  evaluate: (document: EvaluationRequest, trust: Trust) => Promise<Answer>,
): Promise<void> {
  if (request.is('application/json') === false) return fail(response, 400, 'expected the content type application/json')
  const bytes: unknown = request.body
  const reading = parseStrictJson(Buffer.isBuffer(bytes) ? bytes : new Uint8Array(), { maxDepth: read.maxDepth })
  if (!reading.ok) return fail(response, 400, `the body is not usable: ${reading.detail}`)
  if (!isObject(reading.value)) return fail(response, 400, 'expected the body to be a JSON object')
  // Asking counts as a use of the caller's key.
  const trust = bringsClaims(reading.value) ? await trustOf(request, permits) : untrusted
  const result = await evaluate(reading.value, trust)
  if (!result.ok) {
    if (result.status === 401) response.set('www-authenticate', 'Bearer')
    return fail(response, result.status, result.message)
  }
  response.json(result.body)
}

async function evaluateOne(document: EvaluationRequest, trust: Trust, options: HttpDoorOptions): Promise<Answer> {
  const reading = readEvaluation(document, trust, options.read)
  if (!reading.ok) return reading
  const { decision } = await options.authorizer.authorize(reading.attempt)
  return { ok: true, body: evaluationOf(decision) }
}

// Section 7: fields beside `evaluations` are defaults for each; without any it is a single evaluation.
async function evaluateMany(document: EvaluationRequest, trust: Trust, options: HttpDoorOptions): Promise<Answer> {
  const { evaluations, options: how, ...defaults } = document
  if (evaluations === undefined || (Array.isArray(evaluations) && evaluations.length === 0)) {
    return await evaluateOne(defaults, trust, options)
  }
  const stop = stopAt(how)
  if (stop === undefined) return refusal('expected a known `options.evaluations_semantic`')
  if (!Array.isArray(evaluations) || !evaluations.every(isObject) || evaluations.length > maxEvaluations) {
    return refusal(`expected \`evaluations\` to be an array of at most ${maxEvaluations} objects`)
  }
  const results: object[] = []
  for (const evaluation of evaluations) {
    const result = await evaluateOne({ ...defaults, ...evaluation }, trust, options)
    if (!result.ok) return result
    results.push(result.body)
    if ((result.body as { decision: boolean }).decision === stop) break
  }
  return { ok: true, body: { evaluations: results } }
}

/** Which decision ends the evaluations early; null: none. Undefined for a semantic nobody knows. */
function stopAt(how: unknown): boolean | null | undefined {
  const semantic = isObject(how)
    ? (how['evaluations_semantic'] ?? 'execute_all')
    : how === undefined
      ? 'execute_all'
      : ''
  if (semantic === 'execute_all') return null
  if (semantic === 'deny_on_first_deny') return false
  if (semantic === 'permit_on_first_permit') return true
  return undefined
}

function configurationAt(origin: string): object {
  return {
    policy_decision_point: origin,
    access_evaluation_endpoint: `${origin}/access/v1/evaluation`,
    access_evaluations_endpoint: `${origin}/access/v1/evaluations`,
  }
}

function refusal(message: string): Answer {
  return { ok: false, status: 400, message }
}

function fail(response: Response, status: number, message: string): void {
  response.status(status).json({ error: message, id: randomUUID() })
}

const onError: ErrorRequestHandler = (error: { readonly status?: unknown }, _request, response, _next) => {
  const status = typeof error.status === 'number' && error.status >= 400 && error.status < 500 ? error.status : 500
  fail(response, status, status === 500 ? 'internal error' : 'the request could not be read')
}
