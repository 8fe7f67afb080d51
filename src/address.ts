import { isIP, isIPv6 } from 'node:net'

/** Where a door listens. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

export type AddressReading =
  | { readonly ok: true; readonly address: Address }
  | { readonly ok: false; readonly detail: string }

/** Reads `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`; port 0 lets the system choose. */
export function parseAddress(text: string): AddressReading {
  if (text.startsWith('unix:')) {
    // gRPC also writes an absolute path with `//` before it.
    const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
    if (path === '' || path.includes('\0')) return { ok: false, detail: 'expected a path after `unix:`' }
    return { ok: true, address: { kind: 'unix', path } }
  }
  const split = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  if (split === null) return { ok: false, detail: 'expected HOST:PORT, [IPv6]:PORT or unix:PATH' }
  const [, bracketed, plain = '', digits = ''] = split
  const port = Number(digits)
  if (port > 65535) return { ok: false, detail: 'expected a port from 0 to 65535' }
  if (bracketed !== undefined && !isIPv6(bracketed))
    return { ok: false, detail: 'expected an IPv6 address in brackets' }
  if (bracketed === undefined && !isHost(plain)) return { ok: false, detail: 'expected a host name or an IPv4 address' }
  return { ok: true, address: { kind: 'tcp', host: bracketed ?? plain, port } }
}

/** The address as it is written, with its path or brackets. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return isIPv6(address.host) ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

function isHost(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return isIP(host) === 4
  return host.length <= 253 && /^[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*\.?$/.test(host)
}
