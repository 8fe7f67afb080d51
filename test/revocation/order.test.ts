import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type OrderFields, readOrder } from '../../src/revocation/order.ts'

const now = 1_800_000_000
const jwt = (payload: object): string => [{ alg: 'ES256' }, payload, 'x'].map(encoded).join('.')

function encoded(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

describe('an order', () => {
  const good: readonly [OrderFields, object][] = [
    [{ jti: 'j' }, { target: { of: { kind: 'token', jti: 'j' } } }],
    [{ jti: 'j', issuer: 'i' }, { target: { of: { kind: 'token', jti: 'j', issuer: 'i' } } }],
    [{ session: 's', issuer: 'i' }, { target: { of: { kind: 'session', session: 's', issuer: 'i' } } }],
    [{ subject: 'alice' }, { target: { of: { kind: 'subject', subject: 'alice' } } }],
    [
      { issuer: 'i', issuedBefore: now - 5 },
      { target: { of: { kind: 'issuer', issuer: 'i' } }, before: now - 5 },
    ],
    [{ apiKey: 'k' }, { target: { of: { kind: 'api-key', id: 'k' } } }],
    [
      { role: 'admin', subject: 'alice', issuer: 'i', reason: 'left the team' },
      { target: { role: 'admin', from: { kind: 'subject', subject: 'alice', issuer: 'i' } }, reason: 'left the team' },
    ],
    [{ role: 'admin', issuer: 'i' }, { target: { role: 'admin', from: { kind: 'issuer', issuer: 'i' } } }],
    [
      { grant: 'tool:rm', server: '*', everybody: true },
      { target: { grant: 'tool:rm', server: '*', from: { kind: 'everybody' } } },
    ],
    [
      { subject: 'alice', issuedBefore: '2026-11-24T12:00:00Z' },
      { target: { of: { kind: 'subject', subject: 'alice' } }, before: 1_795_521_600 },
    ],
  ]
  it.each(good)('reads %j', (fields, order) => {
    expect(readOrder(fields, now)).toEqual({ ok: true, order })
  })

  it('keeps the digest of a token, until it has died for sure', () => {
    const token = jwt({ exp: now + 100 })
    const digest = createHash('sha256')
      .update(token.slice(0, token.lastIndexOf('.')))
      .digest('base64url')
    expect(readOrder({ token }, now)).toEqual({
      ok: true,
      order: { target: { of: { kind: 'token', digest } }, until: now + 400 },
    })
  })
})

describe('an order that cannot be meant', () => {
  const bad: readonly [OrderFields, string][] = [
    [{}, 'expected something to revoke'],
    [{ reason: 'why' }, 'expected something to revoke'],
    [{ token: 'mcpak_not-a-jwt' }, 'expected `token` to be a JWT'],
    [{ token: jwt({ sub: 'no exp' }) }, 'expected `token` to be a JWT'],
    [{ jti: 'j', session: 's' }, 'expected one thing to revoke, found `jti` and `session`'],
    [{ jti: '' }, 'expected `jti` not to be empty'],
    [{ session: 's', subject: 'alice' }, '`subject` does not go with `session`'],
    [{ token: 't', issuer: 'i' }, '`issuer` does not go with `token`'],
    [{ role: 'admin' }, 'expected from whom'],
    [{ role: 'admin', everybody: false }, 'expected from whom'],
    [{ role: 'admin', everybody: true, subject: 'alice' }, '`everybody` does not go with'],
    [{ everybody: true }, '`everybody` goes with'],
    [{ grant: 'tool:x', everybody: true }, 'expected `server`'],
    [{ grant: 'x', server: 's', everybody: true }, 'expected `grant` to be TYPE:NAME'],
    [{ server: 's', subject: 'alice' }, '`server` goes with `grant`'],
    [{ subject: 'alice', issuedBefore: 'yesterday' }, 'expected `issuedBefore` to be a time'],
    [{ subject: 'alice', issuedBefore: '2026-11-24T12:00:00' }, 'expected `issuedBefore` to be a time'],
    [{ subject: 'alice', issuedBefore: '2026-11-24 noon' }, 'expected `issuedBefore` to be a time'],
    [{ subject: 'alice', issuedBefore: Number.NEGATIVE_INFINITY }, 'expected `issuedBefore` to be a time'],
    [{ subject: 'alice', issuedBefore: '2026-13-45' }, 'expected `issuedBefore` to be a time'],
    [{ subject: 'alice', issuedBefore: now + 3600 }, 'expected `issuedBefore` not to lie ahead'],
    [{ jti: 'j', issuedBefore: now }, '`issuedBefore` goes with a subject'],
    [{ subject: 'alice', reason: 'two\nlines' }, 'expected `reason` to be one line'],
    [{ subject: 'x'.repeat(4097) }, 'expected `subject` within 4096 characters'],
  ]
  it.each(bad)('refuses %j', (fields, message) => {
    const reading = readOrder(fields, now)
    expect(reading.ok ? 'accepted' : reading.message).toContain(message)
  })
})
