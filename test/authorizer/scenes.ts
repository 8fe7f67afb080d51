import type { Attempt, Authorizer } from '../../src/authorizer/attempt.ts'
import { type AuthorizerOptions, createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter, type Minter, type MintOptions } from '../../src/capabilities/mint.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Credential } from '../../src/identity/subject.ts'
import type { Reading } from '../../src/mcp/reading.ts'
import { readCall } from '../../src/mcp/request.ts'
import type { Decision, ReasonCode } from '../../src/policy/decision.gen.ts'
import { strict } from '../envoy/authorizers.ts'
import { claims, craft, ecKeys, issuerOptions, jwkOf, nowMs, signer } from '../identity/tokens.ts'
import { engineOf } from '../policy/questions.ts'

export const data = {
  servers: {
    weather: { prefix: 'weather_', tools: ['forecast', 'alerts'], resources: ['weather://stations'] },
    closed: { prefix: 'closed_', state: 'Disabled' as const, tools: ['x'] },
  },
  roles: { forecaster: { weather: ['tool:*'] } },
  virtual_servers: { desk: { tools: ['weather_forecast'] }, other: { tools: ['weather_alerts'] } },
}

const issuerKey = ecKeys('P-256')
export const capabilityKey = await capabilityKeyFrom(generateKeyPem())

/** A token of the issuer that every scene trusts; the roles go where Keycloak puts them. */
export function bearer(changes: Record<string, unknown> = {}, roles: readonly string[] = ['forecaster']): string {
  const payload = claims({ realm_access: { roles }, ...changes })
  return craft({ alg: 'ES256' }, payload, signer('ES256', issuerKey.privateKey))
}

/** A parameterless credential of alice, who has the role. */
export const alice: Credential = { kind: 'token', token: bearer() }

export function call(name: string, virtualServer?: string): Reading {
  return readCall({ method: 'tools/call', params: JSON.stringify({ name }) }, { virtualServer }, strict)
}

/** An authorizer of real parts, with what it told and signed, and a clock that the test sets. */
export interface Scene {
  readonly authorizer: Authorizer
  readonly clock: { ms: number }
  readonly recorded: readonly Decision[]
  readonly faults: readonly (readonly [ReasonCode, string])[]
  /** How many capability tokens were signed. */
  readonly signed: () => number
  attempt(attempt?: Partial<Attempt>): ReturnType<Authorizer['authorize']>
}

export function sceneWith(changes: Partial<AuthorizerOptions> = {}, minting: Partial<MintOptions> = {}): Scene {
  const clock = { ms: nowMs }
  const now = () => clock.ms
  const recorded: Decision[] = []
  const faults: [ReasonCode, string][] = []
  const counting = countingMinter(now, minting)
  const engine = engineOf(data)
  const authorizer = createAuthorizer({
    authenticator: createAuthenticator({ issuers: [issuerOptions([jwkOf(issuerKey)])], now }),
    engine: () => engine,
    minter: counting.minter,
    profile: 'strict',
    record: (decision) => recorded.push(decision),
    onFault: (code, cause) => faults.push([code, cause]),
    now,
    ...changes,
  })
  return {
    authorizer,
    clock,
    recorded,
    faults,
    signed: counting.signed,
    attempt: (attempt = {}) =>
      authorizer.authorize({ credential: alice, reading: call('weather_forecast'), mint: true, ...attempt }),
  }
}

function countingMinter(now: () => number, changes: Partial<MintOptions>): { minter: Minter; signed: () => number } {
  const options = {
    issuer: 'mcp-authz',
    audience: 'mcp-broker',
    lifetimeSeconds: 100,
    maxBytes: 32_768,
    profile: 'strict',
    ...changes,
  } as const
  const real = createMinter(options, () => capabilityKey, now)
  let count = 0
  return {
    signed: () => count,
    minter: {
      ...real,
      async mint(request) {
        count += 1
        return await real.mint(request)
      },
    },
  }
}
