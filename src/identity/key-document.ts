import { parseStrictJson } from '../mcp/json.ts'
import { isObject, own } from './claims.ts'

/** The outcome of fetching keys; `text` is the document as it came. */
export type KeyDocument =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly detail: string }

/** How documents are fetched. */
export interface FetchOptions {
  readonly fetch: typeof globalThis.fetch
  /** Also `http:` from hosts other than this one. */
  readonly allowHttp: boolean
  /** Ends the whole exchange, the body included. */
  readonly signal: AbortSignal
}

const maxBodyBytes = 1024 * 1024
const maxDepth = 16

/**
 * Why an address may not be asked, or undefined: `https:`, or `http:` on loopback (anywhere with `allowHttp`, which the
 * configuration calls `name`).
 */
export function addressFault(address: string, allowHttp: boolean, name = 'insecure.httpIssuers'): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) return 'expected an https address'
  if (url.username !== '' || url.password !== '') return 'expected an address without user and password'
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) {
    return `expected https; http is for loopback, or set \`${name}\``
  }
  return undefined
}

/** Where an issuer's metadata is (OpenID Connect Discovery 1.0 section 4.1). */
export function discoveryAddress(issuer: string): string {
  return `${issuer.endsWith('/') ? issuer.slice(0, -1) : issuer}/.well-known/openid-configuration`
}

/** Fetches one JSON document: status 200, no redirect, at most 1 MiB, strict JSON. */
export async function fetchDocument(address: string, options: FetchOptions): Promise<KeyDocument> {
  const fault = addressFault(address, options.allowHttp)
  if (fault !== undefined) return failed(address, fault)
  try {
    const { fetch, signal } = options
    const response = await fetch(address, { redirect: 'error', signal, headers: { accept: 'application/json' } })
    if (response.status !== 200 || response.redirected) {
      await response.body?.cancel()
      return failed(address, `expected status 200, found ${response.status}`)
    }
    const bytes = await boundedBody(response, maxBodyBytes)
    if (bytes === undefined) return failed(address, `expected at most ${maxBodyBytes} bytes`)
    const reading = parseStrictJson(bytes, { maxDepth })
    return reading.ok
      ? { ok: true, value: reading.value, text: reading.text }
      : failed(address, 'expected one strict json value')
  } catch (thrown) {
    return failed(address, `expected an answer in time: ${causeOf(thrown)}`)
  }
}

/**
 * Fetches the JWK Set that an issuer's metadata names; the metadata must speak of exactly that issuer (section 4.3). The
 * set may be at another host, where Google and Entra have theirs, but not where an https issuer cannot vouch for it.
 */
export async function discoverKeys(issuer: string, options: FetchOptions): Promise<KeyDocument> {
  const metadata = await fetchDocument(discoveryAddress(issuer), options)
  if (!metadata.ok) return metadata
  if (!isObject(metadata.value) || own(metadata.value, 'issuer') !== issuer) {
    return failed(discoveryAddress(issuer), 'expected metadata of the issuer itself')
  }
  const address = own(metadata.value, 'jwks_uri')
  if (typeof address !== 'string') return failed(discoveryAddress(issuer), 'expected metadata with `jwks_uri`')
  if (!options.allowHttp && isHttps(issuer) && !isHttps(address)) {
    return failed(discoveryAddress(issuer), 'expected `jwks_uri` to be an https address, as the issuer is')
  }
  return fetchDocument(address, options)
}

/** The body of an answer; undefined where it is longer than `maxBytes`. */
export async function boundedBody(response: Response, maxBytes: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.byteLength
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function isHttps(address: string): boolean {
  return URL.canParse(address) && new URL(address).protocol === 'https:'
}

/** Whether a host name, as `URL` writes it, is this host. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

/** `fetch failed` says nothing; what it was caused by does (ENOTFOUND, a certificate, a refused redirect). */
export function causeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'it failed'
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message
}

function failed(address: string, detail: string): KeyDocument {
  return { ok: false, detail: `\`${address}\`: ${detail}` }
}
