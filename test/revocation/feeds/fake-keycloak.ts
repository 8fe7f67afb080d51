import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Json = Readonly<Record<string, unknown>>

/** The admin API of one realm as Keycloak 26 answers, over HTTP; what it says is the test's. */
export interface FakeKeycloak extends AsyncDisposable {
  readonly origin: string
  /** Of the realm in the admin API. */
  readonly url: string
  readonly userEvents: Json[]
  readonly adminEvents: Json[]
  /** What other paths below the realm answer. */
  readonly documents: Map<string, unknown>
  /** Answers that stand in for a path's own, `token` for the token endpoint. */
  readonly instead: Map<string, RequestListener>
  /** Every request that came, as `PATH?QUERY`, and the body of those with one. */
  readonly requests: string[]
  /** How many access tokens were given out; the last one alone is good. */
  tokens(): number
  /** Makes the present access token a bad one. */
  logOutAll(): void
  tokenLifeSeconds: number
}

export const clientId = 'mcp-authz'
export const clientSecret = 'hush: p+s%'

const settings = {
  eventsEnabled: true,
  adminEventsEnabled: true,
  adminEventsDetailsEnabled: true,
  enabledEventTypes: [],
}

export async function startFakeKeycloak(): Promise<FakeKeycloak> {
  const requests: string[] = []
  const instead = new Map<string, RequestListener>()
  const documents = new Map<string, unknown>([['/events/config', settings]])
  const given = { count: 0, good: '' }
  const server = createServer((request, response) => void route(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const fake: FakeKeycloak = {
    origin,
    url: `${origin}/admin/realms/mcp`,
    userEvents: [],
    adminEvents: [],
    documents,
    instead,
    requests,
    tokens: () => given.count,
    logOutAll() {
      given.good = ''
    },
    tokenLifeSeconds: 300,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }

  async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', origin)
    const isToken = pathname === '/realms/mcp/protocol/openid-connect/token'
    const path = isToken ? 'token' : pathname.replace('/admin/realms/mcp', '')
    requests.push(`${path}${searchParams.size === 0 ? '' : `?${searchParams}`}`)
    const other = instead.get(path)
    if (other !== undefined) return other(request, response)
    if (isToken) return await giveToken(request, response)
    const isGood = given.good !== '' && request.headers.authorization === `Bearer ${given.good}`
    if (isGood) giveValue(response, valueAt(fake, path, searchParams))
    else send(response, 401, {})
  }

  async function giveToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    const wanted = [clientId, clientSecret].map(encodeForm).join(':')
    const presented = Buffer.from(request.headers.authorization?.slice('Basic '.length) ?? '', 'base64').toString()
    if (body !== 'grant_type=client_credentials' || presented !== wanted) return send(response, 401, {})
    given.count += 1
    given.good = `access-${given.count}`
    send(response, 200, { access_token: given.good, expires_in: fake.tokenLifeSeconds, token_type: 'Bearer' })
  }

  return fake
}

function giveValue(response: ServerResponse, value: unknown): void {
  send(response, value === undefined ? 404 : 200, value ?? {})
}

function valueAt(fake: FakeKeycloak, path: string, query: URLSearchParams): unknown {
  if (path === '/events') return page(fake.userEvents, query, 'type', 'type')
  if (path === '/admin-events') return page(fake.adminEvents, query, 'operationTypes', 'operationType')
  return fake.documents.get(path)
}

/** Answers 200 with a value as JSON, or with text as it is. */
export function json(value: unknown): RequestListener {
  return (_, response) => send(response, 200, value)
}

/** Answers a status with a body that says nothing. */
export function status(code: number, headers: Record<string, string> = {}): RequestListener {
  return (_, response) => void response.writeHead(code, headers).end('{}')
}

/** Never answers. */
export const silent: RequestListener = () => undefined

/** As JpaEventQuery has it: from a time on, by time, a part of it. */
function page(events: readonly Json[], query: URLSearchParams, parameter: string, field: string): readonly Json[] {
  const [from, first, max] = ['dateFrom', 'first', 'max'].map((name) => Number(query.get(name)))
  const wanted = query.getAll(parameter)
  const found = events
    .filter((event) => Number(event['time']) >= (from ?? 0) && wanted.includes(String(event[field])))
    .toSorted((one, other) => Number(one['time']) - Number(other['time']))
  const sorted = query.get('direction') === 'asc' ? found : found.reverse()
  return sorted.slice(first ?? 0, (first ?? 0) + (max ?? 100))
}

function encodeForm(value: string): string {
  return encodeURIComponent(value).replaceAll('%20', '+')
}

function send(response: ServerResponse, code: number, value: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(typeof value === 'string' ? value : JSON.stringify(value))
}
