import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { IssuerOptions } from '../../../src/identity/options.ts'
import {
  followKeycloakEvents,
  type KeycloakFeed,
  type KeycloakFeedOptions,
} from '../../../src/revocation/feeds/keycloak-events.ts'
import { issuerName, issuerOptions } from '../../identity/tokens.ts'
import { clientId, clientSecret, type FakeKeycloak, type Json, startFakeKeycloak } from './fake-keycloak.ts'
import { type RecordingRevoker, recordingRevoker } from './orders.ts'

/** The time of the tests' first event, in milliseconds: a quarter of a second, so that rounding shows. */
export const t0 = Math.floor(Date.now() / 1000) * 1000 - 3_599_750

/** A fake Keycloak and whoever follows it. */
export interface Following {
  readonly keycloak: FakeKeycloak
  readonly revoker: RecordingRevoker
  readonly faults: string[]
  /** Starts to follow; what was told before is read when it resolves. */
  start(changes?: Partial<IssuerOptions>, options?: Partial<KeycloakFeedOptions>): Promise<KeycloakFeed>
  /** The orders without ids, in the order in which they came. */
  told(): readonly object[]
}

export async function follow(): Promise<Following> {
  const keycloak = await startFakeKeycloak()
  const revoker = recordingRevoker()
  const faults: string[] = []
  onTestFinished(() => keycloak[Symbol.asyncDispose]())
  return {
    keycloak,
    revoker,
    faults,
    async start(changes = {}, options = {}) {
      const keycloakEvents = { url: keycloak.url, clientId, clientSecret, intervalMs: 10 }
      const issuer = issuerOptions([], { keycloakEvents, ...changes })
      const onFault = (fault: string): void => void faults.push(fault)
      const feed = followKeycloakEvents({ issuer, revoker, onFault, timeoutMs: 2000, ...options })
      onTestFinished(() => feed.close())
      await feed.first
      return feed
    },
    told: () => revoker.orders.map(({ id: _, ...order }) => order),
  }
}

let events = 0

/** A user event as Keycloak writes it. */
export function userEvent(type: string, members: Json = {}): Json {
  return { id: randomUUID(), time: t0 + events++, type, realmId: 'r', clientId: 'mcp-cli', ...members }
}

/** An admin event as Keycloak writes it; what was sent is kept as text. */
export function adminEvent(what: string, path: string | undefined, sent?: unknown, members: Json = {}): Json {
  const [operationType, resourceType] = what.split(' ')
  const representation = sent === undefined ? {} : { representation: JSON.stringify(sent) }
  const resourcePath = path === undefined ? {} : { resourcePath: path }
  const all = { operationType, resourceType, ...resourcePath, ...representation, ...members }
  return { id: randomUUID(), time: t0 + events++, realmId: 'r', ...all }
}

/** A time as an order has it: seconds, with the one that follows. */
export const before = t0 / 1000 + 0.75

export const alice = { kind: 'subject', subject: 'alice', issuer: issuerName }
export const everybody = { kind: 'issuer', issuer: issuerName }

/** Waits until something holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 8000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`)
    await sleep(5)
  }
}
