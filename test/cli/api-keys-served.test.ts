import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createGuard } from '../../src/guard/index.ts'
import { check, connect } from '../envoy/clients.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../envoy/messages.ts'
import { bearer, rpcRequest } from '../guard/requests.ts'
import { addressesIn, afterwards, project, runIn, start } from './terminal.ts'

const patient = { timeout: 30_000 }

/** The real program with two processes, over a state file of theirs. */
const directory = await project({ 'scope.yaml': 'addresses: [192.0.2.0/24]\nusage: {total: 20}\n' })
const { grpc, http } = addressesIn(await start(directory, ['serve', '--workers', '2', '--log-level', 'warn']).ready())

interface Created {
  readonly id: string
  readonly key: string
}

/** Makes a key on the command line, while the service runs. */
async function create(subject: string, ...args: string[]): Promise<Created> {
  const { out } = await runIn(directory, ['api-keys', 'create', '--sub', subject, '--json', ...args])
  return JSON.parse(out) as Created
}

async function totalOf({ id }: Created): Promise<number> {
  const { out } = await runIn(directory, ['api-keys', 'list', '--json'])
  const keys = JSON.parse(out) as { readonly id: string; readonly usage: { readonly total: number } }[]
  return keys.find((key) => key.id === id)?.usage.total ?? -1
}

/** The first reason and HTTP status of a call over gRPC, or `allow`; each over a connection of its own. */
async function call(key: string, address = '192.0.2.7'): Promise<string> {
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
  const client = connect(grpc)
  const bytes = await check(
    client,
    encodeCheckRequest({
      attributes: {
        source: { address: { socket_address: { address } } },
        request: { http: { method: 'POST', headers, raw_body: Buffer.from(JSON.stringify(message)) } },
      },
    }),
  )
  client.close()
  const { status, denied_response: denied, dynamic_metadata: metadata } = decodeCheckResponse(bytes)
  if ((status?.code ?? 0) === 0) return 'allow'
  const reason = metadata?.fields['reasons']?.listValue?.values?.[0]?.stringValue
  return `${reason} ${denied?.status.code}`
}

/** Asks both processes again and again, until each of them says so. */
async function until(ask: () => Promise<string>, wanted: string): Promise<void> {
  let inARow = 0
  for (let turn = 0; turn < 1000 && inARow < 8; turn++) {
    inARow = (await ask()) === wanted ? inARow + 1 : 0
    if (inARow === 0) await sleep(5)
  }
  expect(inARow).toBe(8)
}

describe('a key that is made while the service runs', patient, () => {
  it('opens what it grants in every process, until it is revoked', async () => {
    const { id, key } = await create('alice', '--role', 'forecaster')
    await until(() => call(key), 'allow')
    expect((await runIn(directory, ['api-keys', 'revoke', id])).code).toBe(0)
    await until(() => call(key), 'token_revoked 401')
  })

  it('ends with everything else of its subject, and a later one is as good as new', async () => {
    const { key } = await create('bob', '--role', 'forecaster')
    await until(() => call(key), 'allow')
    expect((await runIn(directory, ['revoke', '--subject', 'bob'])).code).toBe(0)
    await until(() => call(key), 'token_revoked 401')
    const next = await create('bob', '--role', 'forecaster')
    await until(() => call(next.key), 'allow')
  })

  it('is used no more often than its limit says, whoever counts, and its uses are listed', async () => {
    const created = await create('alice', '--role', 'forecaster', '--scope', 'scope.yaml')
    await until(() => call(created.key, '198.51.100.1'), 'address_refused 403')
    const answers = await Promise.all(Array.from({ length: 50 }, () => call(created.key)))
    expect(answers.filter((answer) => answer === 'allow')).toHaveLength(20)
    expect(answers.filter((answer) => answer === 'usage_exceeded 429')).toHaveLength(30)
    expect(await totalOf(created)).toBe(20)
  })

  it('has its uses listed also where nothing limits them', async () => {
    const created = await create('alice', '--role', 'forecaster')
    await until(() => call(created.key), 'allow')
    for (let turn = 0; turn < 100 && (await totalOf(created)) < 8; turn++) await sleep(100)
    expect(await totalOf(created)).toBeGreaterThanOrEqual(8)
  })
})

describe('the HTTP door', patient, () => {
  it('lets a key do what it permits, and nothing else', async () => {
    const admin = await create('operator', '--permission', 'revocations:write')
    const victim = await create('alice', '--role', 'forecaster')
    await until(() => call(victim.key), 'allow')
    const revoke = async (key: string) => {
      const init = { method: 'POST', headers: { ...bearer(key) }, body: JSON.stringify({ apiKey: victim.id }) }
      return (await fetch(`http://${http}/admin/v1/revocations`, init)).status
    }
    expect(await revoke(victim.key)).toBe(403)
    expect(await revoke('mcpak_none')).toBe(401)
    expect((await fetch(`http://${http}/admin/v1/revocations`, { headers: bearer(admin.key) })).status).toBe(403)
    expect(await call(victim.key)).toBe('allow')
    expect(await revoke(admin.key)).toBe(201)
    await until(() => call(victim.key), 'token_revoked 401')
  })
})

describe('a guard of its own', patient, () => {
  it('knows the keys of the same state', async () => {
    const { key } = await create('alice', '--role', 'forecaster')
    const guard = await createGuard({ config: `${directory}/mcp-authz.yaml` })
    afterwards(() => guard.close())
    const ask = async (name: string) => {
      const handler = async () => Response.json({ jsonrpc: '2.0', id: 1, result: {} })
      return (await guard.fetch(handler)(rpcRequest('tools/call', { name }, bearer(key)))).status
    }
    expect(await ask('weather_forecast')).toBe(200)
    expect(await ask('weather_none')).toBe(403)
  })
})
