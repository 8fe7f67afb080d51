import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CredentialFacts } from '../../src/identity/subject.ts'
import { keyOf, type Selector, type Target } from '../../src/revocation/revocation.ts'
import { createRevocations, type Revocations } from '../../src/revocation/revocations.ts'
import { createRevoker, type RevocationOrder } from '../../src/revocation/revoker.ts'
import type { LedgerEntry } from '../../src/state/ledger.ts'
import { memoryLedger } from './ledger.ts'

const nowMs = 1_800_000_000_000
const now = nowMs / 1000
const issuer = 'https://sso.example.com'

const alice: CredentialFacts = {
  issuer,
  subject: 'alice',
  jti: 'j1',
  session: 's1',
  digest: 'a-digest',
  issuedAt: now - 60,
}

function place(stance: { whenUnknown?: 'deny' | 'allow'; maxUnknownMs?: number } = {}) {
  const ledger = memoryLedger()
  const faults: string[] = []
  const clock = { ms: nowMs }
  const revocations = createRevocations({
    ledger,
    whenUnknown: 'deny',
    maxUnknownMs: 5000,
    ...stance,
    now: () => clock.ms,
    onFault: (text) => faults.push(text),
  })
  const revoker = createRevoker({ ledger, longestLife: (of) => (of === issuer ? 3600 : 86_400), now: () => clock.ms })
  const revoke = async (target: Target, more: Partial<RevocationOrder> = {}) =>
    await revoker.revoke({ target, ...more })
  return { ledger, revocations, revoke, faults, clock }
}

function kindOf(revocations: Revocations, facts: CredentialFacts): string {
  return revocations.judge(facts).kind
}

describe('what a revocation names', () => {
  const selectors: readonly [string, Selector, Partial<CredentialFacts>][] = [
    ['a token by its id', { kind: 'token', jti: 'j1' }, { jti: 'j2' }],
    ['a token of one issuer by its id', { kind: 'token', jti: 'j1', issuer }, { issuer: 'https://other.example.com' }],
    ['a token by its digest', { kind: 'token', digest: 'a-digest' }, { digest: 'another' }],
    ['a session', { kind: 'session', session: 's1' }, { session: 's2' }],
    ['a session of one issuer', { kind: 'session', session: 's1', issuer }, { issuer: 'https://other.example.com' }],
    ['a subject', { kind: 'subject', subject: 'alice' }, { subject: 'bob' }],
    ['a subject of one issuer', { kind: 'subject', subject: 'alice', issuer }, { issuer: undefined }],
    ['an issuer', { kind: 'issuer', issuer }, { issuer: 'https://other.example.com' }],
  ]
  it.each(selectors)('turns away %s, and nobody else', async (_name, of, otherwise) => {
    const { revocations, revoke } = place()
    expect(kindOf(revocations, alice)).toBe('good')
    await revoke({ of })
    expect(kindOf(revocations, alice)).toBe('revoked')
    expect(kindOf(revocations, { ...alice, ...otherwise })).toBe('good')
  })

  it('never takes one thing for another that is written the same', async () => {
    const words = fc.constantFrom('a', 'b', '', 'null', '["subject"]', '__proto__', 'jti')
    const facts: fc.Arbitrary<CredentialFacts> = fc.record({
      issuer: words,
      subject: words,
      jti: words,
      session: words,
      digest: words,
      issuedAt: fc.constant(now - 1),
    })
    const selector: fc.Arbitrary<Selector> = fc.oneof(
      fc.record({ kind: fc.constant('token' as const), jti: words, issuer: fc.option(words, { nil: undefined }) }),
      fc.record({ kind: fc.constant('token' as const), digest: words }),
      fc.record({
        kind: fc.constant('session' as const),
        session: words,
        issuer: fc.option(words, { nil: undefined }),
      }),
      fc.record({
        kind: fc.constant('subject' as const),
        subject: words,
        issuer: fc.option(words, { nil: undefined }),
      }),
      fc.record({ kind: fc.constant('issuer' as const), issuer: words }),
    )
    await fc.assert(
      fc.asyncProperty(facts, fc.array(selector, { maxLength: 4 }), async (credential, named) => {
        const { revocations, revoke } = place()
        for (const of of named) await revoke({ of })
        expect(kindOf(revocations, credential)).toBe(named.some((of) => names(of, credential)) ? 'revoked' : 'good')
      }),
    )
  })
})

/** The plain meaning of a selector, to hold the digests against. */
function names(of: Selector, { issuer: iss, subject, jti, session, digest }: CredentialFacts): boolean {
  if ('issuer' in of && of.issuer !== undefined && of.issuer !== iss) return false
  switch (of.kind) {
    case 'token':
      return 'digest' in of ? of.digest === digest : of.jti === jti
    case 'session':
      return of.session === session
    case 'subject':
      return of.subject === subject
    case 'issuer':
      return true
    case 'api-key':
      return false
    default:
      return of satisfies never
  }
}

describe('when a credential was issued', () => {
  it('lets in what was issued after a subject was turned away', async () => {
    const { revocations, revoke } = place()
    await revoke({ of: { kind: 'subject', subject: 'alice' } })
    expect(kindOf(revocations, { ...alice, issuedAt: now })).toBe('revoked')
    expect(kindOf(revocations, { ...alice, issuedAt: now + 1 })).toBe('good')
  })

  it('takes a credential that does not say it for an old one', async () => {
    const { revocations, revoke } = place()
    expect(kindOf(revocations, { ...alice, issuedAt: undefined })).toBe('good')
    await revoke({ of: { kind: 'subject', subject: 'alice' } })
    expect(kindOf(revocations, { ...alice, issuedAt: undefined })).toBe('revoked')
  })

  it('does not matter for one token or session', async () => {
    const { revocations, revoke } = place()
    await revoke({ of: { kind: 'session', session: 's1' } })
    expect(kindOf(revocations, { ...alice, issuedAt: now + 100 })).toBe('revoked')
  })

  it('is compared with the latest of several times', async () => {
    const { revocations, revoke } = place()
    await revoke({ of: { kind: 'issuer', issuer } }, { before: now - 30 })
    await revoke({ of: { kind: 'issuer', issuer } }, { before: now - 100 })
    expect(kindOf(revocations, { ...alice, issuedAt: now - 31 })).toBe('revoked')
    expect(kindOf(revocations, { ...alice, issuedAt: now - 29 })).toBe('good')
  })
})

describe('a role or grant that is taken away', () => {
  it('diminishes its holder alone', async () => {
    const { revocations, revoke } = place()
    await revoke({ role: 'admin', from: { kind: 'subject', subject: 'alice' } })
    await revoke({ grant: 'tool:forecast', server: 'weather', from: { kind: 'issuer', issuer } })
    await revoke({ grant: 'tool:rm', server: '*', from: { kind: 'everybody' } })
    expect(revocations.judge(alice)).toEqual({
      kind: 'diminished',
      roles: ['admin'],
      grants: { weather: ['tool:forecast'], '*': ['tool:rm'] },
    })
    expect(revocations.judge({ ...alice, subject: 'bob', issuer: 'https://other.example.com' })).toEqual({
      kind: 'diminished',
      roles: [],
      grants: { '*': ['tool:rm'] },
    })
  })

  it('is had again with a credential that was issued later', async () => {
    const { revocations, revoke } = place()
    await revoke({ role: 'admin', from: { kind: 'everybody' } })
    expect(kindOf(revocations, { ...alice, issuedAt: now + 1 })).toBe('good')
  })
})

describe('the epoch', () => {
  it('changes with every revocation, and with what can be known', async () => {
    const { ledger, revocations, revoke } = place()
    const seen = [revocations.epoch()]
    await revoke({ of: { kind: 'subject', subject: 'alice' } })
    seen.push(revocations.epoch())
    ledger.uncertainMs = 5001
    seen.push(revocations.epoch())
    await revoke({ of: { kind: 'subject', subject: 'bob' } })
    seen.push(revocations.epoch())
    expect(new Set(seen).size).toBe(4)
  })
})

describe('what cannot be known', () => {
  it('denies everything after the bound, until it can be known again', () => {
    const { ledger, revocations } = place()
    ledger.uncertainMs = 5000
    expect(kindOf(revocations, alice)).toBe('good')
    ledger.uncertainMs = 5001
    expect(kindOf(revocations, alice)).toBe('unknown')
    expect(revocations.known()).toBe(false)
    ledger.uncertainMs = Number.POSITIVE_INFINITY
    expect(kindOf(revocations, alice)).toBe('unknown')
    ledger.uncertainMs = 0
    expect(kindOf(revocations, alice)).toBe('good')
  })

  it('goes on under the stance that says so, with what is known', async () => {
    const { ledger, revocations, revoke } = place({ whenUnknown: 'allow' })
    await revoke({ of: { kind: 'subject', subject: 'bob' } })
    ledger.uncertainMs = Number.POSITIVE_INFINITY
    expect(kindOf(revocations, alice)).toBe('good')
    expect(kindOf(revocations, { ...alice, subject: 'bob' })).toBe('revoked')
    expect(revocations.known()).toBe(false)
  })

  it('includes entries of a form that is not understood: they are told, and the rest stands', async () => {
    const { ledger, revocations, faults } = place()
    await ledger.add({ id: 'later', type: 'revocation', body: { kind: 'device', key: 'x', at: now } })
    await ledger.add({ id: 'worse', type: 'revocation', body: {} })
    await ledger.add({ id: 'other', type: 'api-key', body: {} })
    expect(faults).toEqual([
      'the revocation `later` is not understood and not in force here',
      'the revocation `worse` is not understood and not in force here',
    ])
    expect(kindOf(revocations, alice)).toBe('good')
  })
})

describe('the life of a revocation', () => {
  it('ends with the longest life of the tokens it names', async () => {
    const { ledger, revocations, revoke, clock } = place()
    await revoke({ of: { kind: 'subject', subject: 'alice', issuer } })
    await revoke({ of: { kind: 'subject', subject: 'alice' } })
    await revoke({ of: { kind: 'token', digest: 'x' } }, { until: now + 7 })
    await revoke({ of: { kind: 'api-key', id: 'k' } })
    expect(ledger.kept.map(({ until }) => until)).toEqual([now + 3600, now + 86_400, now + 7, undefined])
    clock.ms += 3_601_000
    expect(revocations.entries().map(({ revocation }) => revocation.kind)).toEqual(['subject', 'api-key'])
  })

  it('ends when it says, however many others are known', async () => {
    const { revocations, revoke, clock } = place()
    await revoke({ of: { kind: 'session', session: 's1' } }, { until: now + 7 })
    await revoke({ role: 'admin', from: { kind: 'subject', subject: 'alice' } }, { until: now + 9 })
    expect(kindOf(revocations, alice)).toBe('revoked')
    clock.ms += 7000
    expect(kindOf(revocations, alice)).toBe('diminished')
    clock.ms += 2000
    expect(kindOf(revocations, alice)).toBe('good')
  })

  it('is that of the longest one where the same thing is taken away several times', async () => {
    const { revocations, revoke, clock } = place()
    const of: Selector = { kind: 'subject', subject: 'alice' }
    await revoke({ of }, { before: now, until: now + 7 })
    await revoke({ of }, { before: now - 90, until: now + 20 })
    await revoke({ of }, { before: now - 40, until: now + 10 })
    clock.ms += 8000
    expect(kindOf(revocations, { ...alice, issuedAt: now - 40 })).toBe('revoked')
    clock.ms += 3000
    expect(kindOf(revocations, { ...alice, issuedAt: now - 40 })).toBe('good')
    expect(kindOf(revocations, { ...alice, issuedAt: now - 90 })).toBe('revoked')
  })

  it('leaves nothing readable of whom it names', async () => {
    const { ledger, revoke } = place()
    await revoke({ of: { kind: 'session', session: 'a-session-id', issuer } })
    const [entry] = ledger.kept
    const { about, ...rest } = entry?.body ?? {}
    expect(about).toBe('session a-session-id of https://sso.example.com')
    expect(JSON.stringify(rest)).not.toContain('a-session-id')
  })
})

describe('API keys of a subject', () => {
  it('are turned away with it for good', async () => {
    const ledger = memoryLedger()
    const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 0, now: () => nowMs })
    const revoker = createRevoker({
      ledger,
      longestLife: () => 60,
      apiKeys: (subject) => (subject === undefined || subject === 'alice' ? ['k1', 'k2'] : []),
      now: () => nowMs,
    })
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    expect(ledger.kept.map(({ until }) => until)).toEqual([now + 60, undefined, undefined])
    expect(kindOf(revocations, { subject: 'whoever', apiKey: 'k2', issuedAt: now - 1 })).toBe('revoked')
    expect(kindOf(revocations, { subject: 'whoever', apiKey: 'k2', issuedAt: now + 1 })).toBe('good')
    await revoker.revoke({ target: { role: 'admin', from: { kind: 'everybody' } } })
    await revoker.revoke({ target: { role: 'admin', from: { kind: 'subject', subject: 'bob' } } })
    expect(ledger.kept.slice(3).map(({ until }) => until)).toEqual([undefined, now + 60])
  })
})

describe('a hundred thousand revocations', () => {
  it('are taken one by one, kept while they live, and numbered for those who follow', async () => {
    const clock = { ms: nowMs }
    const sent: string[] = []
    const listeners: ((entries: readonly LedgerEntry[]) => void)[] = []
    const followed = createRevocations({
      ledger: {
        follow(listener) {
          listeners.push(listener)
          return () => undefined
        },
        uncertainForMs: () => 0,
      },
      whenUnknown: 'deny',
      maxUnknownMs: 0,
      now: () => clock.ms,
    })
    const begun = performance.now()
    for (let index = 0; index < 100_000; index += 1) {
      const body = { kind: 'subject', key: keyOf({ kind: 'subject', subject: `s${index}` }), before: now, at: now }
      const until = now + (index % 2 === 0 ? 10 : 1000)
      for (const listener of listeners) listener([{ id: `r${index}`, type: 'revocation', until, body }])
    }
    // Where each one copied all that there are it would take minutes.
    expect(performance.now() - begun).toBeLessThan(20_000)
    clock.ms += 11_000
    for (let from = 0; from < followed.count(); ) {
      const { entries, count } = followed.since(from, 1000)
      expect(entries.length).toBeLessThanOrEqual(1000)
      sent.push(...entries.map(({ id }) => id))
      from = count
    }
    expect(sent).toHaveLength(50_000)
    expect(new Set(sent).size).toBe(50_000)
    expect(kindOf(followed, { subject: 's99999', issuedAt: now })).toBe('revoked')
    expect(kindOf(followed, { subject: 's99998', issuedAt: now })).toBe('good')
  }, 60_000)
})
