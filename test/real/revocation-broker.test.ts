import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createCapabilityVerifier, createGuard, followRevocations } from '../../src/guard/index.ts'
import { handlerOf, result, rpcRequest } from '../guard/requests.ts'
import { printFigures } from './figures.ts'
import type { Installation } from './installation.ts'
import { firstDenial, installed, type ServiceReplica, startReplica } from './service-replicas.ts'

const times = 20
const maxUnknownSeconds = 1
const patient = { timeout: 60_000 }

/** Who was told nothing but the address of the service: asks of an x-mcp-authorized whether it opens anything. */
type Broker = (authorized: string) => Promise<string>

/** A broker of its own making, over what `mcp-authz/mcp` gives it. */
async function brokerOf(http: string): Promise<Broker> {
  const trusted = { url: `http://${http}/.well-known/jwks.json` }
  const url = `http://${http}/.well-known/mcp-authz-revocations`
  const revocations = followRevocations({ url, trusted, issuer: 'mcp-authz', maxUnknownSeconds })
  const verifier = createCapabilityVerifier({ trusted, issuer: 'mcp-authz', audience: 'mcp-broker', revocations })
  onTestFinished(() => {
    verifier.close()
    revocations.close()
  })
  await revocations.first
  return async (authorized) => {
    const verification = await verifier.verify(authorized, { session: null })
    return verification.ok ? 'allow' : verification.code
  }
}

/** The guard, configured to follow the service. */
async function guardOf(installation: Installation, http: string): Promise<Broker> {
  const config = await installation.configure('guard', {
    capabilities: { trusted: { url: `http://${http}/.well-known/jwks.json` } },
    revocations: { follow: { url: `http://${http}/.well-known/mcp-authz-revocations` }, maxUnknownSeconds },
    state: { file: join(dirname(installation.configFile), 'guard.db') },
  })
  const guard = await createGuard({ config })
  onTestFinished(async () => await guard.close())
  const handler = handlerOf(() => result({ tools: [{ name: 'weather_forecast', inputSchema: {} }] }))
  const guarded = guard.fetch(handler.fetch)
  return async (authorized) => {
    const response = await guarded(rpcRequest('tools/list', {}, { 'x-mcp-authorized': authorized }))
    const { error } = (await response.json()) as { error?: { data: { reason: string } } }
    return error?.data.reason ?? 'allow'
  }
}

async function open() {
  const installation = await installed()
  const service = await startReplica(installation, 'service')
  const own = await brokerOf(service.http())
  const guard = await guardOf(installation, service.http())
  return { installation, service, brokers: [own, guard] as const }
}

/** An x-mcp-authorized of a subject, minted now. */
async function mintedFor(subject: string, installation: Installation, service: ServiceReplica): Promise<string> {
  return await service.minted(await installation.token({ subject }))
}

it('an x-mcp-authorized that was minted before is refused by those who follow the list', patient, async () => {
  const { installation, service, brokers } = await open()
  const good = await mintedFor('good', installation, service)
  const delays: readonly number[][] = brokers.map(() => [])
  for (let n = 0; n < times; n += 1) {
    const minted = await mintedFor(`u-${n}`, installation, service)
    expect(await Promise.all(brokers.map((ask) => ask(minted)))).toEqual(['allow', 'allow'])
    const denials = brokers.map(async (ask) => await firstDenial(async () => await ask(minted)))
    await service.revoke({ subject: `u-${n}` })
    const answered = performance.now()
    for (const [index, { at, code }] of (await Promise.all(denials)).entries()) {
      expect(code).toBe('token_revoked')
      delays[index]?.push(at - answered)
    }
  }
  const [own = [], guard = []] = delays
  printFigures('revoked at the service to refused by who follows its list (goal: < 100 ms)', [
    ['a verifier of x-mcp-authorized', own],
    ['the guard', guard],
  ])
  expect(Math.max(...own, ...guard)).toBeLessThan(2000)
  expect(await Promise.all(brokers.map((ask) => ask(good)))).toEqual(['allow', 'allow'])
})

it(
  'a service that is gone leaves nothing known after the bound, and all is well when it is back',
  patient,
  async () => {
    const { installation, service, brokers } = await open()
    const [good, revoked] = [
      await mintedFor('good', installation, service),
      await mintedFor('revoked', installation, service),
    ]
    await service.revoke({ subject: 'revoked' })
    for (const ask of brokers) expect((await firstDenial(async () => await ask(revoked))).code).toBe('token_revoked')
    await service.kill()
    const gone = performance.now()
    const unknown = await Promise.all(brokers.map(async (ask) => await firstDenial(async () => await ask(good))))
    for (const { at, code } of unknown) {
      expect(code).toBe('revocations_unknown')
      expect(at - gone).toBeGreaterThan(500)
    }
    await service.restart()
    for (const ask of brokers) {
      await expect.poll(() => ask(good), { timeout: 10_000 }).toBe('allow')
      expect(await ask(revoked)).toBe('token_revoked')
    }
    const later = await mintedFor('good', installation, service)
    for (const ask of brokers) expect(await ask(later)).toBe('allow')
  },
)
