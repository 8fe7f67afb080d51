import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compactVerify, createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet } from 'jose'
import { afterAll, describe, expect, it } from 'vitest'
import { generateKeyPem } from '../src/capabilities/key.ts'
import { loadConfig } from '../src/config/load.ts'
import { createDecisionLog } from '../src/decision-log/log.ts'
import { createCapabilityVerifier } from '../src/guard/index.ts'
import { type Addresses, type Service, startService } from '../src/service.ts'
import { addressesIn, config, project, runIn, start } from './cli/terminal.ts'
import { pems } from './config/workspace.ts'
import { check, connect } from './envoy/clients.ts'
import { headersOf, post, statusCode } from './envoy/messages.ts'
import { craft, ecKeys, jwkOf, signer } from './identity/tokens.ts'

const issuerKey = ecKeys('P-256')

function bearer(subject: string): string {
  const exp = Math.floor(Date.now() / 1000) + 600
  const who = { iss: 'https://sso.example.com', aud: 'mcp-gateway', sub: subject, exp }
  const payload = { ...who, realm_access: { roles: ['forecaster'] } }
  return craft({ alg: 'ES256', kid: 'k' }, payload, signer('ES256', issuerKey.privateKey))
}

async function place(publishAheadSeconds: number): Promise<string> {
  const key = `capabilities: {key: {file: key.pem}, publishAheadSeconds: ${publishAheadSeconds}}`
  return await project({
    'mcp-authz.yaml': config.replace(/^capabilities.*$/m, key),
    'jwks.json': JSON.stringify({ keys: [jwkOf(issuerKey, { kid: 'k' })] }),
  })
}

// Draining takes its time, so all of them are waited for together.
const services: Service[] = []
afterAll(async () => await Promise.all(services.map((service) => service.stop())), 30_000)

/** A service in this process, and what it logged. */
async function serve(directory: string): Promise<Addresses & { readonly said: () => string }> {
  const lines: string[] = []
  const service = await startService({
    config: await loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }),
    capabilityKeyFile: join(directory, 'key.pem'),
    log: createDecisionLog({ level: 'info', destination: { write: (line: string) => lines.push(line) } }),
  })
  services.push(service)
  return {
    grpc: service.grpc,
    http: service.http,
    said: () => lines.filter((line) => !line.includes('"msg":"decision"')).join(''),
  }
}

async function jwksOf({ http }: Pick<Addresses, 'http'>): Promise<JSONWebKeySet> {
  const response = await fetch(`http://${http}/.well-known/jwks.json`, { headers: { connection: 'close' } })
  return (await response.json()) as JSONWebKeySet
}

async function kidsOf(addresses: Pick<Addresses, 'http'>): Promise<(string | undefined)[]> {
  return (await jwksOf(addresses)).keys.map(({ kid }) => kid)
}

/** Calls without a pause, each answer verified at once as it can be: against the keys of that moment, and as a broker does. */
function load(addresses: Addresses, connections: number) {
  const bearers = Array.from({ length: 12 }, (_, index) => bearer(`user-${index}`))
  const trusted = { url: `http://${addresses.http}/.well-known/jwks.json` }
  const verifier = createCapabilityVerifier({ trusted, issuer: 'mcp-authz', audience: 'mcp-broker' })
  const state = { going: true, calls: 0 }
  const faults: string[] = []
  const kids = new Set<string>()
  const callOnce = async (client: ReturnType<typeof connect>, subject: number): Promise<void> => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }
    const reply = await check(client, post(message, { headers: { authorization: `Bearer ${bearers[subject]}` } }))
    state.calls += 1
    const token = headersOf(reply)['x-mcp-authorized'] ?? ''
    if (statusCode(reply) !== 0) return void faults.push('denied')
    const outcome = await verifier.verify(token, { session: undefined, subject: `user-${subject}` })
    if (!outcome.ok) faults.push(`broker: ${outcome.code}`)
    const keys = createLocalJWKSet(await jwksOf(addresses))
    await compactVerify(token, keys).catch((error: unknown) => faults.push(String(error)))
    kids.add(decodeProtectedHeader(token).kid ?? '')
  }
  const loops = Array.from({ length: connections }, async (_, index) => {
    const client = connect(addresses.grpc)
    for (let turn = index; state.going; turn += 1) {
      await callOnce(client, turn % bearers.length).catch((error: unknown) => faults.push(String(error)))
    }
    client.close()
  })
  return {
    faults,
    kids,
    calls: () => state.calls,
    until: async (holds: () => boolean) => {
      while (!holds()) await sleep(20)
    },
    async end() {
      state.going = false
      await Promise.all(loops)
      verifier.close()
    },
  }
}

async function rotate(directory: string, ...options: string[]): Promise<void> {
  expect(await runIn(directory, ['keys', 'rotate', ...options])).toMatchObject({ code: 0, err: '' })
}

const patient = { timeout: 60_000, concurrent: true }

describe('a rotation under load', patient, () => {
  it('loses no request and makes no token that cannot be verified, again and again', async () => {
    const directory = await place(1)
    const service = await serve(directory)
    const calls = load(service, 4)
    for (let rotations = 1; rotations <= 3; rotations += 1) {
      await calls.until(() => calls.kids.size === rotations)
      await rotate(directory)
    }
    await calls.until(() => calls.kids.size === 4)
    await calls.end()
    expect(calls.faults).toEqual([])
    expect(calls.calls()).toBeGreaterThan(50)
    // All four are still published: tokens of each can be about.
    expect((await kidsOf(service)).toSorted()).toEqual([...calls.kids].toSorted())
  })

  it('is seen by every worker before any of them signs with the new key', async () => {
    const directory = await place(4)
    const workers = ['serve', '--workers', '2', '--log-level', 'warn']
    const program = start(directory, workers)
    const calls = load(addressesIn(await program.ready()), 4)
    for (let rotations = 1; rotations <= 2; rotations += 1) {
      await calls.until(() => calls.kids.size === rotations)
      await rotate(directory)
    }
    await calls.until(() => calls.kids.size === 3)
    await calls.end()
    expect(calls.faults).toEqual([])
    expect(program.err()).toBe('')
  })
})

describe('a rotation in two steps', patient, () => {
  it('publishes the next key, goes on with the old one, and then takes the next at once', async () => {
    const directory = await place(1)
    const service = await serve(directory)
    const [first] = await kidsOf(service)
    await rotate(directory, '--publish-only')
    while ((await kidsOf(service)).length < 2) await sleep(20)
    const [signing, next] = await kidsOf(service)
    expect(signing).toBe(first)
    await sleep(1100)
    await rotate(directory)
    const calls = load(service, 2)
    await calls.until(() => calls.kids.has(next ?? ''))
    await calls.end()
    expect(calls.faults).toEqual([])
    expect(await kidsOf(service)).toEqual([next, first])
    expect(service.said()).toContain(`capability key ${next} is published and signs from `)
  })
})

describe('a key file that cannot be used', patient, () => {
  it.each([
    ['half of a key', pems.pkcs8.slice(0, 100)],
    ['nothing', ''],
    ['a public key', pems.spki],
    ['another curve', pems.p384],
  ])('is refused loudly, and the old key goes on: %s', async (_, text) => {
    const directory = await place(0)
    const service = await serve(directory)
    const before = await kidsOf(service)
    await writeFile(join(directory, 'key.pem'), text)
    while (!service.said().includes('the capability key cannot be used')) await sleep(20)
    expect(service.said()).toContain(`key ${before[0]} goes on: expected a P-256 private key`)
    expect(service.said()).not.toContain(pems.pkcs8.split('\n')[1])
    expect(await kidsOf(service)).toEqual(before)
    const metrics = await (await fetch(`http://${service.http}/metrics`)).text()
    expect(metrics).toMatch(/^mcp_authz_capability_key_refused_total [1-9]/m)
    await writeFile(join(directory, 'key.pem'), generateKeyPem())
    while ((await kidsOf(service))[0] === before[0]) await sleep(20)
  })

  it('is refused where the file is gone, or one beside it is broken', async () => {
    const directory = await place(0)
    const service = await serve(directory)
    const before = await kidsOf(service)
    await writeFile(join(directory, 'key.pem.retired.json'), '[{"jwk":')
    while (!service.said().includes('key.pem.retired.json')) await sleep(20)
    await rm(join(directory, 'key.pem'))
    while (!service.said().includes('no such file')) await sleep(20)
    expect(await kidsOf(service)).toEqual(before)
  })

  it('is taken where Kubernetes swaps a link', async () => {
    const directory = await place(0)
    await rm(join(directory, 'key.pem'))
    for (const version of ['one', 'two']) await writeFile(join(directory, `${version}.pem`), generateKeyPem())
    await symlink('one.pem', join(directory, 'key.pem'))
    const service = await serve(directory)
    const [first] = await kidsOf(service)
    await rm(join(directory, 'key.pem'))
    await symlink('two.pem', join(directory, 'key.pem'))
    while ((await kidsOf(service))[0] === first) await sleep(20)
    // Nobody listed it as retired; who signed with it publishes it all the same.
    expect((await kidsOf(service))[1]).toBe(first)
  })
})
