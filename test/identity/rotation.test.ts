import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { type Service, startService } from '../../src/service.ts'
import { folder } from '../cli/terminal.ts'
import { pems } from '../config/workspace.ts'
import { check, connect } from '../envoy/clients.ts'
import { decodeCheckResponse, post } from '../envoy/messages.ts'
import { type KeyServer, startKeyServer } from './key-server.ts'
import { craft, ecKeys, issuerName, jwkOf, type Signer, signer } from './tokens.ts'

const maxAgeSeconds = 2
const rotations = 4
/** More than the second that must lie between two looks for a key that nobody knows. */
const rotateEveryMs = 1200
const clients = 8

let server: KeyServer
let service: Service

beforeAll(async () => {
  server = await startKeyServer()
  server.publish([first.jwk])
  service = await serve()
})
afterAll(async () => {
  await service.stop()
  await server[Symbol.asyncDispose]()
})

async function serve(): Promise<Service> {
  const keys = { maxAgeSeconds, maxOutageSeconds: 60 }
  const issuer = { issuer: issuerName, jwks: { url: `${server.origin}/keys` }, audiences: ['mcp-gateway'], keys }
  const config = { listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0' }, issuers: [issuer] }
  const directory = await folder({ 'mcp-authz.json': JSON.stringify(config), 'key.pem': pems.pkcs8 })
  return await startService({
    config: await loadConfig(join(directory, 'mcp-authz.json'), { env: {} }),
    capabilityKeyFile: join(directory, 'key.pem'),
    log: createDecisionLog({ level: 'silent' }),
  })
}

interface IssuerKey {
  readonly jwk: unknown
  /** A token that was never seen before. */
  token(): string
}

function newKey(kid: string): IssuerKey {
  const pair = ecKeys('P-256')
  const sign: Signer = signer('ES256', pair.privateKey)
  return {
    jwk: jwkOf(pair, { kid }),
    token() {
      const iat = Math.floor(Date.now() / 1000)
      const claims = { iss: issuerName, aud: 'mcp-gateway', sub: 'alice', iat, exp: iat + 60, jti: randomUUID() }
      return craft({ alg: 'ES256', kid }, claims, sign)
    },
  }
}

/** `allow`, or the reason why not. */
async function ping(client: Client, token: string): Promise<string> {
  const message = { jsonrpc: '2.0', id: 1, method: 'ping' }
  const reply = await check(client, post(message, { headers: { authorization: `Bearer ${token}` } }))
  const { status, denied_response: denied } = decodeCheckResponse(reply)
  return (status?.code ?? 0) === 0 ? 'allow' : JSON.parse(denied?.body ?? '').error.data.reason
}

/** Asks without a pause, with a new token each time, until it is told to stop; returns every answer. */
async function ask(token: () => string, stopped: AbortSignal): Promise<string[]> {
  const client = connect(service.grpc)
  const answers: string[] = []
  while (!stopped.aborted) {
    answers.push(await ping(client, token()))
    await sleep(1)
  }
  client.close()
  return answers
}

const first = newKey('key-0')

test('while the issuer rotates its keys under load no good token is refused, and a removed key dies in time', {
  timeout: 60_000,
}, async () => {
  let [previous, current] = [first, first]
  const stop = new AbortController()
  const began = Date.now()
  const load = Array.from({ length: clients }, () => ask(() => current.token(), stop.signal))
  for (let index = 1; index <= rotations; index++) {
    await sleep(rotateEveryMs)
    const next = newKey(`key-${index}`)
    // The key before is gone by now: nobody signs with it, and the longest that it is still believed is the bounded age.
    server.publish([current.jwk, next.jwk])
    previous = current
    current = next
  }
  await sleep(rotateEveryMs)
  stop.abort()
  const answers = (await Promise.all(load)).flat()
  const seconds = (Date.now() - began) / 1000
  expect(new Set(answers)).toEqual(new Set(['allow']))
  expect(answers.length).toBeGreaterThan(clients * rotations)
  // One fetch for each new key, and one a second because keys are fetched ahead.
  expect(server.requests.length).toBeLessThanOrEqual(rotations + seconds + 2)

  const client = connect(service.grpc)
  expect(await ping(client, previous.token())).toBe('allow')
  server.publish([current.jwk])
  const removedAt = Date.now()
  await vi.waitFor(async () => expect(await ping(client, previous.token())).toBe('token_key_unknown'), {
    timeout: 20_000,
    interval: 20,
  })
  // Bounded by the age and by how long one look may take, not by luck.
  expect(Date.now() - removedAt).toBeLessThan(maxAgeSeconds * 1000 + 5000)
  expect(await ping(client, first.token())).toBe('token_key_unknown')
  expect(await ping(client, current.token())).toBe('allow')
  client.close()
})
