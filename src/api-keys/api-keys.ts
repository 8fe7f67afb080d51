import { failure } from '../identity/failure.ts'
import { judged, type Standing } from '../identity/standing.ts'
import type { ApiKeyAuthenticator, Authentication, Judgement, RevocationCheck } from '../identity/subject.ts'
import { textOf } from '../policy/errors.ts'
import type { Ledger, LedgerEntry } from '../state/ledger.ts'
import { type ApiKey, apiKeyOf, type IsApiKeyBody } from './api-key.ts'
import { digestOf, isWellFormed } from './secret.ts'

export interface ApiKeysOptions {
  readonly ledger: Pick<Ledger, 'follow'>
  readonly isBody: IsApiKeyBody
  readonly revocations: RevocationCheck
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Told what a ledger held that is no key, by its id; for a log. */
  readonly onFault?: (text: string) => void
}

/** What is left of a key; `diminished`: roles or grants were taken from it. */
export type ApiKeyState = 'expired' | 'active' | Exclude<Judgement['kind'], 'good'>

/** Every API key that is known. */
export interface ApiKeys extends ApiKeyAuthenticator {
  get(id: string): ApiKey | undefined
  /** All that have not ended, and those that ended a short while ago; in the order in which they became known. */
  all(): readonly ApiKey[]
  stateOf(key: ApiKey): ApiKeyState
  /** Ids of the keys that act as a subject, or with undefined of all: what a revocation of it must also name. */
  idsOf(subject: string | undefined): readonly string[]
  close(): void
}

interface Held extends Standing {
  readonly key: ApiKey
}

/** Seconds for which the holder of a key that ended is told so, rather than that nobody knows it. */
const rememberedSeconds = 24 * 3600

/** Follows a ledger and knows the keys it holds, by their digests. */
export function createApiKeys(options: ApiKeysOptions): ApiKeys {
  const { ledger, revocations, now = Date.now } = options
  const byDigest = new Map<string, Held>()
  const byId = new Map<string, ApiKey>()
  const close = ledger.follow((entries) => {
    forget(byDigest, byId, now() / 1000 - rememberedSeconds)
    for (const entry of entries) if (entry.type === 'api-key') take(entry, { byDigest, byId }, options)
  })
  const isOver = ({ body }: ApiKey): boolean => now() / 1000 >= (body.expiresAt ?? Number.POSITIVE_INFINITY)
  return {
    authenticate(secret) {
      if (!isWellFormed(secret)) return failure('token_malformed', 'expected an API key as it was made')
      const held = byDigest.get(digestOf(secret))
      if (held === undefined) return failure('api_key_unknown', 'expected an API key of this service')
      return isOver(held.key) ? expired : judged(held, revocations)
    },
    get: (id) => byId.get(id),
    all: () => [...byId.values()],
    stateOf: (key) => (isOver(key) ? 'expired' : wordOf(revocations.judge(key.facts))),
    idsOf: (subject) =>
      [...byId.values()]
        .filter((key) => !isOver(key) && (subject === undefined || key.body.subject === subject))
        .map(({ id }) => id),
    close,
  }
}

const expired: Authentication = failure('token_expired', 'expected an API key that has not ended')

function wordOf({ kind }: Judgement): ApiKeyState {
  return kind === 'good' ? 'active' : kind
}

interface Known {
  readonly byDigest: Map<string, Held>
  readonly byId: Map<string, ApiKey>
}

function take(entry: LedgerEntry, { byDigest, byId }: Known, { isBody, onFault = () => undefined }: ApiKeysOptions) {
  try {
    const key = apiKeyOf(entry, isBody)
    const { digest } = key.body
    // Whoever wrote the second one knows the digest, or the store was tampered with: the first one holds.
    if (byDigest.has(digest) || byId.has(key.id)) throw new TypeError('another one is the same key, or has its id')
    byDigest.set(digest, { key, subject: key.subject, facts: key.facts })
    byId.set(key.id, key)
  } catch (thrown) {
    onFault(`the API key \`${entry.id}\` is not understood and opens nothing here: ${textOf(thrown)}`)
  }
}

function forget(byDigest: Map<string, Held>, byId: Map<string, ApiKey>, before: number): void {
  for (const [digest, { key }] of byDigest) {
    if ((key.body.expiresAt ?? Number.POSITIVE_INFINITY) >= before) continue
    byDigest.delete(digest)
    byId.delete(key.id)
  }
}
