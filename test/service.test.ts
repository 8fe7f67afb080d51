import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../src/config/load.ts'
import { ConfigError } from '../src/config/problem.ts'
import { createDecisionLog } from '../src/decision-log/log.ts'
import { type Service, startService } from '../src/service.ts'
import { untilRefused } from './cli/held-request.ts'
import { config, project } from './cli/terminal.ts'
import { check, connect } from './envoy/clients.ts'
import { headersOf, outcomeOf, post, removals, statusCode } from './envoy/messages.ts'
import { startKeyServer } from './identity/key-server.ts'
import { craft, ecKeys, jwkOf, signer } from './identity/tokens.ts'

const issuerKey = ecKeys('P-256')
const jwk = jwkOf(issuerKey, { kid: 'k' })

function bearer(): string {
  const exp = Math.floor(Date.now() / 1000) + 600
  const payload = {
    iss: 'https://sso.example.com',
    aud: 'mcp-gateway',
    sub: 'alice',
    exp,
    realm_access: { roles: ['forecaster'] },
  }
  return craft({ alg: 'ES256', kid: 'k' }, payload, signer('ES256', issuerKey.privateKey))
}

// Draining takes its time, so all of them are waited for together.
const stops: Promise<void>[] = []
afterAll(async () => await Promise.all(stops))

/** A service in this process, stopped with the test. */
async function serve(text = config): Promise<{ service: Service; lines: string[]; directory: string }> {
  const jwks = JSON.stringify({ keys: [jwk] })
  const directory = await project({ 'mcp-authz.yaml': text, 'jwks.json': jwks })
  const lines: string[] = []
  const service = await startService({
    config: await loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }),
    capabilityKeyFile: join(directory, 'key.pem'),
    log: createDecisionLog({ level: 'info', destination: { write: (line: string) => lines.push(line) } }),
  })
  onTestFinished(() => void stops.push(service.stop()))
  return { service, lines, directory }
}

async function call(
  service: Service,
  token = bearer(),
  headers: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const client = connect(service.grpc)
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }
  try {
    return await check(client, post(message, { headers: { authorization: `Bearer ${token}`, ...headers } }))
  } finally {
    client.close()
  }
}

describe('a service', () => {
  it('answers Envoy with a token that verifies under the keys it publishes', async () => {
    const { service, lines } = await serve()
    const configuration = await (await fetch(`http://${service.http}/.well-known/authzen-configuration`)).json()
    expect(configuration).toMatchObject({ policy_decision_point: `http://${service.http}` })
    const reply = await call(service)
    expect(statusCode(reply)).toBe(0)
    const minted = headersOf(reply)['x-mcp-authorized'] ?? ''
    const published = await (await fetch(`http://${service.http}/.well-known/jwks.json`)).json()
    await compactVerify(minted, createLocalJWKSet(published as JSONWebKeySet))
    const told = lines.map((line) => JSON.parse(line))
    expect(told.filter(({ msg }) => msg === 'decision')).toHaveLength(1)
    for (const part of [...bearer().split('.').slice(0, 1), ...minted.split('.')])
      expect(lines.join('')).not.toContain(part)
  })

  it('denies where the token would be larger than a header may be', async () => {
    const { service } = await serve(config.replace('key: {file: key.pem}', 'key: {file: key.pem}, maxBytes: 64'))
    expect(outcomeOf(await call(service))).toBe('claim_too_large')
  })
})

describe('a service that knows x-authorized-tools', () => {
  const counted = 'mcp_authz_deprecated_credentials_total{header="x-authorized-tools",door="envoy"}'
  const metrics = async ({ http }: Service): Promise<string> => await (await fetch(`http://${http}/metrics`)).text()
  const old = { 'x-authorized-tools': 'secret.of.somebody' }

  it('removes it, counts the requests that carry it, and says so once', async () => {
    const text = config.replace('key: {file: key.pem}', 'key: {file: key.pem}, authorizedTools: true')
    const { service, lines } = await serve(text)
    await call(service)
    expect(await metrics(service)).not.toContain(counted)
    for (const token of [bearer(), bearer(), 'x']) {
      const reply = await call(service, token, old)
      expect(removals(reply).includes('x-authorized-tools')).toBe(token !== 'x')
    }
    expect(await metrics(service)).toContain(`${counted} 3\n`)
    const warned = lines.filter((line) => line.includes('x-authorized-tools'))
    expect(warned).toHaveLength(1)
    expect(JSON.parse(warned[0] ?? '')).toMatchObject({ level: 40 })
    expect(lines.join('')).not.toContain('secret')
  })

  it('does none of it while the switch is off', async () => {
    const { service, lines } = await serve()
    expect(removals(await call(service, bearer(), old))).not.toContain('x-authorized-tools')
    expect(await metrics(service)).not.toContain(counted)
    expect(lines.join('')).not.toContain('x-authorized-tools')
  })
})

describe('a service whose issuer is down', () => {
  it('starts, says that it is not ready and denies, until the keys are there', { timeout: 20_000 }, async () => {
    await using issuer = await startKeyServer()
    const text = config.replace('{file: jwks.json}', `{url: "${issuer.origin}/keys"}`)
    const { service, lines } = await serve(text)
    const ready = async (): Promise<number> => (await fetch(`http://${service.http}/readyz`)).status
    expect(await ready()).toBe(503)
    expect((await fetch(`http://${service.http}/healthz`)).status).toBe(200)
    expect(outcomeOf(await call(service))).toBe('keys_unavailable')
    expect(lines.join('')).toContain('the keys of some issuer are not loaded yet')
    issuer.publish([jwk])
    while ((await ready()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50))
    expect(statusCode(await call(service))).toBe(0)
  })
})

describe('the end of a service', () => {
  it('leaves nothing listening', async () => {
    const { service } = await serve()
    await service.stop()
    await service.stop()
    await expect(fetch(`http://${service.http}/healthz`)).rejects.toThrow()
    await expect(call(service)).rejects.toMatchObject({ code: 14 })
  })

  it('waits for a request that is under way, and answers it', async () => {
    const { service } = await serve()
    const { promise: rest, resolve: release } = Promise.withResolvers<void>()
    const question = JSON.stringify({
      subject: { type: 'identity', id: 'alice', properties: { token: bearer() } },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'weather_forecast' },
    })
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(question.slice(0, 20))
      await rest
      yield Buffer.from(question.slice(20))
    }
    const arrived = fetch(`http://${service.http}/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: slowly() as unknown as ReadableStream,
      duplex: 'half',
    } as RequestInit)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const order: string[] = []
    const stopped = service.stop().then(() => order.push('stopped'))
    // Envoy's door is shut first: from then on only the request is waited for.
    await Promise.all([untilRefused(service.grpc), untilRefused(service.http)])
    await new Promise((resolve) => setTimeout(resolve, 100))
    order.push('released')
    release()
    expect(await (await arrived).json()).toMatchObject({ decision: true })
    await stopped
    expect(order).toEqual(['released', 'stopped'])
  })
})

describe('a service that cannot start', () => {
  async function taken(): Promise<string> {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    return `127.0.0.1:${(other.address() as AddressInfo).port}`
  }

  it('says which address it cannot have, and leaves the other one free', async () => {
    const [address, free] = [await taken(), await freeAddress()]
    const grpcTaken = config.replace(/^listen.*$/m, `listen: {grpc: "${address}", http: "${free}"}`)
    await expect(serve(grpcTaken)).rejects.toThrow(`cannot listen on grpc address \`${address}\``)
    const httpTaken = config.replace(/^listen.*$/m, `listen: {grpc: "${free}", http: "${address}"}`)
    await expect(serve(httpTaken)).rejects.toThrow(`cannot listen on http address \`${address}\``)
    const { service } = await serve(config.replace(/^listen.*$/m, `listen: {grpc: "127.0.0.1:0", http: "${free}"}`))
    expect(service.http).toBe(free)
  })

  it('names the file of a key that is none', async () => {
    const directory = await project()
    const started = startService({
      config: await loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }),
      capabilityKeyFile: join(directory, 'jwks.json'),
      log: createDecisionLog({ level: 'silent' }),
    })
    await expect(started).rejects.toThrow(ConfigError)
    await expect(started).rejects.toThrow('jwks.json: capabilities.key.file: expected a P-256 private key')
  })
})

async function freeAddress(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return `127.0.0.1:${port}`
}
