import { randomUUID } from 'node:crypto'
import type { Ledger } from '../state/ledger.ts'
import { ledgerEntryOf, type RevocationEntry } from './entry.ts'
import { type Holder, keyOf, type Revocation, type Selector, type Target } from './revocation.ts'

/** What is to be taken away, and from which credentials. */
export interface RevocationOrder {
  readonly target: Target
  /** Credentials issued at or before this time, seconds since the epoch. Default: now. One token or session: whenever issued. */
  readonly before?: number
  /** Seconds since the epoch at which the last credential that is meant has died. Default: what the issuers allow at most. */
  readonly until?: number
  /** Why, for those who list revocations; one line. */
  readonly reason?: string
  /** Names the revocation, so that a feed that tells the same thing twice, or to two replicas, makes one of it. */
  readonly id?: string
}

/** The outcome of a revocation: in force here; `shared`: other replicas can know of it already. */
export interface Revoked {
  readonly id: string
  readonly shared: boolean
}

/** Takes away. The feeds, the command line and the HTTP API all end here. */
export interface Revoker {
  /** @throws {Error} where it cannot be kept; it is not in force then */
  revoke(order: RevocationOrder): Promise<Revoked>
}

export interface RevokerOptions {
  readonly ledger: Pick<Ledger, 'add'>
  /** The longest life of a token, in seconds: of one issuer, or without a name of any. */
  readonly longestLife: (issuer: string | undefined) => number
  /** The API keys that act as a subject, or with undefined all of them: they outlive every token. */
  readonly apiKeys?: (subject: string | undefined) => readonly string[]
  /** Makes what the revocation `id` names, in words, unreadable for others; undefined: it is not kept then. */
  readonly seal?: (text: string, id: string) => string | undefined
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Makes the one way in which something is taken away. */
export function createRevoker(options: RevokerOptions): Revoker {
  const { ledger, apiKeys = () => [], now = Date.now } = options
  return {
    async revoke(order) {
      const at = now() / 1000
      const entry = entryFor(order, at, options)
      const { shared } = await ledger.add(ledgerEntryOf(entry))
      // What is said of a subject as a whole holds for its API keys too, which it does not outlive.
      const keys = apiKeysMeant(order.target, apiKeys)
      const more = await Promise.all(keys.map((id) => ledger.add(ledgerEntryOf(ofApiKey(entry, id, options.seal)))))
      return { id: entry.id, shared: shared && more.every((each) => each.shared) }
    },
  }
}

function entryFor(order: RevocationOrder, at: number, { longestLife, apiKeys, seal }: RevokerOptions): RevocationEntry {
  const { target, reason, id = randomUUID() } = order
  const before = isWheneverIssued(target) ? order.before : (order.before ?? at)
  const until = order.until ?? endOf(target, before ?? at, longestLife, apiKeys)
  const about = seal === undefined ? describe(target) : seal(describe(target), id)
  return {
    id,
    revocation: { ...revocationOf(target), ...(before === undefined ? {} : { before }) },
    ...(until === undefined ? {} : { until }),
    at,
    ...(reason === undefined ? {} : { reason }),
    ...(about === undefined ? {} : { about }),
  }
}

/** A token, a session and an API key are one thing each: they do not come back. */
function isWheneverIssued(target: Target): boolean {
  return 'of' in target && ['token', 'session', 'api-key'].includes(target.of.kind)
}

/** When the last credential that is meant has died; undefined where one of them never does. */
function endOf(
  target: Target,
  before: number,
  longestLife: RevokerOptions['longestLife'],
  apiKeys: RevokerOptions['apiKeys'] = () => [],
): number | undefined {
  if ('of' in target && target.of.kind === 'api-key') return undefined
  const named = 'of' in target ? target.of : target.from
  const issuer = 'issuer' in named ? named.issuer : undefined
  if (!('of' in target) && issuer === undefined) {
    const holders = apiKeys('subject' in named ? named.subject : undefined)
    if (holders.length > 0) return undefined
  }
  return Math.ceil(before + longestLife(issuer))
}

function apiKeysMeant(target: Target, apiKeys: (subject: string | undefined) => readonly string[]): readonly string[] {
  if (!('of' in target) || target.of.kind !== 'subject' || target.of.issuer !== undefined) return []
  return apiKeys(target.of.subject)
}

function ofApiKey(entry: RevocationEntry, key: string, seal: RevokerOptions['seal'] = (text) => text): RevocationEntry {
  const target: Target = { of: { kind: 'api-key', id: key } }
  const id = `${entry.id}/${key}`
  const { before } = entry.revocation
  const about = seal(describe(target), id)
  return {
    id,
    revocation: { ...revocationOf(target), ...(before === undefined ? {} : { before }) },
    at: entry.at,
    ...(entry.reason === undefined ? {} : { reason: entry.reason }),
    ...(about === undefined ? {} : { about }),
  }
}

function revocationOf(target: Target): Revocation {
  if ('of' in target) return { kind: target.of.kind, key: keyOf(target.of) }
  const key = keyOf(target.from)
  if ('role' in target) return { kind: 'role', key, role: target.role }
  return { kind: 'grant', key, server: target.server, grant: target.grant }
}

/** A target in words, for people who may know it. */
export function describe(target: Target): string {
  if ('of' in target) return describeNamed(target.of)
  const what = 'role' in target ? `role ${target.role}` : `${target.grant} on ${target.server}`
  return `${what} of ${describeNamed(target.from)}`
}

function describeNamed(named: Selector | Holder): string {
  const by = 'issuer' in named && named.issuer !== undefined && named.kind !== 'issuer' ? ` of ${named.issuer}` : ''
  switch (named.kind) {
    case 'token':
      return 'digest' in named ? `token with digest ${named.digest}` : `token ${named.jti}${by}`
    case 'session':
      return `session ${named.session}${by}`
    case 'subject':
      return `subject ${named.subject}${by}`
    case 'issuer':
      return `issuer ${named.issuer}`
    case 'api-key':
      return `API key ${named.id}`
    case 'everybody':
      return 'everybody'
    default:
      return named satisfies never
  }
}
