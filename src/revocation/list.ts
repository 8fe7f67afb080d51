// The list of revocations that brokers follow: a JWT of the service, so that it is believed wherever it was fetched.
import type { KeyObject } from 'node:crypto'
import { jwtVerify, SignJWT } from 'jose'
import { LRUCache } from 'lru-cache'
import { isObject } from '../identity/claims.ts'
import type { LedgerEntry } from '../state/ledger.ts'
import { ledgerEntryOf } from './entry.ts'
import type { Revocations } from './revocations.ts'

/** `typ` of the list's header, so that no other token of the service passes for one (RFC 8725 section 3.11). */
export const listType = 'mcp-authz-revocations+jwt'

/** What one answer says. */
export interface RevocationList {
  /** To be asked with next, as `after`. */
  readonly cursor: string
  /** Whether `entries` are all there are, or only some of them, or those after the cursor that was asked with. */
  readonly complete: boolean
  /** Whether there is more after `cursor` already: only who has asked for that too has missed nothing. */
  readonly more: boolean
  /** For how long the service itself has not been certain to know all; null: it never was. Milliseconds. */
  readonly uncertainForMs: number | null
  readonly entries: readonly Pick<LedgerEntry, 'id' | 'until' | 'body'>[]
}

export interface PublisherOptions {
  readonly revocations: Revocations
  /** Names this process's numbering of what became known; another one starts anew. */
  readonly instance: string
  readonly key: () => { readonly privateKey: KeyObject; readonly kid: string }
  /** `capabilities.issuer`. */
  readonly issuer: string
}

/** Makes the answers to those who follow. */
export interface Publisher {
  /**
   * A signed list: what became known after `after`, once there is something or `signal` ends the wait; from the beginning
   * where `after` is no cursor of this process.
   */
  answer(after: string | undefined, signal: AbortSignal): Promise<string>
  /** Ends every wait, now and from now on. */
  close(): void
}

/** So many entries are in one answer at most: anybody may ask for it, and it is made between decisions. */
const mostEntries = 1000
/** How long an answer is given again to whoever asks the same, in milliseconds: many wait for the same. */
const againMs = 1000
const mostAnswers = 16

/** Makes the publisher of one process. */
export function createPublisher({ revocations, instance, key, issuer }: PublisherOptions): Publisher {
  const closing = new AbortController()
  const answers = new LRUCache<string, Promise<string>>({ max: mostAnswers, ttl: againMs })

  async function signed(list: RevocationList, { privateKey, kid }: ReturnType<typeof key>): Promise<string> {
    return await new SignJWT({ ...list })
      .setProtectedHeader({ alg: 'ES256', typ: listType, kid })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(privateKey)
  }
  return {
    async answer(after, signal) {
      const from = countOf(after, instance)
      if (from !== undefined) await revocations.changed(from, AbortSignal.any([signal, closing.signal]))
      const total = revocations.count()
      const uncertain = revocations.uncertainForMs()
      const uncertainForMs = Number.isFinite(uncertain) ? Math.ceil(uncertain) : null
      const by = key()
      const asked = JSON.stringify([from ?? null, total, uncertainForMs, by.kid])
      const known = answers.get(asked)
      if (known !== undefined) return await known
      const { entries, count } = revocations.since(from ?? 0, mostEntries)
      const more = count < total
      const list = {
        cursor: `${instance}.${count}`,
        complete: from === undefined && !more,
        more,
        uncertainForMs,
        entries: entries.map(published),
      }
      const answer = signed(list, by)
      answers.set(asked, answer)
      return await answer
    },
    close: () => closing.abort(),
  }
}

/** Whom a list is believed from. */
export interface ListTrust {
  /** The public key that `kid` names; undefined where there is none. */
  readonly key: (kid: string | undefined) => Promise<KeyObject | undefined>
  /** `capabilities.issuer`. */
  readonly issuer: string
}

/** How far the clocks of service and follower may be apart, in seconds. */
const clockTolerance = 60

/** The list in a JWT that the trusted service signed for this minute; undefined for anything else. Never rejects. */
export async function verifyList(compact: string, { key, issuer }: ListTrust): Promise<RevocationList | undefined> {
  try {
    const { payload } = await jwtVerify(
      compact,
      async ({ kid }) => {
        const found = await key(kid)
        if (found === undefined) throw new TypeError('no such key')
        return found
      },
      { algorithms: ['ES256'], typ: listType, issuer, requiredClaims: ['iat', 'exp'], clockTolerance },
    )
    return readList(payload)
  } catch {
    return undefined
  }
}

function readList(payload: Readonly<Record<string, unknown>>): RevocationList | undefined {
  const { cursor, complete, more, uncertainForMs, entries } = payload
  if (typeof cursor !== 'string' || typeof complete !== 'boolean' || typeof more !== 'boolean') return undefined
  if (!Array.isArray(entries)) return undefined
  if (uncertainForMs !== null && typeof uncertainForMs !== 'number') return undefined
  return entries.every(isPublished) ? { cursor, complete, more, uncertainForMs, entries } : undefined
}

/** Why and for whom is nobody's business who only has to obey. */
function published(entry: Parameters<typeof ledgerEntryOf>[0]): RevocationList['entries'][number] {
  const { reason: _, about: __, ...rest } = entry
  const { id, until, body } = ledgerEntryOf(rest)
  return { id, ...(until === undefined ? {} : { until }), body }
}

function isPublished(value: unknown): value is RevocationList['entries'][number] {
  if (!isObject(value)) return false
  const { id, until, body } = value
  return typeof id === 'string' && (until === undefined || typeof until === 'number') && isObject(body)
}

function countOf(after: string | undefined, instance: string): number | undefined {
  const [, name, count] = /^([\w-]+)\.(\d{1,15})$/.exec(after ?? '') ?? []
  return name === instance ? Number(count) : undefined
}
