import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import { sessionDigest } from '../../src/capabilities/origin.ts'
import type { Reading } from '../../src/mcp/reading.ts'
import { readHttp } from '../../src/mcp/request.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import { strict } from '../envoy/authorizers.ts'
import { nowMs } from '../identity/tokens.ts'
import { engineOf } from '../policy/questions.ts'
import { bearer, call, capabilityKey, sceneWith } from './scenes.ts'

function inSession(session: string, name = 'weather_forecast'): Reading {
  const headers = new Map([
    ['content-type', ['application/json']],
    ['mcp-session-id', [session]],
  ])
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }))
  return readHttp({ method: 'POST', headers, body }, {}, strict)
}

describe('a token bound to a session', () => {
  it('is another one for each session, and the same again within one', async () => {
    const { attempt, signed } = sceneWith({}, { bound: true })
    for (const session of ['one', 'two', 'one', 'two']) {
      const { capabilityToken = '' } = await attempt({ reading: inSession(session) })
      expect(decodeJwt(capabilityToken)['session']).toBe(sessionDigest(session))
    }
    expect(signed()).toBe(2)
    expect(decodeJwt((await attempt()).capabilityToken ?? '')).not.toHaveProperty('session')
    expect(signed()).toBe(3)
  })

  it('is signed once for many calls of a session at the same time', async () => {
    const { attempt, signed } = sceneWith({}, { bound: true })
    await Promise.all(Array.from({ length: 20 }, () => attempt({ reading: inSession('one') })))
    await Promise.all(Array.from({ length: 20 }, () => attempt({ reading: inSession('one') })))
    expect(signed()).toBe(1)
  })

  it('is remembered for the sessions used last, however many a client makes up', async () => {
    const { attempt, signed } = sceneWith({}, { bound: true })
    await attempt({ reading: inSession('mine') })
    for (let made = 0; made < 100; made += 1) {
      await attempt({ reading: inSession(`made-up-${made}`) })
      if (made % 10 === 0) await attempt({ reading: inSession('mine') })
    }
    expect(signed()).toBe(101)
    await attempt({ reading: inSession('made-up-0') })
    expect(signed()).toBe(102)
  })

  it('is one for all sessions where tokens are not bound', async () => {
    const { attempt, signed } = sceneWith()
    for (const session of ['one', 'two', 'three']) await attempt({ reading: inSession(session) })
    expect(signed()).toBe(1)
  })
})

const names = Array.from({ length: 60 }, (_, index) => `tool-number-${index}`)
const large: Data = {
  servers: {
    one: { prefix: 'one_', tools: [...names], prompts: ['p'], resources: ['one://r'], templates: ['one://r/{id}'] },
    two: { prefix: 'two_', tools: [...names] },
  },
  roles: { all: { '*': ['tool:*', 'prompt:*', 'resource:*', 'template:*'] } },
}
const all = { kind: 'token', token: bearer({}, ['all']) } as const

describe('a token that would be too large', () => {
  const engine = engineOf(large)
  const scene = (maxBytes: number, whenTooLarge: 'deny' | 'addressed-server' = 'addressed-server') =>
    sceneWith({ engine: () => engine }, { maxBytes, whenTooLarge })

  it('speaks of the addressed server alone where that is wanted, whole as it is of that server', async () => {
    const { attempt } = scene(2500)
    const { capabilityToken = '', decision } = await attempt({ credential: all, reading: call('one_tool-number-7') })
    expect(decision).toMatchObject({ allow: true, resource: { server: 'one' } })
    expect(JSON.parse(String(decodeJwt(capabilityToken)['allowed-capabilities']))).toEqual({
      tools: { one: names.toSorted() },
      prompts: { one: ['p'] },
      resources: { one: ['one://r'] },
      templates: { one: ['one://r/{id}'] },
    })
  })

  it('is kept for each server apart', async () => {
    const { attempt } = scene(2500)
    const tokens: unknown[] = []
    for (const name of ['one_tool-number-7', 'two_tool-number-7', 'one_tool-number-8']) {
      tokens.push((await attempt({ credential: all, reading: call(name) })).capabilityToken)
    }
    expect(tokens[0]).toBe(tokens[2])
    expect(tokens[0]).not.toBe(tokens[1])
  })

  it('is a denial where nobody wants less, no server is addressed, or one is too large by itself', async () => {
    const code = async ({ attempt }: ReturnType<typeof scene>, reading: Reading): Promise<string | undefined> =>
      (await attempt({ credential: all, reading })).decision.reasons[0]?.code
    const tool = call('one_tool-number-7')
    const list: Reading = readHttp(
      {
        method: 'POST',
        headers: new Map([['content-type', ['application/json']]]),
        body: Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/list"}'),
      },
      {},
      strict,
    )
    expect(await code(scene(2500, 'deny'), tool)).toBe('claim_too_large')
    expect(await code(scene(2500), list)).toBe('claim_too_large')
    expect(await code(scene(1000), tool)).toBe('claim_too_large')
    expect(await code(scene(9999), list)).toBeUndefined()
    // The door's word for which server it is counts as well as the name's.
    expect(await code(scene(2500), { ...list, server: 'two' } as Reading)).toBeUndefined()
  })

  it('is whole again where it fits', async () => {
    const { attempt } = scene(9999)
    const { capabilityToken = '' } = await attempt({ credential: all, reading: call('one_tool-number-7') })
    const { tools } = JSON.parse(String(decodeJwt(capabilityToken)['allowed-capabilities']))
    expect(Object.keys(tools)).toEqual(['one', 'two'])
  })
})

describe('a token of a key that no longer signs', () => {
  it('is not handed out again', async () => {
    const keys = [capabilityKey, await capabilityKeyFrom(generateKeyPem())]
    let signing = 0
    const options = { issuer: 'i', audience: 'a', lifetimeSeconds: 100, maxBytes: 9999, profile: 'strict' } as const
    const minter = createMinter(
      options,
      () => keys[signing] ?? capabilityKey,
      () => nowMs,
    )
    const { attempt } = sceneWith({ minter })
    const kid = async (): Promise<unknown> => {
      const [header = ''] = ((await attempt()).capabilityToken ?? '').split('.')
      return JSON.parse(Buffer.from(header, 'base64url').toString()).kid
    }
    expect([await kid(), await kid()]).toEqual([keys[0]?.kid, keys[0]?.kid])
    signing = 1
    expect([await kid(), await kid()]).toEqual([keys[1]?.kid, keys[1]?.kid])
  })
})
