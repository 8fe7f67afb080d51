import { own } from '../identity/claims.ts'
import { digestOf, readToken } from '../identity/jwt.ts'
import type { Holder, Selector, Target } from './revocation.ts'
import type { RevocationOrder } from './revoker.ts'

/** What somebody asks to be taken away, on a command line or over HTTP; every field is a word or absent. */
export interface OrderFields {
  /** The token itself; only its digest is kept. */
  readonly token?: string | undefined
  readonly jti?: string | undefined
  readonly session?: string | undefined
  readonly subject?: string | undefined
  readonly issuer?: string | undefined
  readonly role?: string | undefined
  /** A literal grant like `tool:forecast`, with `server`. */
  readonly grant?: string | undefined
  /** The id of the grant's server, or `*`. */
  readonly server?: string | undefined
  readonly apiKey?: string | undefined
  /** Take a role or grant from everybody. */
  readonly everybody?: boolean | undefined
  /** ISO 8601, or seconds since the epoch. */
  readonly issuedBefore?: string | number | undefined
  readonly reason?: string | undefined
}

export type OrderReading =
  | { readonly ok: true; readonly order: RevocationOrder }
  /** One lower-case line that says what was expected; holds nothing secret. */
  | { readonly ok: false; readonly message: string }

/** The fields an order may have. */
export const orderFields: readonly (keyof OrderFields)[] = [
  'token',
  'jti',
  'session',
  'subject',
  'issuer',
  'role',
  'grant',
  'server',
  'apiKey',
  'everybody',
  'issuedBefore',
  'reason',
]

/** Tokens are good for this much longer than they say, at most: the highest clock tolerance. Seconds. */
const highestTolerance = 300
/** How far a clock may be ahead that says when tokens were issued. Seconds. */
const futureSeconds = 60
const maxLength = 4096

/**
 * Reads what is to be taken away: exactly one thing, and from whom.
 * @param now - seconds since the epoch
 */
export function readOrder(fields: OrderFields, now: number): OrderReading {
  const fault = textFault(fields)
  if (fault !== undefined) return refused(fault)
  const target = targetOf(fields)
  if (typeof target === 'string') return refused(target)
  const before = timeOf(fields.issuedBefore)
  if (Number.isNaN(before)) return refused('expected `issuedBefore` to be a time like 2026-11-24T12:00:00Z')
  if (before !== undefined && before > now + futureSeconds) return refused('expected `issuedBefore` not to lie ahead')
  if (before !== undefined && 'of' in target && ['token', 'session', 'api-key'].includes(target.of.kind)) {
    return refused('`issuedBefore` goes with a subject, an issuer, a role or a grant')
  }
  const until = fields.token === undefined ? undefined : endOf(fields.token)
  if (until === null) return refused('expected `token` to be a JWT')
  return {
    ok: true,
    order: {
      target,
      ...(before === undefined ? {} : { before }),
      ...(until === undefined ? {} : { until }),
      ...(fields.reason === undefined ? {} : { reason: fields.reason }),
    },
  }
}

function textFault(fields: OrderFields): string | undefined {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || typeof value !== 'string') continue
    if (value === '') return `expected \`${name}\` not to be empty`
    if (name !== 'token' && value.length > maxLength) return `expected \`${name}\` within ${maxLength} characters`
    if (name === 'reason' && /\p{Cc}/u.test(value)) return 'expected `reason` to be one line of text'
  }
  return undefined
}

const things = ['token', 'jti', 'session', 'apiKey', 'role', 'grant'] as const

function targetOf(fields: OrderFields): Target | string {
  const named = things.filter((name) => fields[name] !== undefined)
  if (named.length > 1) return `expected one thing to revoke, found ${named.map((name) => `\`${name}\``).join(' and ')}`
  const [thing] = named
  const misplaced = misplacedIn(fields, thing)
  if (misplaced !== undefined) return misplaced
  if (thing === 'role' || thing === 'grant') return withdrawalOf(fields)
  const of = selectorOf(fields, thing)
  return of === undefined ? 'expected something to revoke: a token, session, subject, issuer, role or grant' : { of }
}

function misplacedIn(fields: OrderFields, thing: (typeof things)[number] | undefined): string | undefined {
  const withdraws = thing === 'role' || thing === 'grant'
  if (fields.everybody !== undefined && !withdraws) return '`everybody` goes with `role` or `grant`'
  if (fields.server !== undefined && thing !== 'grant') return '`server` goes with `grant`'
  if (fields.subject !== undefined && thing !== undefined && !withdraws)
    return `\`subject\` does not go with \`${thing}\``
  const alone = thing === 'token' || thing === 'apiKey'
  return alone && fields.issuer !== undefined ? `\`issuer\` does not go with \`${thing}\`` : undefined
}

function selectorOf(fields: OrderFields, thing: (typeof things)[number] | undefined): Selector | undefined {
  const { token, jti, session, apiKey, subject, issuer } = fields
  if (token !== undefined) return { kind: 'token', digest: digestOf(token) }
  if (jti !== undefined) return { kind: 'token', jti, issuer }
  if (session !== undefined) return { kind: 'session', session, issuer }
  if (apiKey !== undefined) return { kind: 'api-key', id: apiKey }
  if (subject !== undefined) return { kind: 'subject', subject, issuer }
  return issuer === undefined || thing !== undefined ? undefined : { kind: 'issuer', issuer }
}

function withdrawalOf({ role, grant, server, ...fields }: OrderFields): Target | string {
  const from = holderOf(fields)
  if (typeof from === 'string') return from
  if (role !== undefined) return { role, from }
  if (grant === undefined || !/^(?:tool|prompt|resource|template):./su.test(grant)) {
    return 'expected `grant` to be TYPE:NAME, like tool:forecast'
  }
  return server === undefined ? 'expected `server`, the id of the server of the grant' : { grant, server, from }
}

function holderOf({ subject, issuer, everybody }: OrderFields): Holder | string {
  if (everybody === true) {
    const isNarrowed = subject !== undefined || issuer !== undefined
    return isNarrowed ? '`everybody` does not go with `subject` or `issuer`' : { kind: 'everybody' }
  }
  if (subject !== undefined) return { kind: 'subject', subject, issuer }
  if (issuer !== undefined) return { kind: 'issuer', issuer }
  return 'expected from whom: `subject`, `issuer` or `everybody`'
}

function timeOf(time: string | number | undefined): number | undefined {
  if (typeof time === 'number') return Number.isFinite(time) ? time : Number.NaN
  if (time === undefined) return undefined
  // A time without its zone would be another one on every host.
  const isTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(time)
  return isTime ? Date.parse(time) / 1000 : Number.NaN
}

/** When a token that is read, not verified, has died for sure; null for what is none. */
function endOf(compact: string): number | null {
  const reading = readToken(compact)
  const exp = reading.ok ? own(reading.token.payload, 'exp') : undefined
  return typeof exp === 'number' ? Math.ceil(exp) + highestTolerance : null
}

function refused(message: string): OrderReading {
  return { ok: false, message }
}
