import { describe, expect, it } from 'vitest'
import { digestOf, newSecret } from '../../src/api-keys/secret.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Authentication } from '../../src/identity/subject.ts'
import { issuerOptions, now } from '../identity/tokens.ts'
import { entryWith, isBody, orderOf, placeWith } from './place.ts'

function codeOf(authentication: Authentication): string {
  return authentication.ok ? 'ok' : authentication.code
}

describe('a key that is made', () => {
  it('is a secret with a prefix that scanners can look for, and is not kept', async () => {
    const { ledger, create } = placeWith()
    const { id, secret, shared } = await create({ name: 'nightly report' })
    expect(secret).toMatch(/^mcpak_[\w-]{43}$/)
    expect(id).toMatch(/^ak_[a-z2-7]{12}$/)
    expect(shared).toBe(true)
    expect(JSON.stringify(ledger.kept)).not.toContain(secret.slice(6))
    expect(ledger.kept).toMatchObject([{ id, type: 'api-key', body: { digest: digestOf(secret), createdAt: now } }])
  })

  it('is another one each time', async () => {
    const { create } = placeWith()
    const made = await Promise.all(Array.from({ length: 50 }, () => create()))
    expect(new Set(made.flatMap(({ id, secret }) => [id, secret])).size).toBe(100)
  })

  it('may be forgotten by the ledger once it has ended', async () => {
    const { ledger, create } = placeWith()
    await create({ expiresAt: now + 60 })
    await create()
    expect(ledger.kept.map(({ until }) => until)).toEqual([now + 60, undefined])
  })

  it('is not made where it could not be read again', async () => {
    const { ledger, create } = placeWith()
    for (const order of [
      { subject: '' },
      { roles: [''] },
      { grants: { weather: ['forecast'] } },
      { scope: {} },
      { scope: { addresses: ['192.0.2.7/24'] } },
      { permissions: ['everything'] as never },
    ]) {
      await expect(create(order), JSON.stringify(order)).rejects.toThrow(TypeError)
    }
    expect(ledger.kept).toEqual([])
  })

  it('is not made where it cannot be kept', async () => {
    const { ledger, create } = placeWith()
    ledger.add = async () => Promise.reject(new Error('disk full'))
    await expect(create()).rejects.toThrow('disk full')
  })
})

describe('a key that is presented', () => {
  it('is whom it acts as, with what it was given and no OAuth scopes', async () => {
    const { apiKeys, create } = placeWith()
    const grants = JSON.parse('{"weather":["tool:forecast"],"__proto__":["tool:x"]}')
    const given = { roles: ['reader'], grants, groups: ['staff'] }
    const scope = { virtualServers: ['desk'], capabilities: { '*': ['tool:*'] }, addresses: ['192.0.2.7'] }
    const { id, secret } = await create({ ...given, scope, expiresAt: now + 60 })
    expect(apiKeys.authenticate(secret)).toEqual({
      ok: true,
      subject: {
        id: 'alice',
        ...given,
        limits: { virtualServers: ['desk'], capabilities: { '*': ['tool:*'] } },
        apiKey: id,
        expiresAt: now + 60,
        facts: { subject: 'alice', apiKey: id, issuedAt: now },
      },
    })
  })

  it('without limits on what it may use has none', async () => {
    const { apiKeys, create } = placeWith()
    for (const scope of [undefined, { usage: { perHour: 1 } }]) {
      const authentication = apiKeys.authenticate((await create(scope && { scope })).secret)
      expect(authentication).toMatchObject({ ok: true })
      expect(authentication).not.toHaveProperty('subject.limits')
    }
  })

  it('is the same subject each time, which nobody can change', async () => {
    const { apiKeys, create } = placeWith()
    const { secret } = await create({ roles: ['reader'], scope: { virtualServers: ['desk'] } })
    const subjectOf = (authentication: Authentication) => (authentication.ok ? authentication.subject : undefined)
    const subject = subjectOf(apiKeys.authenticate(secret))
    await create()
    expect(subjectOf(apiKeys.authenticate(secret))).toBe(subject)
    for (const part of [subject, subject?.roles, subject?.limits, subject?.limits?.virtualServers, subject?.facts]) {
      expect(Object.isFrozen(part)).toBe(true)
    }
  })
})

describe('what is presented as a key', () => {
  it.each<[string, (secret: string) => string]>([
    ['cut short', (secret) => secret.slice(0, -1)],
    ['too long', (secret) => `${secret}A`],
    ['with nothing after the prefix', () => 'mcpak_'],
    ['padded', (secret) => `${secret}=`],
    ['in the other base64 alphabet', (secret) => `${secret.slice(0, 10)}+${secret.slice(11)}`],
    ['with spare bits set', (secret) => `${secret.slice(0, -1)}B`],
    ['with a space within', (secret) => `${secret.slice(0, 10)} ${secret.slice(11)}`],
  ])('%s is malformed', async (_, change) => {
    const { apiKeys, create } = placeWith()
    const { secret } = await create()
    expect(codeOf(apiKeys.authenticate(change(secret)))).toBe('token_malformed')
  })

  it('is unknown where it was never made, also with the digest or the id of one', async () => {
    const { apiKeys, create } = placeWith()
    const { secret } = await create()
    const digest = digestOf(secret)
    expect(codeOf(apiKeys.authenticate(newSecret()))).toBe('api_key_unknown')
    expect(codeOf(apiKeys.authenticate(`mcpak_${digest}`))).toBe('api_key_unknown')
  })

  it('has expired in the very second, and is unknown a good while later', async () => {
    const { apiKeys, clock, create } = placeWith()
    const { id, secret } = await create({ expiresAt: now + 60 })
    clock.ms += 59_999
    expect(codeOf(apiKeys.authenticate(secret))).toBe('ok')
    clock.ms += 1
    expect(codeOf(apiKeys.authenticate(secret))).toBe('token_expired')
    clock.ms += 25 * 3_600_000
    await create()
    expect(codeOf(apiKeys.authenticate(secret))).toBe('api_key_unknown')
    expect(apiKeys.get(id)).toBeUndefined()
  })
})

describe('a revocation', () => {
  it('ends a key, and no other', async () => {
    const { apiKeys, revoker, create } = placeWith()
    const [one, other] = [await create(), await create()]
    await revoker.revoke({ target: { of: { kind: 'api-key', id: one.id } } })
    expect(codeOf(apiKeys.authenticate(one.secret))).toBe('token_revoked')
    expect(codeOf(apiKeys.authenticate(other.secret))).toBe('ok')
    expect(apiKeys.all().map((key) => apiKeys.stateOf(key))).toEqual(['revoked', 'active'])
  })

  it('of a subject ends its keys for good', async () => {
    const { apiKeys, clock, revoker, create } = placeWith()
    const [alice, bob] = [await create(), await create({ subject: 'bob' })]
    expect(apiKeys.idsOf('alice')).toEqual([alice.id])
    expect(apiKeys.idsOf(undefined)).toEqual([alice.id, bob.id])
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    clock.ms += 30 * 24 * 3_600_000
    expect(codeOf(apiKeys.authenticate(alice.secret))).toBe('token_revoked')
    expect(codeOf(apiKeys.authenticate(bob.secret))).toBe('ok')
  })

  it('of a grant or a role takes those, and the rest stays', async () => {
    const { apiKeys, revoker, create } = placeWith()
    const { secret } = await create({ roles: ['reader'], grants: { weather: ['tool:forecast', 'tool:alerts'] } })
    const from = { kind: 'subject', subject: 'alice' } as const
    await revoker.revoke({ target: { grant: 'tool:alerts', server: 'weather', from } })
    await revoker.revoke({ target: { role: 'reader', from } })
    expect(apiKeys.authenticate(secret)).toMatchObject({
      ok: true,
      subject: { grants: { weather: ['tool:forecast'] }, withdrawnRoles: ['reader'] },
    })
    expect(apiKeys.all().map((key) => apiKeys.stateOf(key))).toEqual(['diminished'])
  })

  it('that nobody can know of denies', async () => {
    const { apiKeys, ledger, create } = placeWith()
    const { secret } = await create()
    ledger.uncertainMs = 6000
    expect(codeOf(apiKeys.authenticate(secret))).toBe('revocations_unknown')
    ledger.uncertainMs = 0
    expect(codeOf(apiKeys.authenticate(secret))).toBe('ok')
  })
})

describe('what a ledger holds', () => {
  it.each<[string, Record<string, unknown>]>([
    ['a scope that is null', { scope: null }],
    ['a scope that is empty', { scope: {} }],
    ['virtual servers that are null', { scope: { virtualServers: null } }],
    ['capabilities that are null', { scope: { capabilities: null } }],
    ['capabilities of a server that are null', { scope: { capabilities: { weather: null } } }],
    ['addresses that are null', { scope: { addresses: null } }],
    ['times that are null', { scope: { times: null } }],
    ['usage that is null', { scope: { usage: null } }],
    ['a limit of usage that is null', { scope: { usage: { perHour: null } } }],
    ['a limit nobody knows', { scope: { userAgents: ['curl'] } }],
    ['a field nobody knows', { onlyOnFridays: true }],
    ['permissions that are null', { permissions: null }],
    ['an end that is null', { expiresAt: null }],
    ['an end that is text', { expiresAt: '2099' }],
    ['a network with bits too many', { scope: { addresses: ['192.0.2.7/24'] } }],
    ['a zone nobody knows', { scope: { times: [{ zone: 'Mars', days: [], from: '00:00', to: '00:00' }] } }],
    ['no subject', { subject: undefined }],
    ['no digest', { digest: undefined }],
  ])('opens nothing, and is told of, with %s', async (_, changes) => {
    const { apiKeys, ledger, faults } = placeWith()
    const secret = newSecret()
    const { body, ...entry } = entryWith(digestOf(secret), changes)
    await ledger.add({ ...entry, body: JSON.parse(JSON.stringify(body)) })
    expect(codeOf(apiKeys.authenticate(secret))).toBe('api_key_unknown')
    expect(apiKeys.all()).toEqual([])
    expect(faults).toEqual([
      expect.stringMatching(/^the API key `ak_tampered` is not understood and opens nothing here: /),
    ])
  })
})

describe('an entry of a ledger', () => {
  it('is as good as what was made here, where it has the form of a key', async () => {
    const { apiKeys, ledger, faults } = placeWith()
    const secret = newSecret()
    await ledger.add(entryWith(digestOf(secret), {}))
    expect(codeOf(apiKeys.authenticate(secret))).toBe('ok')
    expect(faults).toEqual([])
  })

  it('does not change what a key is', async () => {
    const { apiKeys, ledger, faults, create } = placeWith()
    const { secret } = await create({ subject: 'bob' })
    await ledger.add(entryWith(digestOf(secret), { subject: 'admin' }))
    expect(apiKeys.authenticate(secret)).toMatchObject({ ok: true, subject: { id: 'bob' } })
    expect(faults).toHaveLength(1)
  })

  it('is known whether it came before or after', async () => {
    const first = placeWith()
    const before = await first.create()
    const second = placeWith({}, { ledger: first.ledger })
    const after = await first.create()
    for (const { secret } of [before, after]) expect(codeOf(second.apiKeys.authenticate(secret))).toBe('ok')
  })

  it('is no key where it is a revocation, whatever its body', async () => {
    const { apiKeys, ledger } = placeWith()
    const secret = newSecret()
    await ledger.add({ ...entryWith(digestOf(secret), {}), type: 'revocation' })
    expect(codeOf(apiKeys.authenticate(secret))).toBe('api_key_unknown')
  })
})

describe('the Authorization header', () => {
  it('is read by the rules of every credential first', async () => {
    const { apiKeys, create } = placeWith()
    const { secret } = await create()
    const authenticator = createAuthenticator({ issuers: [issuerOptions([])], apiKeys })
    const ask = async (...values: string[]) =>
      codeOf(await authenticator.authenticate({ kind: 'authorization', values }))
    expect(await ask(`Bearer ${secret}`)).toBe('ok')
    expect(await ask(`bEARER   ${secret} `)).toBe('ok')
    expect(await ask(secret)).toBe('token_missing')
    expect(await ask(`Basic ${secret}`)).toBe('token_missing')
    expect(await ask(`Bearer ${secret}`, `Bearer ${secret}`)).toBe('token_malformed')
    expect(await ask(`Bearer ${secret},`)).toBe('token_malformed')
    expect(await ask(`Bearer MCPAK_${secret.slice(6)}`)).toBe('token_malformed')
    expect(await ask(`Bearer ${'mcpak_'.padEnd(40_000, 'A')}`)).toBe('token_malformed')
    expect(codeOf(await authenticator.authenticate({ kind: 'token', token: secret }))).toBe('ok')
  })

  it('opens nothing with a key where nobody knows keys', async () => {
    const { create } = placeWith()
    const { secret } = await create()
    const authenticator = createAuthenticator({ issuers: [issuerOptions([])] })
    expect(codeOf(await authenticator.authenticate({ kind: 'token', token: secret }))).toBe('token_malformed')
  })
})

describe('the schema', () => {
  it('takes an order as it is made, and nothing less', () => {
    const body = { ...orderOf('alice'), digest: digestOf('x'), createdAt: 0 }
    expect(isBody(body)).toBe(true)
    for (const name of Object.keys(body)) {
      const { [name as keyof typeof body]: _, ...rest } = body
      expect(isBody(rest), name).toBe(false)
    }
  })
})
