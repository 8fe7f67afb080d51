import type { LedgerEntry } from '../state/ledger.ts'
import type { Revocation } from './revocation.ts'

/** A revocation as the ledger keeps it, with what people want to know of it. */
export interface RevocationEntry {
  readonly id: string
  readonly revocation: Revocation
  /** Seconds since the epoch after which everything it names has died; absent: never. */
  readonly until?: number
  /** Seconds since the epoch at which it was made. */
  readonly at: number
  readonly reason?: string
  /** What it names, in words; sealed or absent where others could read it. */
  readonly about?: string
}

/** A revocation as those who may list them are told; times in seconds since the epoch. */
export interface ListedRevocation {
  readonly id: string
  readonly kind: Revocation['kind']
  /** What it names, in words, where that was kept and can be read here. */
  readonly about?: string
  readonly role?: string
  readonly grant?: string
  readonly server?: string
  readonly at: number
  /** Credentials issued at or before this time are meant; absent: whenever they were issued. */
  readonly issuedBefore?: number
  readonly until?: number
  readonly reason?: string
}

/** @param open - reads what the revocation of an id keeps sealed; undefined where it cannot be */
export function listed(
  entry: RevocationEntry,
  open: (sealed: string, id: string) => string | undefined,
): ListedRevocation {
  const { id, at, until, reason } = entry
  const { kind, before, role, server, grant } = entry.revocation
  const about = entry.about === undefined ? undefined : open(entry.about, id)
  return {
    id,
    kind,
    ...(about === undefined ? {} : { about }),
    ...(role === undefined ? {} : { role }),
    ...(grant === undefined || server === undefined ? {} : { grant, server }),
    at,
    ...(before === undefined ? {} : { issuedBefore: before }),
    ...(until === undefined ? {} : { until }),
    ...(reason === undefined ? {} : { reason }),
  }
}

const kinds: ReadonlySet<string> = new Set(['token', 'session', 'subject', 'issuer', 'api-key', 'role', 'grant'])
const texts = ['role', 'server', 'grant', 'reason', 'about'] as const

/** The entry as it is kept. */
export function ledgerEntryOf({ id, revocation, until, ...rest }: RevocationEntry): LedgerEntry {
  return { id, type: 'revocation', ...(until === undefined ? {} : { until }), body: { ...revocation, ...rest } }
}

/** Reads what a ledger gave; undefined for what is no revocation that is understood here. */
export function entryOf({ id, until, body }: LedgerEntry): RevocationEntry | undefined {
  const { at, reason, about, ...revocation } = body
  if (!isNumber(at) || !isRevocation(revocation)) return undefined
  if (texts.some((name) => body[name] !== undefined && typeof body[name] !== 'string')) return undefined
  return {
    id,
    revocation,
    ...(until === undefined ? {} : { until }),
    at,
    ...(typeof reason === 'string' ? { reason } : {}),
    ...(typeof about === 'string' ? { about } : {}),
  }
}

function isRevocation(value: object): value is Revocation {
  const { kind, key, before, role, server, grant } = value as Partial<Record<keyof Revocation, unknown>>
  if (typeof kind !== 'string' || !kinds.has(kind) || typeof key !== 'string' || !/^[\w-]{43}$/.test(key)) return false
  if (before !== undefined && !isNumber(before)) return false
  if (kind === 'role') return typeof role === 'string'
  return kind !== 'grant' || (typeof server === 'string' && typeof grant === 'string')
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
