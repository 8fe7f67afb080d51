import { randomBytes } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { createApiKey } from '../../src/api-keys/create.ts'
import { digestOf } from '../../src/api-keys/secret.ts'
import { parseConfig } from '../../src/config/load.ts'
import { type Kept, openKept } from '../../src/kept.ts'
import { project } from '../cli/terminal.ts'
import { until } from '../state/states.ts'
import { patient, withRedis } from './redis-replicas.ts'
import { type RedisServer, startRedis } from './redis-server.ts'

const signed = { gateway: { signingKey: 'a-signing-key-of-more-than-32-bytes' } }
const order = { subject: 'alice', roles: ['admin'], grants: {}, groups: [], permissions: [] }
const alice = { subject: 'alice', issuedAt: 0 }

interface Replica extends Kept {
  readonly warnings: readonly string[]
}

/** What a service keeps whose configuration names this Redis. */
async function replica({ url }: RedisServer, more: object = signed): Promise<Replica> {
  const issuers = [{ issuer: 'https://sso.example.com', jwks: { file: 'jwks.json' }, audiences: ['gateway'] }]
  const config = await parseConfig({ issuers, state: { redis: { url, prefix: 'p:' } }, ...more }, await project())
  const warnings: string[] = []
  const kept = await openKept(config, { state: 'create', onWarning: (text) => warnings.push(text) })
  onTestFinished(kept.close)
  await until(() => kept.state.ledger.uncertainForMs() === 0, 'it has caught up')
  return { ...kept, warnings }
}

/** A key that nobody made but whoever can write to Redis. */
function forgedKey(): { readonly secret: string; readonly text: string } {
  const secret = `mcpak_${randomBytes(32).toString('base64url')}`
  const body = { ...order, digest: digestOf(secret), createdAt: Date.now() / 1000 }
  return { secret, text: JSON.stringify({ id: 'ak_forgedforged', type: 'api-key', body }) }
}

async function write(redis: RedisServer, id: string, text: string): Promise<void> {
  await redis.command('HSET', 'p:ledger', id, text)
  await redis.command('XADD', 'p:changes', '*', 'entry', text)
}

async function saysSo({ warnings }: Replica, why: RegExp): Promise<void> {
  await until(() => warnings.some((text) => why.test(text)), 'it says so')
}

const unstamped = /^Redis at redis:\S+: .* is left out: nobody who has the signing key of this replica wrote it$/

withRedis('an API key that somebody writes into Redis by hand', patient, () => {
  it('opens nothing, in a replica that runs and in one that starts later, and both say so', async () => {
    const redis = await startRedis()
    const running = await replica(redis)
    const { secret, text } = forgedKey()
    await write(redis, 'ak_forgedforged', text)
    await saysSo(running, unstamped)
    const later = await replica(redis)
    await saysSo(later, unstamped)
    for (const { apiKeys } of [running, later]) {
      expect(apiKeys.authenticate(secret)).toMatchObject({ ok: false, code: 'api_key_unknown' })
    }
  })

  it('opens nothing under the stamp of another entry, of another prefix, or of another signing key', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    const made = await createApiKey(order, { ledger: one.state.ledger, isBody: (_): _ is never => true })
    const stamped = String(await redis.command('HGET', 'p:ledger', made.id))
    const { secret, text } = forgedKey()
    await write(redis, 'ak_forgedforged', `${stamped.slice(0, stamped.indexOf('{'))}${text}`)
    await saysSo(one, unstamped)
    expect(one.apiKeys.authenticate(secret)).toMatchObject({ ok: false, code: 'api_key_unknown' })
    const stranger = await replica(redis, { gateway: { signingKey: 'another-key-of-more-than-32-bytes!' } })
    const elsewhere = await replica(redis, { ...signed, state: { redis: { url: redis.url, prefix: 'q:' } } })
    await redis.command('HSET', 'q:ledger', made.id, stamped)
    await redis.command('XADD', 'q:changes', '*', 'entry', stamped)
    for (const other of [stranger, elsewhere]) {
      await saysSo(other, unstamped)
      expect(other.apiKeys.authenticate(made.secret)).toMatchObject({ ok: false, code: 'api_key_unknown' })
    }
    const friend = await replica(redis)
    expect(friend.apiKeys.authenticate(made.secret)).toMatchObject({ ok: true, subject: { id: 'alice' } })
  })

  it('opens nothing without a signing key either, where revocations are taken as they are', async () => {
    const redis = await startRedis()
    const one = await replica(redis, {})
    const { secret, text } = forgedKey()
    await write(redis, 'ak_forgedforged', text)
    await saysSo(one, /is left out: API keys are carried under a signing key alone: set GATEWAY_SIGNING_KEY/)
    expect(one.apiKeys.authenticate(secret)).toMatchObject({ ok: false, code: 'api_key_unknown' })
    const other = await replica(redis, {})
    await other.revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    await until(() => one.revocations.judge(alice).kind === 'revoked', 'it is told of the revocation')
  })

  it('opens what it says where a switch says that Redis is believed', async () => {
    const redis = await startRedis()
    const { secret, text } = forgedKey()
    await write(redis, 'ak_forgedforged', text)
    const one = await replica(redis, { insecure: { unsignedState: true } })
    expect(one.apiKeys.authenticate(secret)).toMatchObject({ ok: true })
    const careful = await replica(redis, { ...signed, insecure: { unsignedState: true } })
    expect(careful.apiKeys.authenticate(secret)).toMatchObject({ ok: false, code: 'api_key_unknown' })
  })
})

withRedis('an API key that is made here', patient, () => {
  it('stays on its host without a signing key, and its maker is told', async () => {
    const redis = await startRedis()
    const one = await replica(redis, {})
    const made = await createApiKey(order, { ledger: one.state.ledger, isBody: (_): _ is never => true })
    expect(made.shared).toBe(false)
    expect(one.apiKeys.authenticate(made.secret)).toMatchObject({ ok: true })
    expect(await redis.command('HKEYS', 'p:ledger')).toEqual([])
  })
})

withRedis('a revocation that somebody writes into Redis by hand', patient, () => {
  it('takes nothing away where there is a signing key', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    const other = await replica(redis, { ...signed, state: { redis: { url: redis.url, prefix: 'q:' } } })
    const { id } = await other.revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    const text = String(await redis.command('HGET', 'q:ledger', id))
    await write(redis, id, text)
    await write(redis, id, text.slice(text.indexOf('{')))
    await saysSo(one, unstamped)
    expect(one.revocations.judge(alice).kind).toBe('good')
  })

  it('gives way to the one that it stands in the place of', async () => {
    const redis = await startRedis()
    const one = await replica(redis)
    const { id } = await one.revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    await redis.command('HSET', 'p:ledger', id, '{}')
    await redis.command('XTRIM', 'p:changes', 'MAXLEN', '0')
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await saysSo(one, unstamped)
    const later = await replica(redis)
    await until(() => later.revocations.judge(alice).kind === 'revoked', 'it is told of the revocation')
  })
})
