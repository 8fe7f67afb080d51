import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type FollowRevocationsOptions, followRevocations } from '../../src/guard/index.ts'
import { createPublisher } from '../../src/revocation/list.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createRevoker } from '../../src/revocation/revoker.ts'
import { capabilityKey } from '../authorizer/scenes.ts'
import { memoryLedger } from '../revocation/ledger.ts'

const alice = { issuer: 'i', subject: 'alice', issuedAt: 0 }
const trusted = { keys: capabilityKey.jwks.keys }

/** A list like the service's, at an address of its own. */
async function published() {
  const ledger = memoryLedger()
  const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 5000 })
  const publisher = createPublisher({ revocations, instance: 'one', key: () => capabilityKey, issuer: 'mcp-authz' })
  const server = createServer(async ({ url = '' }, response) => {
    const { searchParams } = new URL(url, 'http://list.test')
    const wait = AbortSignal.timeout(Number(searchParams.get('wait')) * 1000)
    response.end(await publisher.answer(searchParams.get('after') ?? undefined, wait))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const stop = (): void => {
    server.closeAllConnections()
    server.close()
  }
  onTestFinished(stop)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`
  return { url, ledger, stop, revoker: createRevoker({ ledger, longestLife: () => 3600 }) }
}

function follow(url: string, changes: Partial<FollowRevocationsOptions> = {}) {
  const followed = followRevocations({ url, trusted, issuer: 'mcp-authz', ...changes })
  onTestFinished(() => followed.close())
  return followed
}

describe('a followed list of revocations', () => {
  it('knows nothing before the list was had, and is obeyed from then on', async () => {
    const { url, revoker } = await published()
    const followed = follow(url)
    expect([followed.ready(), followed.judge(alice).kind]).toEqual([false, 'unknown'])
    await followed.first
    expect([followed.ready(), followed.judge(alice).kind]).toEqual([true, 'good'])
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'alice' } } })
    await expect.poll(() => followed.judge(alice).kind, { interval: 5 }).toBe('revoked')
  })

  it('is known all the time while it is quiet, also where no uncertainty at all is borne', async () => {
    const { url } = await published()
    const followed = follow(url, { maxUnknownSeconds: 0 })
    await followed.first
    const end = performance.now() + 2500
    while (performance.now() < end) {
      expect(followed.judge(alice).kind).toBe('good')
      await sleep(5)
    }
  })

  it('that cannot be had any more denies after the bound, or goes on where that was chosen', async () => {
    const { url, stop, revoker } = await published()
    await revoker.revoke({ target: { of: { kind: 'subject', subject: 'bob' } } })
    const faults: string[] = []
    const denying = follow(url, { maxUnknownSeconds: 0, onFault: (text) => faults.push(text) })
    const allowing = follow(url, { maxUnknownSeconds: 0, whenUnknown: 'allow' })
    await Promise.all([denying.first, allowing.first])
    stop()
    await expect.poll(() => denying.ready(), { timeout: 5000 }).toBe(false)
    expect(denying.judge(alice).kind).toBe('unknown')
    expect(new Set(faults).size).toBe(faults.length)
    expect(faults[0]).toMatch('the list of revocations cannot be had: ')
    await expect.poll(() => allowing.ready(), { timeout: 5000 }).toBe(false)
    expect(allowing.judge(alice).kind).toBe('good')
    expect(allowing.judge({ ...alice, subject: 'bob' }).kind).toBe('revoked')
  })

  it.each<[string, Partial<FollowRevocationsOptions>, string]>([
    ['http elsewhere', { url: 'http://authz.example.com/list' }, 'expected `url` to be one that may be fetched'],
    ['no address', { url: 'list' }, 'expected `url` to be one that may be fetched: expected an https address'],
    ['no issuer', { issuer: '' }, 'expected `issuer`'],
    ['no key', { trusted: { keys: [] } }, 'expected a jwk set with a P-256 key'],
    ['another stance', { whenUnknown: 'shrug' as 'deny' }, 'expected `whenUnknown` to be deny or allow'],
    ['a bound that is none', { maxUnknownSeconds: Number.NaN }, 'expected `maxUnknownSeconds`'],
  ])('is not followed with %s', (_, changes, message) => {
    expect(() => follow('http://127.0.0.1:9/list', changes)).toThrow(message)
  })
})
