// Keycloak's admin API, as far as events need it: https://www.keycloak.org/docs-api/latest/rest-api/index.html
import { isObject, own } from '../../identity/claims.ts'
import { addressFault, boundedBody, causeOf } from '../../identity/key-document.ts'
import type { KeycloakEventsOptions } from '../../identity/options.ts'
import { parseStrictJson } from '../../mcp/json.ts'

/** What an answer of the admin API held, or why there is none; `detail` holds neither token nor secret. */
export type AdminAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: number | undefined; readonly detail: string }

/** The admin API of one realm, read as its service account. Never rejects. */
export interface KeycloakAdmin {
  /** @param path below the realm's address, such as `/events` */
  get(path: string, query?: Query): Promise<AdminAnswer>
}

/** A value that is a list is sent once for each of its members. */
export type Query = Readonly<Record<string, string | number | readonly string[]>>

export interface KeycloakAdminOptions {
  readonly realm: KeycloakEventsOptions
  readonly fetch: typeof globalThis.fetch
  /** Also over plain http from other hosts than this one. */
  readonly allowHttp: boolean
  /** Milliseconds that never go back. */
  readonly now: () => number
  /** How long one exchange may take, in milliseconds. */
  readonly timeoutMs: number
  /** Ends what is under way. */
  readonly signal: AbortSignal
}

const maxTokenBytes = 64 * 1024
const maxAnswerBytes = 8 * 1024 * 1024
const maxDepth = 64

/** The part of its life after which an access token is replaced. */
const renewAfter = 2 / 3

/**
 * Opens the admin API of a realm.
 * @throws TypeError for an address that is none of a realm there
 */
export function openKeycloakAdmin(options: KeycloakAdminOptions): KeycloakAdmin {
  const { realm, allowHttp, now } = options
  const fault = addressFault(realm.url, allowHttp) ?? realmFault(realm.url)
  if (fault !== undefined) throw new TypeError(`events of Keycloak: ${fault}`)
  let token: { readonly value: string; readonly until: number } | undefined
  let underWay: Promise<AdminAnswer> | undefined

  async function bearer(): Promise<AdminAnswer> {
    if (token !== undefined && now() < token.until) return { ok: true, value: token.value }
    underWay ??= renewed().finally(() => {
      underWay = undefined
    })
    return await underWay
  }

  async function renewed(): Promise<AdminAnswer> {
    const asked = now()
    const answer = await requestToken(options)
    if (!answer.ok) return answer
    const read = readToken(answer.value)
    if (read === undefined) return failed('token', 'expected an answer with `access_token`', 200)
    token = { value: read.token, until: asked + read.lifeMs * renewAfter }
    return { ok: true, value: read.token }
  }

  async function get(path: string, query: Query, isSecond: boolean): Promise<AdminAnswer> {
    const credential = await bearer()
    if (!credential.ok) return credential
    const answer = await requestPath(path, query, String(credential.value), options)
    if (answer.ok || answer.status !== 401 || isSecond) return answer
    // A realm that logs everybody out ends this token too.
    token = undefined
    return await get(path, query, true)
  }

  return { get: (path, query = {}) => get(path, query, false) }
}

/** Why an address is none of a realm in the admin API, or undefined. */
export function realmFault(address: string): string | undefined {
  const { pathname, search, hash } = new URL(address)
  const isRealm = /\/admin\/realms\/[^/]+\/?$/.test(pathname) && search === '' && hash === ''
  return isRealm ? undefined : 'expected an address that ends in `/admin/realms/NAME`'
}

/** The realm's own token endpoint, at the host of its admin API (RFC 6749 section 4.4). */
async function requestToken(options: KeycloakAdminOptions): Promise<AdminAnswer> {
  const { url, clientId, clientSecret } = options.realm
  const address = `${trimmed(url).replace(/\/admin\/realms\/(?=[^/]+$)/, '/realms/')}/protocol/openid-connect/token`
  // RFC 6749 section 2.3.1: both are form-urlencoded before they are joined.
  const [user, password] = [clientId, clientSecret].map((text) => new URLSearchParams({ text }).toString().slice(5))
  const headers = {
    authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const init = { method: 'POST', headers, body: 'grant_type=client_credentials' }
  return await exchange('token', { address, init, maxBytes: maxTokenBytes }, options)
}

async function requestPath(
  path: string,
  query: Query,
  token: string,
  options: KeycloakAdminOptions,
): Promise<AdminAnswer> {
  const address = new URL(`${trimmed(options.realm.url)}${path}`)
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) address.searchParams.append(name, String(each))
  }
  const init = { headers: { authorization: `Bearer ${token}`, accept: 'application/json' } }
  return await exchange(path, { address: address.href, init, maxBytes: maxAnswerBytes }, options)
}

interface Request {
  readonly address: string
  readonly init: RequestInit
  readonly maxBytes: number
}

async function exchange(
  what: string,
  { address, init, maxBytes }: Request,
  { fetch, timeoutMs, signal }: KeycloakAdminOptions,
): Promise<AdminAnswer> {
  try {
    const ends = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const response = await fetch(address, { ...init, redirect: 'error', signal: ends })
    if (response.status !== 200 || response.redirected) {
      await response.body?.cancel()
      return failed(what, `expected status 200, found ${response.status}`, response.status)
    }
    const bytes = await boundedBody(response, maxBytes)
    if (bytes === undefined) return failed(what, `expected at most ${maxBytes} bytes`, 200)
    const reading = parseStrictJson(bytes, { maxDepth })
    return reading.ok ? { ok: true, value: reading.value } : failed(what, 'expected one strict json value', 200)
  } catch (thrown) {
    return failed(what, `expected an answer in time: ${causeOf(thrown)}`, undefined)
  }
}

function readToken(value: unknown): { readonly token: string; readonly lifeMs: number } | undefined {
  if (!isObject(value)) return undefined
  const token = own(value, 'access_token')
  const seconds = own(value, 'expires_in')
  if (typeof token !== 'string' || !/^[\w.~+/=-]+$/.test(token)) return undefined
  return { token, lifeMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 0 }
}

function trimmed(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}

function failed(what: string, detail: string, status: number | undefined): AdminAnswer {
  return { ok: false, status, detail: `${what.startsWith('/') ? `\`${what}\`` : what}: ${detail}` }
}
