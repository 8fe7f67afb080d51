import { createAuthenticator, type KeyedAuthenticator } from '../../src/identity/authenticator.ts'
import { createKeySource, type KeySource } from '../../src/identity/key-source.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'
import { type KeyServer, startKeyServer } from './key-server.ts'
import { claims, craft, ecKeys, issuerOptions, jwkOf, type KeyPair, nowMs, signer } from './tokens.ts'

export const oldKey = ecKeys('P-256')
export const newKey = ecKeys('P-256')
export const oldJwk = jwkOf(oldKey, { kid: 'old' })
export const newJwk = jwkOf(newKey, { kid: 'new' })

/** An issuer on loopback that publishes the old key under `/keys`, a clock, and whoever trusts the issuer by that clock. */
export interface RemoteIssuer extends AsyncDisposable {
  readonly server: KeyServer
  readonly clock: { ms: number }
  /** An authenticator that has fetched nothing yet; by default it trusts this issuer alone. */
  open(issuers?: readonly IssuerOptions[]): KeyedAuthenticator
  /** An authenticator that has fetched the keys. */
  loaded(): Promise<KeyedAuthenticator>
  /** The key source alone. */
  source(options?: { readonly timeoutMs?: number }): KeySource
}

export async function startRemoteIssuer(): Promise<RemoteIssuer> {
  const server = await startKeyServer()
  server.publish([oldJwk])
  const clock = { ms: nowMs }
  const opened: { close(): void }[] = []
  const trusted = issuerOptions([], { keys: { kind: 'url', url: `${server.origin}/keys` } })
  const now = () => clock.ms
  const keep = <T extends { close(): void }>(each: T): T => {
    opened.push(each)
    return each
  }
  const open = (issuers: readonly IssuerOptions[] = [trusted]) => keep(createAuthenticator({ issuers, now }))
  return {
    server,
    clock,
    open,
    loaded: async () => {
      const authenticator = open()
      await authenticator.load()
      return authenticator
    },
    source: ({ timeoutMs = 60_000 } = {}) =>
      keep(createKeySource(trusted, { now, fetch: globalThis.fetch, allowHttp: false, timeoutMs })),
    [Symbol.asyncDispose]: async () => {
      for (const each of opened) each.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

export function tokenBy(pair: KeyPair, kid: unknown, changes: Record<string, unknown> = {}): string {
  return craft({ alg: 'ES256', kid }, claims(changes), signer('ES256', pair.privateKey))
}

/** `ok`, or the code of the refusal. */
export async function codeOf(authenticator: KeyedAuthenticator, token: string): Promise<string> {
  const outcome = await authenticator.authenticate({ kind: 'token', token })
  return outcome.ok ? 'ok' : outcome.code
}
