// Follows the events of a Keycloak realm, for what back-channel logout does not tell.
import { setTimeout as sleep } from 'node:timers/promises'
import { isObject, own } from '../../identity/claims.ts'
import type { IssuerOptions } from '../../identity/options.ts'
import type { Revoker } from '../revoker.ts'
import { type EventStream, type KeycloakEvent, openEventStream } from './event-stream.ts'
import { type KeycloakAdmin, openKeycloakAdmin, type Query } from './keycloak-admin.ts'
import { adminOperations, effectsOfAdminEvent } from './keycloak-admin-events.ts'
import type { Effect } from './keycloak-effect.ts'
import { openRoleDirectory } from './keycloak-roles.ts'
import { effectsOfUserEvent, userEventTypes } from './keycloak-user-events.ts'

export interface KeycloakFeedOptions {
  /** One with `keycloakEvents`. */
  readonly issuer: IssuerOptions
  readonly revoker: Revoker
  /** Told why events cannot be read, or not as they should be, once for each cause until they can be; for a log. */
  readonly onFault?: ((text: string) => void) | undefined
  readonly fetch?: typeof globalThis.fetch
  /** Also ask over plain http at other hosts than this one (`insecure.httpIssuers`). */
  readonly allowHttp?: boolean
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** How long one exchange may take, in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number
}

/** How a feed fares. */
export interface FeedHealth {
  readonly issuer: string
  /** Since everything that happened was last read, in milliseconds; Infinity: never yet. */
  readonly ageMs: number
}

/** A feed that runs until it is closed. */
export interface KeycloakFeed {
  /** Resolves once everything that happened before was read, or could not be. */
  readonly first: Promise<void>
  health(): FeedHealth
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>
}

const pageSize = 500
const defaultTimeoutMs = 10_000
/** The longest pause after a failure, in milliseconds. */
const longestPauseMs = 5000
/** How often it is asked whether the realm keeps events at all, in milliseconds. */
const settingsEveryMs = 60_000
/** How many intervals may pass with nothing read before that is said beside its cause. */
const patience = 10
/** How far behind this clock Keycloak's may be without anything being missed at the start, in milliseconds. */
const clockSlackMs = 300_000

/**
 * Follows the events of the realm that `keycloakEvents` names. It begins so far back that whatever happened to a token
 * that can still be alive is read.
 * @throws TypeError for an issuer without `keycloakEvents`, or an address that is none of a realm
 */
export function followKeycloakEvents(options: KeycloakFeedOptions): KeycloakFeed {
  const { issuer, fetch = globalThis.fetch, allowHttp = false, timeoutMs = defaultTimeoutMs } = options
  const realm = issuer.keycloakEvents
  if (realm === undefined) throw new TypeError('`issuer` must have `keycloakEvents`')
  const closing = new AbortController()
  const clock = () => performance.now()
  const admin = openKeycloakAdmin({ realm, fetch, allowHttp, now: clock, timeoutMs, signal: closing.signal })
  const reports = createReports(options, patience * realm.intervalMs + timeoutMs)
  const streams = [openUserEvents(admin, options), openAdminEvents(admin, options)]
  const settings = createSettingsCheck(admin, clock)
  const { promise: first, resolve: tried } = Promise.withResolvers<void>()
  const opened = clock()
  let readAt = Number.NEGATIVE_INFINITY

  async function poll(): Promise<boolean> {
    const begun = clock()
    const [fault, ...readings] = await Promise.all([settings(), ...streams.map((stream) => stream.read())])
    const failure = readings.find((reading) => !reading.ok)
    if (closing.signal.aborted) return true
    if (failure === undefined && !fault.fatal) readAt = begun
    reports.say(failure?.ok === false ? failure.detail : fault.detail, clock() - Math.max(opened, readAt))
    return failure === undefined
  }

  async function run(intervalMs: number): Promise<void> {
    for (let failures = 0; !closing.signal.aborted; ) {
      failures = (await poll()) ? 0 : failures + 1
      tried()
      const pause = failures === 0 ? intervalMs : pauseAfter(failures, intervalMs)
      await sleep(pause, undefined, { ref: false, signal: closing.signal }).catch(() => undefined)
    }
  }

  const running = run(realm.intervalMs)
  return {
    first,
    health: () => ({ issuer: issuer.issuer, ageMs: Math.max(0, clock() - readAt) }),
    async close() {
      closing.abort()
      await running
    },
  }
}

function openUserEvents(admin: KeycloakAdmin, options: KeycloakFeedOptions): EventStream {
  const { issuer, revoker } = options
  const take = async (event: KeycloakEvent): Promise<void> => {
    await revokeAll(revoker, event, effectsOfUserEvent(event, issuer), reasonOf(event, ['type']))
  }
  return openStream('/events', { type: userEventTypes }, { admin, take }, options)
}

function openAdminEvents(admin: KeycloakAdmin, options: KeycloakFeedOptions): EventStream {
  const { issuer, revoker } = options
  const take = async (event: KeycloakEvent): Promise<void> => {
    const roles = openRoleDirectory(admin, issuer)
    const effects = await effectsOfAdminEvent(event, { issuer, admin, roles })
    await revokeAll(revoker, event, effects, reasonOf(event, ['operationType', 'resourceType']))
  }
  return openStream('/admin-events', { operationTypes: adminOperations }, { admin, take }, options)
}

function openStream(
  path: string,
  query: Query,
  { admin, take }: { readonly admin: KeycloakAdmin; readonly take: (event: KeycloakEvent) => Promise<void> },
  { issuer, now = Date.now }: KeycloakFeedOptions,
): EventStream {
  const lifeMs = (issuer.maxLifetimeSeconds + issuer.clockToleranceSeconds) * 1000
  return openEventStream({
    page: (from, first) => admin.get(path, { ...query, dateFrom: from, first, max: pageSize, direction: 'asc' }),
    pageSize,
    since: Math.max(0, Math.floor(now() - lifeMs - clockSlackMs)),
    take,
    now,
  })
}

async function revokeAll(
  revoker: Revoker,
  { digest }: KeycloakEvent,
  effects: readonly Effect[],
  reason: string,
): Promise<void> {
  const orders = effects.map((effect, index) => ({
    ...effect,
    id: index === 0 ? digest : `${digest}.${index}`,
    reason,
  }))
  await Promise.all(orders.map((order) => revoker.revoke(order)))
}

function reasonOf({ fields }: KeycloakEvent, names: readonly string[]): string {
  const words = names.map((name) => own(fields, name)).filter((word) => /^[A-Z_]{1,64}$/.test(String(word)))
  return ['Keycloak', ...words].join(' ')
}

interface SettingsFault {
  readonly detail: string | undefined
  /** Whether something will not be told at all. */
  readonly fatal: boolean
}

/** Looks, not too often, whether the realm keeps what is read here: one that keeps nothing looks like one at rest. */
function createSettingsCheck(admin: KeycloakAdmin, clock: () => number): () => Promise<SettingsFault> {
  let known: SettingsFault = { detail: undefined, fatal: false }
  let askedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (clock() - askedAt < settingsEveryMs) return known
    const answer = await admin.get('/events/config')
    if (!answer.ok) return { detail: answer.detail, fatal: true }
    askedAt = clock()
    known = settingsFault(answer.value)
    return known
  }
}

function settingsFault(settings: unknown): SettingsFault {
  const isOn = (name: string): boolean => isObject(settings) && own(settings, name) === true
  const kept = isObject(settings) ? own(settings, 'enabledEventTypes') : undefined
  const missing = userEventTypes.filter((type) => Array.isArray(kept) && kept.length > 0 && !kept.includes(type))
  if (!isOn('eventsEnabled')) return { detail: 'the realm does not save user events', fatal: true }
  if (missing.length > 0) return { detail: `the realm does not save ${missing.join(', ')}`, fatal: true }
  if (!isOn('adminEventsEnabled')) return { detail: 'the realm does not save admin events', fatal: true }
  if (isOn('adminEventsDetailsEnabled')) return { detail: undefined, fatal: false }
  const detail = 'the realm saves admin events without representation, so more is revoked than need be'
  return { detail, fatal: false }
}

function pauseAfter(failures: number, intervalMs: number): number {
  const longest = Math.max(intervalMs, longestPauseMs)
  return Math.min(longest, intervalMs * 2 ** Math.min(failures, 20)) * (0.5 + Math.random() / 2)
}

interface Reports {
  /** @param silentMs for how long nothing could be read */
  say(detail: string | undefined, silentMs: number): void
}

/** Says a cause once, until there is none or another, and once that it lasts. */
function createReports({ issuer, onFault = () => undefined }: KeycloakFeedOptions, lateMs: number): Reports {
  let told: string | undefined
  let isLate = false
  const tell = (text: string): void => {
    try {
      onFault(`events of issuer \`${issuer.issuer}\`: ${text}`)
    } catch {
      // Events are read whatever becomes of the log.
    }
  }
  return {
    say(detail, silentMs) {
      if (detail !== undefined && detail !== told) tell(detail)
      told = detail
      const wasLate = isLate
      isLate = silentMs > lateMs
      if (isLate && !wasLate)
        tell(`nothing was read for ${Math.round(silentMs / 1000)} s, so what ended there is not known`)
    },
  }
}
