import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Permits } from '../../src/http/permits.ts'
import { followList } from '../../src/revocation/follower.ts'
import { createPublisher, listType } from '../../src/revocation/list.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createRevoker } from '../../src/revocation/revoker.ts'
import type { Ledger } from '../../src/state/ledger.ts'
import { capabilityKey } from '../authorizer/scenes.ts'
import { memoryLedger } from '../revocation/ledger.ts'
import { openDoor } from './door.ts'

const publicKey = createPublicKey(capabilityKey.privateKey)
const trust = { key: async () => publicKey, issuer: 'mcp-authz' }
const alice = { issuer: 'i', subject: 'alice', issuedAt: 0 }

/** Whoever says the name of the permission may. */
const permits: Permits = async ({ rawHeaders }, permission) =>
  rawHeaders.includes(permission) ? { ok: true } : { ok: false, status: 401, message: 'expected an API key' }

async function place(ledger: Ledger = memoryLedger(), instance = 'one') {
  const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 5000 })
  const revoker = createRevoker({ ledger, longestLife: () => 3600 })
  const publisher = createPublisher({ revocations, instance, key: () => capabilityKey, issuer: 'mcp-authz' })
  const door = await openDoor({ revocations: { permits, revoker, revocations, publisher, open: (text) => text } })
  return { door, revocations, revoker, publisher, list: `${door.origin}/.well-known/mcp-authz-revocations` }
}

function follow(url: string, faults: string[] = []) {
  const ledger = followList({ url, trust, onFault: (text) => faults.push(text) })
  onTestFinished(() => ledger.close())
  return { ledger, revocations: createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 3000 }) }
}

const write = { authorization: 'revocations:write' }

describe('POST /admin/v1/revocations', () => {
  it('revokes for those who may, and is in force when it answers', async () => {
    const { door, revocations } = await place()
    const answer = await door.post('/admin/v1/revocations', { subject: 'alice', reason: 'lost laptop' }, write)
    expect(answer).toMatchObject({ status: 201, json: { id: expect.any(String), shared: true } })
    expect(revocations.judge(alice).kind).toBe('revoked')
  })

  it('does nothing for anybody else, also on this host', async () => {
    const { door, revocations } = await place()
    const answer = await door.post('/admin/v1/revocations', { subject: 'alice' })
    expect(answer).toMatchObject({ status: 401, json: { error: 'expected an API key' } })
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(revocations.judge(alice).kind).toBe('good')
  })

  it.each<[unknown, string]>([
    [{ subjct: 'alice' }, 'expected only the fields token, jti'],
    [{ subject: 7 }, 'expected `subject` to be a string'],
    [{ subject: null }, 'expected `subject` to be a string'],
    [{ role: 'r', everybody: 'yes' }, 'expected `everybody` to be a boolean'],
    [{ issuer: 'i', issuedBefore: true }, 'expected `issuedBefore` to be a string or number'],
    [[], 'expected a JSON object'],
    ['{"subject":"alice","subject":"bob"}', 'the body is not usable'],
    ['', 'the body is not usable'],
    [{}, 'expected something to revoke'],
  ])('refuses %j', async (body, error) => {
    const { door, revocations } = await place()
    const answer = await door.post('/admin/v1/revocations', body, write)
    expect([answer.status, answer.json.error]).toEqual([400, expect.stringContaining(error)])
    expect(revocations.entries()).toEqual([])
  })

  it('says so where it cannot be kept, and nothing is in force', async () => {
    const { door, revocations } = await place({ ...memoryLedger(), add: () => Promise.reject(new Error('disk full')) })
    const answer = await door.post('/admin/v1/revocations', { subject: 'alice' }, write)
    expect([answer.status, answer.text.includes('disk full')]).toEqual([503, false])
    expect(revocations.judge(alice).kind).toBe('good')
  })
})

describe('GET /admin/v1/revocations', () => {
  it('lists what is in force, in words, for those who may read it', async () => {
    const { door, revoker } = await place()
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } }, reason: 'why' })
    await revoker.revoke({ target: { grant: 'tool:x', server: 's', from: { kind: 'everybody' } } })
    expect((await door.get('/admin/v1/revocations')).status).toBe(401)
    const response = await fetch(`${door.origin}/admin/v1/revocations`, {
      headers: { authorization: 'revocations:read' },
    })
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toEqual({
      revocations: [
        expect.objectContaining({ kind: 'subject', about: 'subject alice', reason: 'why' }),
        expect.objectContaining({ kind: 'grant', about: 'tool:x on s of everybody', grant: 'tool:x', server: 's' }),
      ],
    })
  })
})

describe('the published list', () => {
  it('is obeyed by who follows it, within one answer', async () => {
    const { revoker, list } = await place()
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'bob' } } })
    const { ledger, revocations } = follow(list)
    await ledger.first
    expect(revocations.judge({ ...alice, subject: 'bob' }).kind).toBe('revoked')
    expect(revocations.judge(alice).kind).toBe('good')
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    await expect.poll(() => revocations.judge(alice).kind, { interval: 5 }).toBe('revoked')
  })

  it('names nobody and gives no reasons', async () => {
    const { door, revoker } = await place()
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } }, reason: 'a-reason' })
    const { text, headers } = await door.get('/.well-known/mcp-authz-revocations')
    expect(headers.get('content-type')).toContain('application/jwt')
    const payload = Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()
    expect(payload).toContain('"kind":"subject"')
    expect(payload).not.toMatch(/alice|a-reason/)
  })

  it('starts anew where the service did', async () => {
    const ledger = memoryLedger()
    const first = await place(ledger, 'one')
    const second = await place(ledger, 'two')
    await first.revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    const { text } = await first.door.get('/.well-known/mcp-authz-revocations')
    const { cursor } = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString())
    const answered = async (origin: string) => {
      const answer = await fetch(`${origin}/.well-known/mcp-authz-revocations?after=${cursor}`)
      return JSON.parse(Buffer.from((await answer.text()).split('.')[1] ?? '', 'base64url').toString())
    }
    expect(await answered(first.door.origin)).toMatchObject({ complete: false, entries: [] })
    expect(await answered(second.door.origin)).toMatchObject({
      complete: true,
      entries: [{ body: { kind: 'subject' } }],
    })
  })
})

describe('the published list of many', () => {
  it('comes in parts where it is long, and nothing is known before the last of them', async () => {
    const ledger = memoryLedger()
    const { revoker, door, list } = await place(ledger)
    const names = Array.from({ length: 2500 }, (_, index) => `s${index}`)
    for (const subject of names) await revoker.revoke({ target: { of: { kind: 'subject', subject } } })
    const { text } = await door.get('/.well-known/mcp-authz-revocations')
    const first = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString())
    expect(first).toMatchObject({ cursor: 'one.1000', complete: false, more: true })
    const followed = follow(list)
    await followed.ledger.first
    expect(followed.revocations.entries()).toHaveLength(2500)
    expect(names.every((subject) => followed.revocations.judge({ ...alice, subject }).kind === 'revoked')).toBe(true)
  })

  it('is answered at once to all who wait when the service ends', async () => {
    const { publisher, list, door } = await place()
    const { text } = await door.get('/.well-known/mcp-authz-revocations')
    const { cursor } = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString())
    const waiting = [1, 2, 3].map(async () => (await fetch(`${list}?after=${cursor}&wait=5`)).status)
    await new Promise((resolve) => setTimeout(resolve, 200))
    const begun = performance.now()
    publisher.close()
    expect(await Promise.all(waiting)).toEqual([200, 200, 200])
    expect(performance.now() - begun).toBeLessThan(3000)
  })
})

describe('the published list of a service that cannot know', () => {
  it('carries on how little the service itself can know', async () => {
    const ledger = memoryLedger()
    const { list } = await place(ledger)
    ledger.uncertainMs = 60_000
    const { ledger: followed, revocations } = follow(list)
    await followed.first
    expect(revocations.judge(alice).kind).toBe('unknown')
  })
})

describe('a list that is not the trusted one', () => {
  it('is not believed: another key, type or issuer, an old one, no JWT', async () => {
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const payload = { cursor: 'a.0', complete: true, more: false, uncertainForMs: 0, entries: [] }
    const signed = async (typ: string, issuer: string, key = capabilityKey.privateKey, age = 0): Promise<string> => {
      const at = Math.floor(Date.now() / 1000) - age
      const jwt = new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ }).setIssuer(issuer)
      return await jwt
        .setIssuedAt(at)
        .setExpirationTime(at + 60)
        .sign(key)
    }
    const answers = [
      await signed(listType, 'mcp-authz', stranger),
      await signed('JWT', 'mcp-authz'),
      await signed(listType, 'somebody'),
      await signed(listType, 'mcp-authz', capabilityKey.privateKey, 180),
      JSON.stringify(payload),
      '',
    ]
    for (const answer of answers) {
      const faults: string[] = []
      const publisher = { answer: async () => answer, close: () => undefined }
      const ledger = memoryLedger()
      const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 0 })
      const revoker = createRevoker({ ledger, longestLife: () => 1 })
      const door = await openDoor({ revocations: { permits, revoker, revocations, publisher, open: (text) => text } })
      const followed = follow(`${door.origin}/.well-known/mcp-authz-revocations`, faults)
      await followed.ledger.first
      expect(followed.revocations.judge(alice).kind, answer).toBe('unknown')
      expect(faults).toEqual(['the list of revocations cannot be had: expected a list that the trusted key signed'])
    }
  })

  it('that cannot be had leaves nothing known, once said', async () => {
    const faults: string[] = []
    const { ledger, revocations } = follow('http://127.0.0.1:9/list', faults)
    await ledger.first
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(revocations.judge(alice).kind).toBe('unknown')
    expect(faults.length).toBe(1)
  })
})
