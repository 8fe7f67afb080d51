import { createAdmission } from '../../src/api-keys/admission.ts'
import type { ApiKeyBody, ApiKeyScope } from '../../src/api-keys/api-key.gen.ts'
import { type ApiKeys, createApiKeys } from '../../src/api-keys/api-keys.ts'
import { type ApiKeyOrder, type CreatedApiKey, createApiKey } from '../../src/api-keys/create.ts'
import { createUsageCounter, type UsageCounter } from '../../src/api-keys/usage.ts'
import { type AuthorizerOptions, createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { validatorOf } from '../../src/config/schema.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createRevoker, type Revoker } from '../../src/revocation/revoker.ts'
import type { LedgerEntry, Tally } from '../../src/state/ledger.ts'
import { issuerOptions, nowMs } from '../identity/tokens.ts'
import { engineOf } from '../policy/questions.ts'
import { memoryLedger } from '../revocation/ledger.ts'

const valid = validatorOf('api_key')
export const isBody = (value: unknown): value is ApiKeyBody => valid(value)

/** A tally in memory. While `fails` it rejects everything; `writes` tells how often it was written to. */
export interface MemoryTally extends Tally {
  fails: boolean
  writes: number
  readonly kept: ReadonlyMap<string, number>
  /** Seconds since the epoch at which each count ends. */
  readonly ends: ReadonlyMap<string, number>
}

export function memoryTally(): MemoryTally {
  const kept = new Map<string, number>()
  const ends = new Map<string, number>()
  const tally: MemoryTally = {
    fails: false,
    writes: 0,
    kept,
    ends,
    async count(key, limit, until) {
      write()
      ends.set(key, until)
      const before = kept.get(key) ?? 0
      if (before + 1 > limit) return false
      kept.set(key, before + 1)
      return before + 1
    },
    async record(marks) {
      write()
      for (const mark of marks) {
        ends.set(mark.key, mark.until)
        const before = kept.get(mark.key) ?? 0
        kept.set(mark.key, 'add' in mark ? before + mark.add : Math.max(before, mark.atLeast))
      }
    },
    async counts(keys) {
      if (tally.fails) throw new Error('frozen')
      return keys.map((key) => kept.get(key) ?? 0)
    },
    once: async () => true,
  }
  const write = (): void => {
    if (tally.fails) throw new Error('frozen')
    tally.writes += 1
  }
  return tally
}

export const data = {
  servers: {
    weather: {
      prefix: 'weather_',
      tools: ['forecast', 'alerts'],
      prompts: ['brief'],
      resources: ['weather://stations'],
      templates: ['weather://stations/{id}'],
    },
    files: { prefix: 'files_', tools: ['read', 'wipe'] },
  },
  roles: { everything: { '*': ['tool:*', 'prompt:*', 'resource:*', 'template:*'] }, reader: { files: ['tool:read'] } },
  groups: { staff: ['reader'] },
  virtual_servers: { desk: { tools: ['weather_forecast', 'files_read'] }, empty: {} },
}

const engine = engineOf(data)

/** A service's parts around a ledger and a tally in memory, with a clock that the test sets. */
export interface Place {
  readonly clock: { ms: number }
  readonly ledger: ReturnType<typeof memoryLedger>
  readonly tally: MemoryTally
  readonly apiKeys: ApiKeys
  readonly usage: UsageCounter
  readonly admission: ReturnType<typeof createAdmission>
  readonly authorizer: ReturnType<typeof createAuthorizer>
  readonly revoker: Revoker
  readonly faults: readonly string[]
  create(order?: Partial<ApiKeyOrder>): Promise<CreatedApiKey>
  /** A key that may do everything, within a scope. */
  scoped(scope: ApiKeyScope): Promise<CreatedApiKey>
}

export function placeWith(
  changes: Partial<AuthorizerOptions> = {},
  shared: Partial<Pick<Place, 'ledger' | 'tally'>> = {},
): Place {
  const { ledger = memoryLedger(), tally = memoryTally() } = shared
  const clock = { ms: nowMs }
  const now = () => clock.ms
  const faults: string[] = []
  const onFault = (text: string) => faults.push(text)
  const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 5000, now })
  const apiKeys = createApiKeys({ ledger, isBody, revocations, now, onFault })
  const usage = createUsageCounter({ tally, now, flushMs: 20, onFault })
  const admission = createAdmission({ apiKeys, usage, now, onFault })
  const authenticator = createAuthenticator({ issuers: [issuerOptions([])], now, revocations, apiKeys })
  const authorizer = createAuthorizer({
    authenticator,
    admission,
    engine: () => engine,
    profile: 'strict',
    now,
    ...changes,
  })
  const revoker = createRevoker({ ledger, longestLife: () => 3600, apiKeys: apiKeys.idsOf, now })
  const create: Place['create'] = (order = {}) =>
    createApiKey({ ...orderOf('alice'), ...order }, { ledger, isBody, now })
  const scoped: Place['scoped'] = (scope) => create({ roles: ['everything'], scope })
  return { clock, ledger, tally, apiKeys, usage, admission, authorizer, revoker, faults, create, scoped }
}

export function orderOf(subject: string): ApiKeyOrder {
  return { subject, roles: [], grants: {}, groups: [], permissions: [] }
}

/** The entry of a key as a ledger may hold it, with what a test changes of its body. */
export function entryWith(secretDigest: string, changes: Record<string, unknown>): LedgerEntry {
  const body = { ...orderOf('alice'), roles: ['everything'], digest: secretDigest, createdAt: nowMs / 1000, ...changes }
  return { id: 'ak_tampered', type: 'api-key', body }
}
