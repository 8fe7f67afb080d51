import { describe, expect, it } from 'vitest'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import { createCapabilityVerifier, type Judgement, type RevocationCheck } from '../../src/guard/index.ts'
import { digestOf } from '../../src/identity/jwt.ts'
import type { CredentialFacts, Subject } from '../../src/identity/subject.ts'
import { keyOf, keysOf, type Selector } from '../../src/revocation/revocation.ts'

const now = 1_800_000_000
const key = await capabilityKeyFrom(generateKeyPem())
const facts: CredentialFacts = {
  issuer: 'https://sso.example.com',
  subject: 'f81d4fae',
  jti: 'token-1',
  session: 'session-1',
  digest: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
  issuedAt: now - 100,
  apiKey: 'key-1',
}
const alice: Subject = { id: 'alice', grants: {}, roles: [], facts }

async function minted(subject: Subject): Promise<string> {
  const options = { issuer: 'mcp-authz', audience: 'mcp-broker', lifetimeSeconds: 60, maxBytes: 9999 }
  const minter = createMinter({ ...options, profile: 'strict' }, () => key)
  const capabilities = { tools: { s: ['a'] }, prompts: {}, resources: {}, templates: {} }
  const outcome = await minter.mint({ subject, capabilities, revision: 'r1' })
  if (!outcome.ok) throw new Error(outcome.code)
  return outcome.token
}

async function outcomeOf(subject: Subject, revocations: RevocationCheck): Promise<string> {
  const trusted = { keys: key.jwks.keys }
  const verifier = createCapabilityVerifier({ trusted, issuer: 'mcp-authz', audience: 'mcp-broker', revocations })
  const outcome = await verifier.verify(await minted(subject), { session: null })
  return outcome.ok ? 'ok' : outcome.code
}

const judging = (judge: RevocationCheck['judge']): RevocationCheck => ({ epoch: () => 0, judge })
const always = (judgement: Judgement): RevocationCheck => judging(() => judgement)

/** Whoever is named, for credentials issued by then. */
function revoking(named: Selector, before = Number.POSITIVE_INFINITY): RevocationCheck {
  return judging((found) => {
    const isMeant = keysOf(found).includes(keyOf(named)) && (found.issuedAt ?? 0) <= before
    return { kind: isMeant ? 'revoked' : 'good' }
  })
}

const { issuer } = facts
const selectors: readonly (readonly [string, Selector])[] = [
  ['its id', { kind: 'token', jti: 'token-1' }],
  ['its id, of its issuer', { kind: 'token', jti: 'token-1', issuer }],
  ['its digest', { kind: 'token', digest: facts.digest ?? '' }],
  ['its session', { kind: 'session', session: 'session-1' }],
  ['its session, of its issuer', { kind: 'session', session: 'session-1', issuer }],
  ['its subject', { kind: 'subject', subject: 'f81d4fae' }],
  ['its subject, of its issuer', { kind: 'subject', subject: 'f81d4fae', issuer }],
  ['its issuer', { kind: 'issuer', issuer: issuer ?? '' }],
  ['its API key', { kind: 'api-key', id: 'key-1' }],
]

describe('a capability token whose origin was revoked', () => {
  it.each(selectors)('is refused: by %s', async (_, selector) => {
    expect(await outcomeOf(alice, revoking(selector))).toBe('token_revoked')
  })

  it('is refused by what its origin was issued before, not by what it was', async () => {
    const subject: Selector = { kind: 'subject', subject: 'f81d4fae' }
    expect(await outcomeOf(alice, revoking(subject, now - 100))).toBe('token_revoked')
    expect(await outcomeOf(alice, revoking(subject, now - 101))).toBe('ok')
  })

  it('is refused by subject where that is all that is known', async () => {
    const { facts: _, ...bare } = alice
    expect(await outcomeOf(bare, revoking({ kind: 'subject', subject: 'alice' }))).toBe('token_revoked')
    expect(await outcomeOf(bare, revoking({ kind: 'subject', subject: 'bob' }))).toBe('ok')
  })

  it('is refused where nobody can know, and where asking fails', async () => {
    expect(await outcomeOf(alice, always({ kind: 'unknown' }))).toBe('revocations_unknown')
    const broken = judging(() => {
      throw new Error('broken')
    })
    expect(await outcomeOf(alice, broken)).toBe('policy_error')
  })

  it('is told apart by all of it: the facts are the same again', async () => {
    const seen: CredentialFacts[] = []
    const watching = judging((found) => {
      seen.push(found)
      return { kind: 'good' }
    })
    const sparse: CredentialFacts = { subject: 'alice', digest: 'd' }
    await outcomeOf(alice, watching)
    await outcomeOf({ ...alice, facts: sparse }, watching)
    expect([seen[0], seen[2]]).toEqual([facts, sparse])
  })

  it('can be named by itself: by the digest that `revoke --token` keeps, and by its id', async () => {
    const token = await minted(alice)
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }
    for (const named of [{ digest: digestOf(token) }, { jti }]) {
      const revocations = revoking({ kind: 'token', ...named })
      const trusted = { keys: key.jwks.keys }
      const verifier = createCapabilityVerifier({ trusted, issuer: 'mcp-authz', audience: 'mcp-broker', revocations })
      expect(await verifier.verify(token, { session: null })).toEqual({ ok: false, code: 'token_revoked' })
      expect((await verifier.verify(await minted(alice), { session: null })).ok).toBe(true)
    }
  })
})

describe('a capability token of which roles or grants were taken since', () => {
  const grants = { weather: ['tool:b', 'tool:a'], '*': ['tool:c'] }
  const diminished: Judgement = { kind: 'diminished', roles: ['admin', 'editor'], grants }
  const since: Subject = {
    ...alice,
    withdrawnRoles: ['editor', 'admin'],
    withdrawnGrants: { '*': ['tool:c'], weather: ['tool:a', 'tool:b'], none: [] },
  }

  it('is refused where it was minted before, and good where it was minted after', async () => {
    expect(await outcomeOf(alice, always(diminished))).toBe('token_revoked')
    expect(await outcomeOf(since, always(diminished))).toBe('ok')
  })

  it('is refused where more was taken since it was minted', async () => {
    const more: Judgement[] = [
      { ...diminished, roles: ['admin', 'editor', 'viewer'] },
      { ...diminished, grants: { ...grants, files: ['tool:a'] } },
      { ...diminished, grants: { ...grants, weather: ['tool:a', 'tool:b', 'tool:d'] } },
    ]
    for (const judgement of more) expect(await outcomeOf(since, always(judgement))).toBe('token_revoked')
  })

  it('is good where nothing is known of that any more', async () => {
    expect(await outcomeOf(since, always({ kind: 'good' }))).toBe('ok')
  })
})
