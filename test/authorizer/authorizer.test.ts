import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/authorizer/attempt.ts'
import { validatorOf } from '../../src/config/schema.ts'
import type { Reading } from '../../src/mcp/reading.ts'
import type { Engine } from '../../src/policy/engine.ts'
import { PolicyError } from '../../src/policy/errors.ts'
import { messageOf } from '../../src/policy/reasons.ts'
import { engineOf } from '../policy/questions.ts'
import { alice, bearer, call, data, sceneWith } from './scenes.ts'

const badBody: Reading = { ok: false, code: 'body_malformed', detail: 'x', action: 'tools/call' }
const badToken = { kind: 'token', token: 'x' } as const

function codeOf({ decision }: Outcome): string {
  return decision.allow ? 'allow' : String(decision.reasons[0]?.code)
}

function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown
  }
}

const brokenEngine: Engine = {
  revision: 'broken',
  decide: throwing(new PolicyError('evaluation_failed', 'the module aborted')),
  capabilities: throwing('a string'),
  visible: throwing({ message: 'an object' }),
}

describe('an attempt', () => {
  it('is allowed with everything a decision has to say', async () => {
    const { attempt, recorded } = sceneWith()
    const { decision, subject, capabilityToken } = await attempt()
    expect(decision).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      allow: true,
      reasons: [],
      revision: engineOf(data).revision,
      subject: 'alice',
      action: 'tools/call',
      resource: { type: 'tool', server: 'weather', name: 'forecast' },
    })
    expect(subject?.id).toBe('alice')
    expect(capabilityToken?.split('.')).toHaveLength(3)
    expect(recorded).toEqual([decision])
  })

  it('is denied with the fixed text of the reason and the grant that would cure it', async () => {
    const { decision, capabilityToken } = await sceneWith().attempt({
      credential: { kind: 'token', token: bearer({}, []) },
    })
    expect(decision.reasons).toEqual([
      { code: 'role_missing', message: messageOf('role_missing'), required: 'tool:forecast on weather' },
    ])
    expect(capabilityToken).toBeUndefined()
  })

  it('gets no token unless it asks for one', async () => {
    const { attempt, signed } = sceneWith()
    expect((await attempt({ mint: false })).capabilityToken).toBeUndefined()
    expect(signed()).toBe(0)
  })

  it('has an id of its own each time', async () => {
    const { attempt } = sceneWith()
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await attempt()).decision.id))
    expect(new Set(ids).size).toBe(20)
  })
})

describe('the first reason', () => {
  it('is the credential, then the request, then the policy, then the service', async () => {
    const none = { engine: () => undefined }
    const unknown = call('nothing')
    expect(codeOf(await sceneWith(none).attempt({ credential: badToken, reading: badBody }))).toBe('token_malformed')
    expect(codeOf(await sceneWith(none).attempt({ reading: badBody }))).toBe('body_malformed')
    expect(codeOf(await sceneWith(none).attempt({ reading: unknown }))).toBe('not_ready')
    expect(codeOf(await sceneWith({}, { maxBytes: 10 }).attempt({ reading: unknown }))).toBe('item_unknown')
    expect(codeOf(await sceneWith({}, { maxBytes: 10 }).attempt())).toBe('claim_too_large')
  })

  it('names a subject from where the credential is verified on, and the action wherever it could be read', async () => {
    const { attempt } = sceneWith()
    const refused = await attempt({ credential: badToken, reading: badBody })
    expect(refused.decision).toMatchObject({ action: 'tools/call', resource: { type: 'server' } })
    expect(Object.keys(refused.decision)).not.toContain('subject')
    expect(refused.subject).toBeUndefined()
    expect((await attempt({ reading: badBody })).decision).toMatchObject({ subject: 'alice', action: 'tools/call' })
  })

  it('leaves what was asked for in the decision, also where it ends with the credential', async () => {
    const { decision } = await sceneWith().attempt({ credential: badToken, reading: call('weather_forecast') })
    expect(decision).toMatchObject({ allow: false, resource: { type: 'tool', name: 'weather_forecast' } })
  })

  it('is a missing claim where the caller speaks of somebody else', async () => {
    const { attempt } = sceneWith()
    expect(codeOf(await attempt({ subjectId: 'bob' }))).toBe('token_claim_missing')
    expect(codeOf(await attempt({ subjectId: '' }))).toBe('token_claim_missing')
    expect(codeOf(await attempt({ subjectId: 'alice' }))).toBe('allow')
  })

  it('is that of the first message of a batch that is denied', async () => {
    const reading = call('weather_forecast')
    if (!reading.ok) throw new Error(reading.detail)
    const [first] = reading.asks
    const second = { action: 'tools/call', target: { type: 'tool', name: 'closed_x' } } as const
    if (first === undefined) throw new Error('nothing is asked')
    const { attempt } = sceneWith()
    const all = { ...reading, batch: true }
    expect((await attempt({ reading: { ...all, asks: [first, first] } })).decision).toMatchObject({
      allow: true,
      action: 'batch',
      resource: { type: 'server' },
    })
    const denied = await attempt({ reading: { ...all, asks: [first, second] } })
    expect(codeOf(denied)).toBe('item_unknown')
    expect(denied.decision.action).toBe('tools/call')
    expect(codeOf(await attempt({ reading: { ...all, asks: [] } }))).toBe('policy_error')
  })
})

describe('a fault inside', () => {
  it('is a denial where the engine throws, with the subject and what was thrown in the log', async () => {
    const { attempt, faults, recorded } = sceneWith({ engine: () => brokenEngine })
    const outcome = await attempt()
    expect(codeOf(outcome)).toBe('policy_error')
    expect(outcome.decision).toMatchObject({ subject: 'alice', revision: 'broken', action: 'tools/call' })
    expect(faults).toEqual([['policy_error', 'the module aborted']])
    expect(recorded).toEqual([outcome.decision])
  })

  it('is a denial where the authenticator rejects or throws', async () => {
    for (const authenticate of [async () => Promise.reject(new Error('broken')), throwing('broken')]) {
      const { attempt, faults, recorded } = sceneWith({ authenticator: { authenticate } })
      expect(codeOf(await attempt())).toBe('policy_error')
      expect(faults).toEqual([['policy_error', 'broken']])
      expect(recorded).toHaveLength(1)
    }
  })

  it('is a denial where the minter rejects, throws or is not there, and no token', async () => {
    for (const mint of [async () => Promise.reject(new Error('no key')), throwing('no key')]) {
      const { attempt, faults } = sceneWith({ minter: { mint, kid: () => 'k', bound: false, narrows: false } })
      const outcome = await attempt()
      expect(codeOf(outcome)).toBe('mint_failed')
      expect(outcome.capabilityToken).toBeUndefined()
      expect(outcome.decision.resource).toEqual({ type: 'tool', server: 'weather', name: 'forecast' })
      expect(faults).toEqual([['mint_failed', 'no key']])
    }
    expect(codeOf(await sceneWith({ minter: undefined }).attempt())).toBe('mint_failed')
    expect(codeOf(await sceneWith({ minter: undefined }).attempt({ mint: false }))).toBe('allow')
  })

  it('is a denial where the decision cannot be recorded', async () => {
    const { attempt, faults } = sceneWith({ record: throwing(new Error('disk full')) })
    const outcome = await attempt()
    expect(codeOf(outcome)).toBe('policy_error')
    expect(outcome.capabilityToken).toBeUndefined()
    expect(faults).toEqual([['policy_error', 'disk full']])
  })

  it('is a denial where the log of faults throws too', async () => {
    const { attempt } = sceneWith({
      engine: () => brokenEngine,
      onFault: throwing('no log'),
      record: throwing('no log'),
    })
    expect(codeOf(await attempt())).toBe('policy_error')
  })

  it('shows nobody anything: capabilities are denied, lists are empty', async () => {
    const { authorizer, faults } = sceneWith({ engine: () => brokenEngine })
    const query = { credential: alice, type: 'tool', names: ['weather_forecast'], virtualServers: [] } as const
    expect(await authorizer.visible(query)).toEqual([])
    expect(await authorizer.capabilities(alice, [])).toMatchObject({ ok: false, decision: { allow: false } })
    expect(faults.map(([code]) => code)).toEqual(['policy_error', 'policy_error'])
  })
})

describe('the record', () => {
  it('is told of what is asked again only where it is denied', async () => {
    const { attempt, recorded } = sceneWith()
    expect((await attempt({ again: true })).decision.allow).toBe(true)
    const { decision } = await attempt({ again: true, credential: badToken })
    expect(decision.allow).toBe(false)
    expect(recorded).toEqual([decision])
  })

  it('is told every decision once, and each fits its schema', async () => {
    const { attempt, recorded } = sceneWith()
    const valid = validatorOf('decision')
    const attempts = [
      {},
      { credential: badToken },
      { reading: badBody },
      { reading: call('nothing') },
      { subjectId: 'bob' },
    ]
    const made = []
    for (const one of attempts) made.push((await attempt(one)).decision)
    expect(recorded).toEqual(made)
    for (const decision of recorded) {
      expect(valid(decision), JSON.stringify(valid.errors)).toBe(true)
      expect(decision.reasons.length === 0).toBe(decision.allow)
    }
  })
})

describe('what a door has yet to find out', () => {
  const found = { code: 'router_key_invalid', detail: 'it was used before' } as const

  it('is asked after credential and request, before policy, and only where there is one', async () => {
    const asked: unknown[] = []
    const precondition = async (reading: unknown) => {
      asked.push(reading)
      return found
    }
    const { attempt } = sceneWith()
    expect(codeOf(await attempt({ credential: badToken, precondition }))).toBe('token_malformed')
    expect(codeOf(await attempt({ reading: badBody, precondition }))).toBe('body_malformed')
    expect(codeOf(await sceneWith({ engine: () => undefined }).attempt({ precondition }))).toBe('not_ready')
    expect(asked).toEqual([])
    const reading = call('nothing')
    expect(codeOf(await attempt({ reading, precondition }))).toBe('router_key_invalid')
    expect(asked).toEqual([reading])
    expect(codeOf(await attempt({ precondition: async () => undefined }))).toBe('allow')
  })

  it('goes to the log where this side is to blame for it, and is a denial where it throws', async () => {
    const { attempt, faults } = sceneWith()
    const unavailable = { code: 'state_unavailable', detail: 'the store is away' } as const
    expect(codeOf(await attempt({ precondition: async () => unavailable }))).toBe('state_unavailable')
    expect(codeOf(await attempt({ precondition: async () => found }))).toBe('router_key_invalid')
    expect(codeOf(await attempt({ precondition: () => Promise.reject(new Error('boom')) }))).toBe('policy_error')
    expect(faults).toEqual([
      ['state_unavailable', 'the store is away'],
      ['policy_error', 'boom'],
    ])
  })
})

describe('lists and capabilities', () => {
  it('are those of the subject, under every virtual server that is named', async () => {
    const { authorizer, recorded } = sceneWith()
    const all = await authorizer.capabilities(alice, [])
    expect(all).toMatchObject({ ok: true, capabilities: { tools: { weather: ['alerts', 'forecast'] } } })
    expect(await authorizer.capabilities(alice, ['desk'])).toMatchObject({
      capabilities: { tools: { weather: ['forecast'] } },
    })
    expect(await authorizer.capabilities(alice, ['desk', 'other'])).toMatchObject({ capabilities: { tools: {} } })
    expect(await authorizer.capabilities(alice, ['nobody'])).toMatchObject({ ok: false })
    expect(await authorizer.capabilities(badToken, [])).toMatchObject({ ok: false })
    const names = ['weather_alerts', 'nothing', 'weather_forecast', 'closed_x']
    const query = { credential: alice, type: 'tool', names, virtualServers: [] } as const
    expect(await authorizer.visible(query)).toEqual(['weather_alerts', 'weather_forecast'])
    expect(await authorizer.visible({ ...query, credential: badToken })).toEqual([])
    expect(recorded).toEqual([])
  })

  it('are nothing before there is a policy', async () => {
    const { authorizer } = sceneWith({ engine: () => undefined })
    const query = { credential: alice, type: 'tool', names: ['weather_alerts'], virtualServers: [] } as const
    expect(await authorizer.visible(query)).toEqual([])
    const outcome = await authorizer.capabilities(alice, [])
    expect(!outcome.ok && outcome.decision.reasons[0]?.code).toBe('not_ready')
  })
})
