import { describe, expect, it, onTestFinished } from 'vitest'
import { assemble } from '../../src/assembly.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createGuard, type Guard, type TransportGuardOptions } from '../../src/guard/index.ts'
import { digestOf } from '../../src/identity/jwt.ts'
import { forge, makePlace, type Place } from './place.ts'
import { bearer, handlerOf, result, rpcRequest } from './requests.ts'

const header = 'x-authorized-tools'

async function placed(authorizedTools = true): Promise<Place> {
  const place = await makePlace({ capabilities: { authorizedTools } })
  onTestFinished(() => place.remove())
  return place
}

interface Told {
  readonly guard: Guard
  readonly warnings: string[]
  readonly deprecated: string[]
}

async function open({ config }: Place): Promise<Told> {
  const [warnings, deprecated]: [string[], string[]] = [[], []]
  const guard = await createGuard({
    config,
    onWarning: (text) => void warnings.push(text),
    onDeprecated: (what) => void deprecated.push(what),
  })
  onTestFinished(() => guard.close())
  return { guard, warnings, deprecated }
}

async function old({ capabilityPem }: Place): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 60
  const claims = { iss: 'mcp-authz', aud: 'mcp-broker', sub: 'alice', exp, 'allowed-tools': '{"weather":["forecast"]}' }
  return await forge(capabilityPem, claims)
}

async function call(guard: Guard, headers: Readonly<Record<string, string>>, name = 'forecast'): Promise<number> {
  const handler = handlerOf(() => result({ content: [] }))
  const request = rpcRequest('tools/call', { name: `weather_${name}` }, headers)
  return (await guard.fetch(handler.fetch)(request)).status
}

describe('a request that x-authorized-tools authenticated', () => {
  it('is told of, each one once, also where it is denied afterwards', async () => {
    const place = await placed()
    const { guard, deprecated } = await open(place)
    const token = await old(place)
    expect(await call(guard, { [header]: token })).toBe(200)
    expect(deprecated).toEqual([header])
    expect(await call(guard, { [header]: token }, 'alerts')).toBe(403)
    expect(await call(guard, { [header]: token, 'mcp-method': 'tools/list' })).toBe(400)
    expect(deprecated).toHaveLength(3)
    await guard.decide({ credential: { authorizedTools: token }, method: 'ping' })
    await guard.decide({ credential: { authorizedTools: token }, method: 'nonsense' })
    await guard.capabilities({ authorizedTools: token })
    await guard.capabilities({ authorizedTools: token }, 'team/none')
    expect(deprecated).toHaveLength(7)
  })

  it('is warned about once, beside the switch itself, without the token', async () => {
    const place = await placed()
    const { guard, warnings } = await open(place)
    expect(warnings).toEqual([expect.stringMatching(/^capabilities\.authorizedTools is on: /)])
    const token = await old(place)
    for (let times = 0; times < 3; times++) await call(guard, { [header]: token })
    expect(warnings.slice(1)).toEqual([expect.stringContaining('authenticated by x-authorized-tools')])
    for (const part of token.split('.')) expect(warnings.join()).not.toContain(part)
  })

  it('is answered whatever becomes of the telling', async () => {
    const place = await placed()
    const broken = (): never => {
      throw new Error('broken')
    }
    const guard = await createGuard({ config: place.config, onDeprecated: broken })
    onTestFinished(() => guard.close())
    expect(await call(guard, { [header]: await old(place) })).toBe(200)
  })
})

describe('a request that something else authenticated, or nothing', () => {
  it('is not told of', async () => {
    const place = await placed()
    const { guard, warnings, deprecated } = await open(place)
    const token = await old(place)
    const alice = bearer(await place.token('alice', { roles: ['meteorologist'] }))
    const present = await place.authorized({ tools: { weather: ['forecast'] } })
    expect(await call(guard, alice)).toBe(200)
    expect(await call(guard, { ...alice, [header]: token })).toBe(200)
    expect(await call(guard, { 'x-mcp-authorized': present, [header]: token })).toBe(200)
    expect(await call(guard, { [header]: 'a.b.c' })).toBe(401)
    expect(await call(guard, { [header]: '' })).toBe(401)
    await guard.capabilities({ authorizedTools: 'a.b.c' })
    await guard.capabilities({ authorized: present })
    expect([deprecated, warnings.length]).toEqual([[], 1])
  })

  it('is not while the switch is off', async () => {
    const place = await placed(false)
    const { guard, warnings, deprecated } = await open(place)
    expect(await call(guard, { [header]: await old(place) })).toBe(401)
    expect([deprecated, warnings]).toEqual([[], []])
  })
})

describe('a guard around an authorizer', () => {
  async function assembled(place: Place) {
    const config = await loadConfig(place.config, { env: {} })
    const assembly = await assemble(config, { guard: true, state: 'create' })
    onTestFinished(() => assembly.close())
    return assembly
  }

  it('reads x-authorized-tools where it and the authorizer are told to', async () => {
    const place = await placed()
    const { authorizer, read } = await assembled(place)
    const deprecated: string[] = []
    const guard = await createGuard({ authorizer, read, onDeprecated: (what) => void deprecated.push(what) })
    expect(await call(guard, { [header]: await old(place) })).toBe(200)
    expect(deprecated).toEqual([header])
    const without = await createGuard({ authorizer, read: { ...read, authorizedTools: false } })
    expect(await call(without, { [header]: await old(place) })).toBe(401)
    const { authorizer: plain } = await assembled(await placed(false))
    expect(await call(await createGuard({ authorizer: plain, read }), { [header]: await old(place) })).toBe(401)
  })

  it('obeys a revocation', async () => {
    const place = await placed()
    const { authorizer, read, kept } = await assembled(place)
    const guard = await createGuard({ authorizer, read })
    const token = await old(place)
    expect(await call(guard, { [header]: token })).toBe(200)
    await kept.revoker.revoke({ target: { of: { kind: 'token', digest: digestOf(token) } } })
    const { reasons } = await guard.decide({ credential: { authorizedTools: token }, method: 'ping' })
    expect(reasons[0]?.code).toBe('token_revoked')
    expect(await call(guard, { [header]: token })).toBe(401)
  })
})

describe('a guarded transport', () => {
  /** A transport of no SDK. */
  class Wire {
    readonly sent: unknown[] = []
    onmessage?: (message: unknown, extra?: unknown) => void
    async start(): Promise<void> {}
    async close(): Promise<void> {}
    async send(message: unknown): Promise<void> {
      this.sent.push(message)
    }
  }

  /** What the server gets of a call: what came beside it, or nothing. */
  async function received({ guard }: Told, extra: unknown, options: TransportGuardOptions = {}): Promise<unknown[]> {
    const wire = new Wire()
    const guarded = guard.transport(wire, options)
    const got: unknown[] = []
    guarded.onmessage = (_, beside) => void got.push(beside)
    wire.onmessage?.({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }, extra)
    await expect.poll(() => got.length + wire.sent.length, { interval: 5 }).toBe(1)
    await guarded.close()
    return got
  }

  it('reads the header, tells of it, and hands it to no server', async () => {
    const place = await placed()
    const told = await open(place)
    const headers = { [header]: await old(place), accept: 'application/json' }
    expect(await received(told, { requestInfo: { headers } })).toEqual([
      { requestInfo: { headers: { accept: 'application/json' } } },
    ])
    expect(told.deprecated).toEqual([header])
    const twice = { [header]: [headers[header], headers[header]] }
    expect(await received(told, { requestInfo: { headers: twice } })).toEqual([])
    expect(told.deprecated).toHaveLength(1)
  })

  it('takes it as the credential of a process', async () => {
    const place = await placed()
    const told = await open(place)
    const credential = { authorizedTools: await old(place) }
    expect(await received(told, undefined, { credential })).toHaveLength(1)
    expect(await received(told, undefined, { credential: () => ({ authorizedTools: 'a.b.c' }) })).toHaveLength(0)
    expect(told.deprecated).toEqual([header])
  })

  it('neither reads nor removes it while the switch is off', async () => {
    const place = await placed(false)
    const told = await open(place)
    expect(await received(told, { requestInfo: { headers: { [header]: await old(place) } } })).toEqual([])
    const alice = { ...bearer(await place.token('alice', { roles: ['meteorologist'] })), [header]: 'anything' }
    expect(await received(told, { requestInfo: { headers: alice } })).toEqual([{ requestInfo: { headers: alice } }])
  })
})
