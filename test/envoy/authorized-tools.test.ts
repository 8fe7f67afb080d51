import type { Client } from '@grpc/grpc-js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createEnvoyDoor, type EnvoyDoorOptions } from '../../src/envoy/server.ts'
import type { ReadOptions } from '../../src/mcp/reading.ts'
import { kuadrant, recording, strict } from './authorizers.ts'
import { check, connect } from './clients.ts'
import { encodeCheckRequest, type HttpFields, outcomeOf, post, removals, statusCode } from './messages.ts'

const header = 'x-authorized-tools'
const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }

async function open(
  read: ReadOptions,
  options: Partial<EnvoyDoorOptions> = {},
): Promise<{
  readonly client: Client
  readonly deprecated: string[]
  readonly authorizer: ReturnType<typeof recording>
}> {
  const deprecated: string[] = []
  const authorizer = recording()
  const onDeprecated = (name: string): void => void deprecated.push(name)
  const door = await createEnvoyDoor({ authorizer, read, address: '127.0.0.1:0', onDeprecated, ...options })
  const client = connect(door.address)
  onTestFinished(async () => {
    client.close()
    await door.drain({ deadlineMs: 0 })
  })
  return { client, deprecated, authorizer }
}

const twice = [Buffer.from('one'), Buffer.from('two')].map((raw) => ({ key: 'X-Authorized-Tools', raw_value: raw }))
const sent: readonly (readonly [string, HttpFields])[] = [
  ['once', { headers: { [header]: 'forged' } }],
  ['in another case', { headers: { 'X-AUTHORIZED-TOOLS': 'forged' } }],
  ['with nothing in it', { headers: { [header]: '' } }],
  ['twice', { header_map: { headers: twice } }],
]
const modes = [
  ['strict', strict],
  ['kuadrant', kuadrant],
] as const

describe.each(modes)('x-authorized-tools that a client sent, profile %s', (_, read) => {
  it.each(sent)('is removed and told of while the switch is on: %s', async (_name, http) => {
    const { client, deprecated, authorizer } = await open({ ...read, authorizedTools: true })
    const reply = await check(client, post(call, http))
    expect([statusCode(reply), removals(reply).filter((name) => name === header)]).toEqual([0, [header]])
    expect(deprecated).toEqual([header])
    expect(authorizer.attempts).toMatchObject([{ credential: { kind: 'authorization', values: ['Bearer good'] } }])
  })

  it.each(sent)('is nothing special while it is off: %s', async (_name, http) => {
    for (const off of [read, { ...read, authorizedTools: false }]) {
      const { client, deprecated } = await open(off)
      const reply = await check(client, post(call, http))
      expect([statusCode(reply), removals(reply).includes(header), deprecated]).toEqual([0, false, []])
    }
  })

  it('is no credential, and told of where the request is denied as well', async () => {
    const { client, deprecated } = await open({ ...read, authorizedTools: true })
    const reply = await check(client, post(call, { headers: { [header]: 'forged', authorization: '' } }))
    expect([outcomeOf(reply), deprecated]).toEqual(['token_missing', [header]])
  })

  it('is removed from a stream', async () => {
    const { client } = await open({ ...read, authorizedTools: true })
    const headers = { [header]: 'forged', authorization: 'Bearer good' }
    const reply = await check(
      client,
      encodeCheckRequest({ attributes: { request: { http: { method: 'GET', headers } } } }),
    )
    expect([statusCode(reply), removals(reply)]).toEqual([0, expect.arrayContaining([header])])
  })

  it('is not named or told of where nobody sent it', async () => {
    const { client, deprecated } = await open({ ...read, authorizedTools: true })
    const reply = await check(client, post(call))
    expect([statusCode(reply), removals(reply).includes(header), deprecated]).toEqual([0, false, []])
  })
})

describe('x-authorized-tools on a request of which only the headers came', () => {
  const routed = { 'x-mcp-method': 'tools/call', 'x-mcp-toolname': 'forecast', 'x-mcp-servername': 'ns/weather' }
  const request = (more: Readonly<Record<string, string>>): Buffer => {
    const headers = { 'content-type': 'application/json', authorization: 'Bearer good', ...routed, ...more }
    return encodeCheckRequest({ attributes: { request: { http: { method: 'POST', headers } } } })
  }

  it('is refused while the switch is on, since it could not be removed', async () => {
    const { client, deprecated } = await open({ ...kuadrant, headersOnly: true, authorizedTools: true })
    expect(outcomeOf(await check(client, request({ [header]: '' })))).toBe('header_forbidden')
    expect(statusCode(await check(client, request({})))).toBe(0)
    expect(deprecated).toEqual([header])
  })

  it('is nothing special while it is off', async () => {
    const { client } = await open({ ...kuadrant, headersOnly: true })
    expect(statusCode(await check(client, request({ [header]: 'forged' })))).toBe(0)
  })
})

describe('a request that carries x-authorized-tools', () => {
  it('is answered whatever becomes of the telling', async () => {
    const onDeprecated = (): never => {
      throw new Error('broken')
    }
    const { client } = await open({ ...strict, authorizedTools: true }, { onDeprecated })
    expect(statusCode(await check(client, post(call, { headers: { [header]: 'forged' } })))).toBe(0)
  })
})
