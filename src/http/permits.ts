import type { Request } from 'express'
import type { Permission } from '../api-keys/api-key.gen.ts'
import type { PermitsKey, Permitted } from '../api-keys/permits.ts'
import { apiKeyPrefix } from '../identity/credential.ts'

/** Whether a request may do something with the service itself, by the API key it carries. */
export type Permits = (request: Pick<Request, 'rawHeaders' | 'socket'>, permission: Permission) => Promise<Permitted>

/** Whether claims of this caller's own verifying are believed; if not, what it is answered where it sends some. */
export type Trust = { readonly ok: true } | { readonly ok: false; readonly status: number; readonly message: string }

/** Asks with the key and the address of a request: that of the connection, whatever a header says. */
export function permitsOf(permits: PermitsKey): Permits {
  return async (request, permission) =>
    await permits(authorizationOf(request), permission, request.socket.remoteAddress)
}

/** Trusts this host, and whoever has an API key for it. */
export async function trustOf(request: Request, permits: Permits | undefined): Promise<Trust> {
  if (isLocal(request)) return { ok: true }
  const hasKey = authorizationOf(request).some((value) => value.includes(apiKeyPrefix))
  return permits !== undefined && hasKey ? await permits(request, 'authzen:claims') : untrusted
}

/** What is not trusted. */
export const untrusted: Trust = {
  ok: false,
  status: 403,
  message:
    'claims are believed from this host, or with an API key that permits `authzen:claims`: send `subject.properties.token`',
}

/** Every value: of several Authorization headers, Node's `headers` holds the first alone. */
function authorizationOf({ rawHeaders }: Pick<Request, 'rawHeaders'>): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization')
}

// Loopback, and not a proxy on this host that passes on what others sent.
function isLocal(request: Request): boolean {
  const address = request.socket.remoteAddress ?? ''
  const forwarded = Object.keys(request.headers).some((name) =>
    /^(?:x-forwarded-.*|x-envoy-.*|x-real-ip|forwarded|via)$/.test(name),
  )
  return !forwarded && /^(?:::1|(?:::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address)
}
