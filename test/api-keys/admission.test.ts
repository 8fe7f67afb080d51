import { describe, expect, it } from 'vitest'
import type { ApiKeyScope } from '../../src/api-keys/api-key.gen.ts'
import { call } from '../authorizer/scenes.ts'
import { memoryLedger } from '../revocation/ledger.ts'
import { memoryTally, type Place, placeWith } from './place.ts'

/** The first reason, or `allow`, of a call with a key. */
async function ask(place: Place, secret: string, address?: string): Promise<string> {
  const reading = call('weather_forecast')
  const { decision } = await place.authorizer.authorize({
    credential: { kind: 'token', token: secret },
    reading,
    address,
  })
  return decision.allow ? 'allow' : String(decision.reasons[0]?.code)
}

/** What a key with a scope that holds this is answered, from an address. */
async function answer(scope: ApiKeyScope, address?: string): Promise<string> {
  const place = placeWith()
  return await ask(place, (await place.scoped(scope)).secret, address)
}

const other: ApiKeyScope = { usage: { total: 9 } }
const always = {
  zone: 'UTC',
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  from: '00:00',
  to: '00:00',
} as const
const window = { ...always, days: [...always.days] }

describe('a limit that is absent', () => {
  it('is no limit, whatever else there is', async () => {
    expect(await answer(other)).toBe('allow')
    expect(await answer({ addresses: ['192.0.2.7'] }, '192.0.2.7')).toBe('allow')
    const place = placeWith()
    expect(await ask(place, (await place.create({ roles: ['everything'] })).secret)).toBe('allow')
  })
})

describe('a limit that is empty', () => {
  it.each<[keyof ApiKeyScope, ApiKeyScope, string]>([
    ['virtualServers', { virtualServers: [] }, 'credential_excludes'],
    ['capabilities', { capabilities: {} }, 'credential_excludes'],
    ['capabilities', { capabilities: { weather: [] } }, 'credential_excludes'],
    ['addresses', { addresses: [] }, 'address_refused'],
    ['times', { times: [] }, 'time_refused'],
    ['times', { times: [{ ...window, days: [] }] }, 'time_refused'],
    ['usage', { usage: {} }, 'usage_exceeded'],
    ['usage', { usage: { total: 0 } }, 'usage_exceeded'],
  ])('allows nothing: %s %j', async (_, scope, code) => {
    expect(await answer(scope, '192.0.2.7')).toBe(code)
    expect(await answer(scope)).toBe(code)
  })
})

describe('a limit that is null', () => {
  it.each(['virtualServers', 'capabilities', 'addresses', 'times', 'usage'])('is not made: %s', async (name) => {
    const { ledger, scoped } = placeWith()
    await expect(scoped({ ...other, [name]: null })).rejects.toThrow('it has not the form of a key')
    expect(ledger.kept).toEqual([])
  })
})

describe('an address', () => {
  const scope = { addresses: ['192.0.2.0/24', '2001:db8::7'] }

  it.each(['192.0.2.200', '::ffff:192.0.2.200', '2001:db8::7', '2001:db8::7%eth0'])(
    'is let in: %s',
    async (address) => {
      expect(await answer(scope, address)).toBe('allow')
    },
  )

  it.each(['192.0.3.1', '2001:db8::8', 'unix:/run/mcp.sock', '', undefined])('is refused: %s', async (address) => {
    expect(await answer(scope, address)).toBe('address_refused')
  })
})

describe('a time', () => {
  it('is let in within a window alone', async () => {
    const place = placeWith()
    const { secret } = await place.scoped({ times: [{ ...window, from: '09:00', to: '17:00' }] })
    const at = async (time: string) => {
      place.clock.ms = Date.parse(time)
      return await ask(place, secret)
    }
    expect(await at('2027-03-01T08:59:59Z')).toBe('time_refused')
    expect(await at('2027-03-01T09:00:00Z')).toBe('allow')
    expect(await at('2027-03-01T17:00:00Z')).toBe('time_refused')
  })

  it('is let in within any of several windows', async () => {
    const never = { ...window, days: [] }
    expect(await answer({ times: [never, window] })).toBe('allow')
    expect(await answer({ times: [never, never] })).toBe('time_refused')
  })
})

describe('the order', () => {
  const nothing: ApiKeyScope = { addresses: [], times: [], usage: {}, capabilities: {} }

  it('is credential, request, address, time, usage, policy', async () => {
    const codes: string[] = []
    for (const left of [[], ['addresses'], ['addresses', 'times'], ['addresses', 'times', 'usage']]) {
      const scope = Object.fromEntries(Object.entries(nothing).filter(([name]) => !left.includes(name)))
      codes.push(await answer(scope))
    }
    expect(codes).toEqual(['address_refused', 'time_refused', 'usage_exceeded', 'credential_excludes'])
  })

  it('puts what is wrong with the key or the request first, and counts neither', async () => {
    const place = placeWith()
    const { id, secret } = await place.scoped({ usage: { total: 1 } })
    const credential = { kind: 'token', token: secret } as const
    const reading = { ok: false, code: 'body_malformed', detail: '', action: '' } as const
    const { decision } = await place.authorizer.authorize({ credential, reading })
    expect(decision.reasons[0]?.code).toBe('body_malformed')
    await place.revoker.revoke({ target: { of: { kind: 'api-key', id } } })
    expect(await ask(place, secret)).toBe('token_revoked')
    expect(place.tally.writes).toBe(0)
  })
})

describe('whoever lists', () => {
  const names = ['weather_forecast', 'weather_alerts', 'files_read']

  it('is held to address and time, and uses nothing up', async () => {
    const place = placeWith()
    const scope = { addresses: ['192.0.2.7'], usage: { total: 1 }, capabilities: { weather: ['tool:*'] } }
    const credential = { kind: 'token', token: (await place.scoped(scope)).secret } as const
    const list = async (address?: string) =>
      await place.authorizer.visible({ credential, type: 'tool', names, virtualServers: [], address })
    const view = async (address?: string) => {
      const outcome = await place.authorizer.capabilities(credential, [], address)
      return outcome.ok ? outcome.capabilities.tools : outcome.decision.reasons[0]?.code
    }
    for (let turn = 0; turn < 3; turn++) {
      expect(await list('192.0.2.7')).toEqual(['weather_forecast', 'weather_alerts'])
      expect(await view('192.0.2.7')).toEqual({ weather: ['alerts', 'forecast'] })
    }
    for (const address of ['192.0.2.8', undefined]) {
      expect(await list(address)).toEqual([])
      expect(await view(address)).toBe('address_refused')
    }
    expect(await ask(place, credential.token, '192.0.2.7')).toBe('allow')
    expect(await list('192.0.2.7')).toHaveLength(2)
  })
})

describe('an API key where nothing can be counted or nothing is admitted', () => {
  it('is denied if its uses are limited, and let in if they are not', async () => {
    const place = placeWith()
    place.tally.fails = true
    const limited = await place.scoped({ usage: { total: 9 } })
    const twice = await place.scoped({ usage: { total: 9, perDay: 9 } })
    expect(await ask(place, limited.secret)).toBe('state_unavailable')
    expect(await ask(place, twice.secret)).toBe('state_unavailable')
    expect(await ask(place, (await place.create({ roles: ['everything'] })).secret)).toBe('allow')
    expect(place.faults).toContain('the uses of API keys cannot be counted: frozen')
    place.tally.fails = false
    expect(await ask(place, limited.secret)).toBe('allow')
  })

  it('is denied where the authorizer knows no admission', async () => {
    const place = placeWith({ admission: undefined })
    expect(await ask(place, (await place.create({ roles: ['everything'] })).secret)).toBe('policy_error')
  })

  it('is denied where admission does not know it', async () => {
    const { admission } = placeWith()
    const subject = { id: 'alice', grants: {}, roles: [], apiKey: 'ak_nobody' }
    const occasion = { address: undefined, counted: true }
    expect(await admission.admit(subject, occasion)).toEqual({ ok: false, code: 'state_unavailable' })
  })
})

describe('replicas', () => {
  it('share what a key has used, and no limit is passed under load', async () => {
    const shared = { ledger: memoryLedger(), tally: memoryTally() }
    const [one, two] = [placeWith({}, shared), placeWith({}, shared)]
    const { secret } = await one.scoped({ usage: { perHour: 20, perDay: 30 } })
    const answers = await Promise.all(Array.from({ length: 60 }, (_, turn) => ask(turn % 2 ? one : two, secret)))
    expect(answers.filter((code) => code === 'allow')).toHaveLength(20)
    expect(answers.filter((code) => code === 'usage_exceeded')).toHaveLength(40)
  })
})
