import { craft, hmacSigner, type Part } from '../identity/tokens.ts'

/** 48 bytes of text, as `openssl rand -base64 36` prints them. */
export const signingKey = 'bG9uZyBlbm91Z2ggdG8gYmUgYSBrZXkgb2YgdGhlIGdhdGV3'

const bySigningKey = hmacSigner(signingKey)

/** The claims of a router key for `alpha.upstream.test`, as Kuadrant's router writes them; undefined leaves one out. */
export function routerClaims(
  changes: Readonly<Record<string, unknown>> = {},
  now = Math.floor(Date.now() / 1000),
): Part {
  const times = { iat: now, nbf: now, exp: now + 30 }
  return withoutUndefined({
    iss: 'mcp-gateway',
    aud: ['mcp-router'],
    jti: crypto.randomUUID(),
    purpose: 'backend-init',
    host: 'alpha.upstream.test',
    ...times,
    ...changes,
  })
}

/** The claims of a session of the gateway. */
export function sessionClaims(
  changes: Readonly<Record<string, unknown>> = {},
  now = Math.floor(Date.now() / 1000),
): Part {
  const times = { iat: now, nbf: now, exp: now + 86_400 }
  return withoutUndefined({ iss: 'mcp-gateway', aud: ['mcp-gateway'], jti: crypto.randomUUID(), ...times, ...changes })
}

/** A token of the gateway over these claims. */
export function signed(claims: Part, header: Part = { alg: 'HS256', typ: 'JWT' }): string {
  return craft(header, claims, bySigningKey)
}

/** What remembers single uses for everybody who shares it. */
export function memory(): (key: string, until: number) => Promise<boolean> {
  const seen = new Set<string>()
  return async (key) => {
    if (seen.has(key)) return false
    seen.add(key)
    return true
  }
}

function withoutUndefined(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}
