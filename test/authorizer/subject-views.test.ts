import { compactVerify, decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/authorizer/attempt.ts'
import type { Minter } from '../../src/capabilities/mint.ts'
import type { Engine } from '../../src/policy/engine.ts'
import { nowMs } from '../identity/tokens.ts'
import { engineOf } from '../policy/questions.ts'
import { alice, bearer, call, capabilityKey, data, sceneWith } from './scenes.ts'

/** The tools in a minted token. */
function toolsIn({ capabilityToken = '' }: Outcome): unknown {
  return JSON.parse(String(decodeJwt(capabilityToken)['allowed-capabilities'])).tools
}

describe('a capability token', () => {
  it('is signed once for all the calls of one token', async () => {
    const { attempt, signed } = sceneWith()
    const { capabilityToken } = await attempt()
    await compactVerify(capabilityToken ?? '', capabilityKey.jwks.keys[0] ?? {})
    for (const name of ['weather_alerts', 'weather_forecast', 'weather_alerts']) {
      expect((await attempt({ reading: call(name) })).capabilityToken).toBe(capabilityToken)
    }
    expect(signed()).toBe(1)
  })

  it('is signed once for many calls at the same time', async () => {
    const { attempt, signed } = sceneWith()
    await attempt({ mint: false })
    const tokens = await Promise.all(Array.from({ length: 50 }, async () => (await attempt()).capabilityToken))
    expect(new Set(tokens).size).toBe(1)
    expect(signed()).toBe(1)
  })

  it('is another one for each virtual server and each bearer token, never one of somebody else', async () => {
    const { attempt, signed } = sceneWith()
    expect(toolsIn(await attempt())).toEqual({ weather: ['alerts', 'forecast'] })
    const desk = call('weather_forecast', 'desk')
    expect(toolsIn(await attempt({ reading: desk }))).toEqual({ weather: ['forecast'] })
    expect(toolsIn(await attempt({ reading: call('weather_alerts', 'other') }))).toEqual({ weather: ['alerts'] })
    expect(toolsIn(await attempt())).toEqual({ weather: ['alerts', 'forecast'] })
    expect(signed()).toBe(3)

    const bob = {
      kind: 'token',
      token: bearer({ sub: 'bob', resource_access: { weather: { roles: ['tool:forecast'] } } }, []),
    } as const
    const outcome = await attempt({ credential: bob })
    expect(toolsIn(outcome)).toEqual({ weather: ['forecast'] })
    expect(decodeJwt(outcome.capabilityToken ?? '').sub).toBe('bob')
    expect(signed()).toBe(4)
  })
})

describe('a capability token that ages', () => {
  it('is signed anew when half of its life is over', async () => {
    const { attempt, clock, signed } = sceneWith()
    const first = (await attempt()).capabilityToken
    clock.ms = nowMs + 49_999
    expect((await attempt()).capabilityToken).toBe(first)
    clock.ms = nowMs + 50_000
    const second = (await attempt()).capabilityToken
    expect(second).not.toBe(first)
    expect(decodeJwt(second ?? '').exp).toBe(nowMs / 1000 + 150)
    expect(signed()).toBe(2)
  })

  it('never outlives the bearer token, however often it is signed', async () => {
    const { attempt, clock } = sceneWith()
    const credential = { kind: 'token', token: bearer({ exp: nowMs / 1000 + 60 }) } as const
    for (const seconds of [0, 30, 45, 59, 63]) {
      clock.ms = nowMs + seconds * 1000
      expect(decodeJwt((await attempt({ credential })).capabilityToken ?? '').exp).toBe(nowMs / 1000 + 60)
    }
    clock.ms = nowMs + 66_000
    expect((await attempt({ credential })).decision.reasons[0]?.code).toBe('token_expired')
  })

  it('is signed anew when policy or data change, with what they then say', async () => {
    let engine: Engine = engineOf(data)
    const { attempt, signed } = sceneWith({ engine: () => engine })
    await attempt()
    engine = engineOf({
      ...data,
      servers: { ...data.servers, weather: { ...data.servers.weather, tools: ['forecast'] } },
    })
    const after = await attempt()
    expect(toolsIn(after)).toEqual({ weather: ['forecast'] })
    expect(decodeJwt(after.capabilityToken ?? '')['revision']).toBe(engine.revision)
    engine = engineOf(data)
    expect(toolsIn(await attempt())).toEqual({ weather: ['alerts', 'forecast'] })
    expect(signed()).toBe(3)
  })

  it('is signed once for a token, for every set of raw claims anew', async () => {
    const { attempt, signed } = sceneWith()
    const credential = { kind: 'claims', claims: { sub: 'alice', realm_access: { roles: ['forecaster'] } } } as const
    await attempt({ credential })
    await attempt({ credential })
    expect(signed()).toBe(2)
  })
})

describe('a signature that fails', () => {
  it('fails the calls that wait for it, and is tried again by the next', async () => {
    let failures = 1
    const minter: Minter = {
      kid: () => 'k',
      bound: false,
      narrows: false,
      async mint() {
        await Promise.resolve()
        failures -= 1
        if (failures >= 0) throw new Error('no entropy')
        return { ok: true, token: 'signed', issuedAt: nowMs / 1000, expiresAt: nowMs / 1000 + 100, kid: 'k' }
      },
    }
    const { attempt } = sceneWith({ minter })
    await attempt({ mint: false })
    const together = await Promise.all([attempt(), attempt(), attempt()])
    expect(together.map(({ decision }) => decision.reasons[0]?.code)).toEqual(Array(3).fill('mint_failed'))
    expect((await attempt()).capabilityToken).toBe('signed')
  })
})

describe('capabilities', () => {
  it('are computed once for one token and revision', async () => {
    let computed = 0
    const real = engineOf(data)
    const engine: Engine = {
      ...real,
      capabilities(input) {
        computed += 1
        return real.capabilities(input)
      },
    }
    const { attempt, authorizer } = sceneWith({ engine: () => engine })
    await attempt()
    await attempt({ reading: call('weather_alerts') })
    await authorizer.capabilities(alice, [])
    expect(computed).toBe(1)
    await authorizer.capabilities(alice, ['desk'])
    expect(computed).toBe(2)
  })
})
