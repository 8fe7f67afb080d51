import express, { type Express, type Request, type Response } from 'express'
import { parseStrictJson } from '../mcp/json.ts'
import { listed } from '../revocation/entry.ts'
import type { Publisher } from '../revocation/list.ts'
import { type OrderFields, orderFields, readOrder } from '../revocation/order.ts'
import type { Revocations } from '../revocation/revocations.ts'
import type { Revoker } from '../revocation/revoker.ts'
import type { Permits } from './permits.ts'

export interface RevocationRoutes {
  readonly permits: Permits
  readonly revoker: Revoker
  readonly revocations: Revocations
  readonly publisher: Publisher
  /** Opens what the state keeps sealed; undefined where it cannot be. */
  readonly open: (sealed: string, id: string) => string | undefined
}

const maxBodyBytes = 64 * 1024
/** The longest that a follower may ask an answer to be held, in seconds. */
const maxWaitSeconds = 5

/**
 * Adds the revocation API: `POST` and `GET /admin/v1/revocations` for those with an API key that permits it, and the
 * signed list for brokers, which names nobody.
 */
export function addRevocationRoutes(app: Express, routes: RevocationRoutes): void {
  app.post(
    '/admin/v1/revocations',
    express.raw({ type: () => true, limit: maxBodyBytes }),
    async (request, response) => {
      if (await isPermitted(routes, request, response, 'revocations:write')) await revoke(routes, request, response)
    },
  )
  app.get('/admin/v1/revocations', async (request, response) => {
    if (!(await isPermitted(routes, request, response, 'revocations:read'))) return
    const entries = routes.revocations.entries().map((entry) => listed(entry, routes.open))
    response.set('cache-control', 'no-store').json({ revocations: entries })
  })
  app.get('/.well-known/mcp-authz-revocations', async (request, response) => {
    await publish(routes.publisher, request, response)
  })
}

async function isPermitted(
  { permits }: RevocationRoutes,
  request: Request,
  response: Response,
  permission: 'revocations:read' | 'revocations:write',
): Promise<boolean> {
  const permitted = await permits(request, permission)
  if (permitted.ok) return true
  if (permitted.status === 401) response.set('www-authenticate', 'Bearer')
  fail(response, permitted.status, permitted.message)
  return false
}

async function revoke({ revoker }: RevocationRoutes, request: Request, response: Response): Promise<void> {
  const bytes: unknown = request.body
  const parsed = parseStrictJson(Buffer.isBuffer(bytes) ? bytes : new Uint8Array(), { maxDepth: 4 })
  if (!parsed.ok) return fail(response, 400, `the body is not usable: ${parsed.detail}`)
  const fields = fieldsOf(parsed.value)
  if (typeof fields === 'string') return fail(response, 400, fields)
  const reading = readOrder(fields, Date.now() / 1000)
  if (!reading.ok) return fail(response, 400, reading.message)
  try {
    const { id, shared } = await revoker.revoke(reading.order)
    response.status(201).json({ id, shared })
  } catch {
    fail(response, 503, 'the revocation cannot be kept, so it is not in force: try again')
  }
}

function fieldsOf(value: unknown): OrderFields | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected a JSON object'
  for (const [name, field] of Object.entries(value)) {
    if (!orderFields.some((known) => known === name)) {
      return `expected only the fields ${orderFields.join(', ')}`
    }
    const types = name === 'everybody' ? ['boolean'] : name === 'issuedBefore' ? ['string', 'number'] : ['string']
    if (!types.includes(typeof field)) return `expected \`${name}\` to be a ${types.join(' or ')}`
  }
  return value
}

async function publish(publisher: Publisher, request: Request, response: Response): Promise<void> {
  const { after, wait } = request.query
  const seconds = Math.min(typeof wait === 'string' && /^\d{1,2}$/.test(wait) ? Number(wait) : 0, maxWaitSeconds)
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(seconds * 1000)])
  const list = await publisher.answer(typeof after === 'string' ? after : undefined, signal)
  if (!gone.signal.aborted) response.set('cache-control', 'no-store').type('application/jwt').send(list)
}

function fail(response: Response, status: number, message: string): void {
  response.status(status).json({ error: message })
}
