// What outlives the process, and what is made of it: revocations, API keys, counts.
import { randomUUID } from 'node:crypto'
import { type Admission, createAdmission } from './api-keys/admission.ts'
import type { ApiKeyBody } from './api-keys/api-key.gen.ts'
import { type ApiKeys, createApiKeys } from './api-keys/api-keys.ts'
import { createPermits, type PermitsKey } from './api-keys/permits.ts'
import { createUsageCounter, type UsageCounter } from './api-keys/usage.ts'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/problem.ts'
import { validatorOf } from './config/schema.ts'
import { createSealer } from './gateway/seal.ts'
import { createStamper } from './gateway/stamp.ts'
import { textOf } from './policy/errors.ts'
import { followList } from './revocation/follower.ts'
import type { ListTrust } from './revocation/list.ts'
import { longestLifeOf } from './revocation/longest-life.ts'
import { createRevocations, type Revocations } from './revocation/revocations.ts'
import { createRevoker, type Revoker } from './revocation/revoker.ts'
import { type Carriage, openCarriage } from './state/carriage.ts'
import type { Ledger, State } from './state/ledger.ts'
import { openState } from './state/open.ts'

/** What is kept, opened. */
export interface Kept {
  readonly state: State
  /** Names this opening of it: a numbering of what became known that nobody else has. */
  readonly instance: string
  readonly revocations: Revocations
  readonly revoker: Revoker
  /** Reads what the revoker sealed under an id; undefined where it cannot be. */
  readonly unseal: (sealed: string, id: string) => string | undefined
  readonly apiKeys: ApiKeys
  readonly usage: UsageCounter
  readonly admission: Admission
  readonly permits: PermitsKey
  /** Resolves once what others know was asked for the first time, whether it was had or not. */
  readonly first: Promise<void>
  close(): Promise<void>
}

export interface KeptOptions {
  /** `create`: made where it is not there; `if-there`: used where it is, and nothing is made. */
  readonly state: 'create' | 'if-there'
  /** Whose list to believe, under `revocations.follow`. */
  readonly trust?: ListTrust | undefined
  readonly onWarning: (text: string) => void
}

/**
 * Opens what is kept.
 * @throws {ConfigError} for a named state file that cannot be used
 */
export async function openKept(config: Config, { state: wanted, trust, onWarning }: KeptOptions): Promise<Kept> {
  const state = await stateOf(config, wanted, onWarning)
  const { followUrl: url, whenUnknown, maxUnknownSeconds } = config.revocations
  const followed = url === undefined || trust === undefined ? undefined : followList({ url, trust, onFault: onWarning })
  const revocations = createRevocations({
    ledger: followed === undefined ? state.ledger : both(state.ledger, followed),
    whenUnknown,
    maxUnknownMs: maxUnknownSeconds * 1000,
    onFault: onWarning,
  })
  const isBody = validatorOf('api_key')
  const apiKeys = createApiKeys({
    ledger: state.ledger,
    revocations,
    onFault: onWarning,
    isBody: (body): body is ApiKeyBody => isBody(body),
  })
  const usage = createUsageCounter({ tally: state.tally, onFault: onWarning })
  const admission = createAdmission({ apiKeys, usage, onFault: onWarning })
  const sealing = sealingOf(config)
  const revoker = createRevoker({
    ledger: state.ledger,
    longestLife: longestLifeOf(config.issuers),
    apiKeys: apiKeys.idsOf,
    ...(sealing.seal === undefined ? {} : { seal: sealing.seal }),
  })
  return {
    state,
    instance: randomUUID(),
    revocations,
    revoker,
    unseal: sealing.unseal,
    apiKeys,
    usage,
    admission,
    permits: createPermits({ apiKeys, admission }),
    first: followed?.first ?? Promise.resolve(),
    async close() {
      apiKeys.close()
      revocations.close()
      followed?.close()
      await usage.close()
      await state.close()
    },
  }
}

/** What this side was told itself and what it follows: each of them takes away, and either can be uncertain. */
function both(own: Followed, other: Followed): Followed {
  return {
    follow(listener) {
      const ends = [own.follow(listener), other.follow(listener)]
      return () => {
        for (const end of ends) end()
      }
    },
    uncertainForMs: () => Math.max(own.uncertainForMs(), other.uncertainForMs()),
  }
}

type Followed = Pick<Ledger, 'follow' | 'uncertainForMs'>

interface Sealing {
  readonly seal?: (text: string, id: string) => string | undefined
  readonly unseal: (sealed: string, id: string) => string | undefined
}

/**
 * Whom a revocation names is sealed under the gateway's key. Without one it is kept in words where only this host's
 * file holds it, and not at all where it would be carried to a Redis.
 */
function sealingOf({ gateway, state }: Config): Sealing {
  if (gateway.signingKey === undefined) {
    const unseal = (text: string): string | undefined => (text.startsWith(sealedForm) ? undefined : text)
    return state.redis === undefined ? { unseal } : { seal: () => undefined, unseal }
  }
  const sealer = createSealer(gateway.signingKey, 'mcp-authz revocations')
  return {
    seal: (text, id) => sealer.seal(text, id),
    unseal: (text, id) => (text.startsWith(sealedForm) ? sealer.open(text, id) : text),
  }
}

/** How every sealed text begins; no description of ours does. */
const sealedForm = 'v1.'

/**
 * Entries in Redis are stamped under the gateway's key, and others are not believed. Without one a revocation is taken
 * from whoever can write there, since it only takes away; an API key is not, since whoever makes one up is let in.
 */
function carriageOf({ gateway: { signingKey }, insecure }: Config, prefix: string): Carriage {
  if (signingKey !== undefined) {
    const { stamp, unstamp } = createStamper(signingKey, `mcp-authz state ${prefix}`)
    return { ...openCarriage, stamp, unstamp }
  }
  if (insecure.unsignedState) return openCarriage
  const refusal = 'API keys are carried under a signing key alone: set GATEWAY_SIGNING_KEY for every replica'
  return { ...openCarriage, refusal: (type) => (type === 'api-key' ? refusal : undefined) }
}

async function stateOf(
  config: Config,
  wanted: KeptOptions['state'],
  onWarning: (text: string) => void,
): Promise<State> {
  const { file: configFile, state } = config
  const redis =
    state.redis === undefined ? undefined : { ...state.redis, carriage: carriageOf(config, state.redis.prefix) }
  try {
    return await openState({ ...state, redis, create: wanted === 'create', onWarning, onFault: onWarning })
  } catch (thrown) {
    const mend = 'name a file that this process may write, in a folder of its own'
    const at = { file: configFile, line: undefined, column: undefined, path: 'state.file' }
    throw new ConfigError([{ ...at, message: textOf(thrown), mend }])
  }
}
