import { describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../src/policy/engine.ts'
import { PolicyError } from '../../src/policy/errors.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { buildInput } from '../../src/policy/input.ts'
import { bundle, decideCall, engineOf, itemsOf, nobody } from './questions.ts'

const data = {
  servers: {
    weather: { prefix: 'weather_', tools: ['forecast', 'alerts'], resources: ['weather://stations'] },
    plain: { tools: ['ping'] },
  },
  virtual_servers: { desk: { tools: ['weather_forecast'] } },
  roles: { forecaster: { weather: ['tool:*', 'resource:*'] }, admin: { '*': ['tool:*'] } },
}
const engine = engineOf(data)
const alice = { ...nobody, subject: { id: 'alice', grants: {}, roles: ['forecaster'] } }

/** The error a call ends in; anything but a PolicyError fails the test. */
function policyErrorOf(run: () => unknown): PolicyError {
  try {
    run()
  } catch (thrown) {
    if (thrown instanceof PolicyError) return thrown
    throw new Error(`not a PolicyError: ${String(thrown)}`)
  }
  throw new Error('nothing was thrown')
}

function codeOf(name: string, server?: string): string {
  const { allow, reasons } = decideCall(engine, alice, 'tool', name, server)
  return allow ? 'allow' : String(reasons[0]?.code)
}

describe('names that are no names', () => {
  it('ends in a PolicyError for half of a surrogate pair, and goes on deciding', () => {
    for (const half of ['\ud800', 'a\udfffb', '\udc00\ud800']) {
      expect(policyErrorOf(() => decideCall(engine, alice, 'tool', half)).code).toBe('evaluation_failed')
      expect(codeOf('weather_forecast')).toBe('allow')
    }
  })

  it('takes what only looks like an escape for the letters that it is', () => {
    const names = ['\\ud800', '\\\\ud800', '\ud83d\ude00', '"\\ud800']
    const literal = engineOf({ servers: { s: { tools: names } }, roles: { all: { s: ['tool:*'] } } })
    const asker = { ...nobody, subject: { id: 'a', grants: {}, roles: ['all'] } }
    for (const name of names) expect(decideCall(literal, asker, 'tool', name).allow).toBe(true)
  })

  it('does not end a name at a NUL', () => {
    expect(codeOf('weather_forecast\u0000')).toBe('item_unknown')
    expect(codeOf('weather_forecast\u0000evil')).toBe('item_unknown')
    expect(codeOf('forecast\u0000', 'weather')).toBe('item_unknown')
    expect(codeOf('forecast', 'weather\u0000')).toBe('server_unknown')
  })

  it('decides a name of four megabytes, and small ones after it', () => {
    expect(codeOf('n'.repeat(4 << 20))).toBe('item_unknown')
    expect(codeOf('weather_forecast')).toBe('allow')
  })

  it('tells names apart that only Unicode normalization or case makes equal', () => {
    const { allow } = decideCall(engineOf({ servers: { s: { tools: ['caf\u00e9'] } } }), alice, 'tool', 'cafe\u0301')
    expect(allow).toBe(false)
    expect(codeOf('weather_Forecast')).toBe('item_unknown')
    expect(codeOf('WEATHER_forecast')).toBe('item_unknown')
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length'])(
    'takes %s for a name like any other',
    (id) => {
      expect(codeOf(id)).toBe('item_unknown')
      expect(codeOf('forecast', id)).toBe('server_unknown')
      const other = { ...nobody, subject: { id, grants: {}, roles: [id] }, virtualServers: [id] }
      expect(itemsOf(engine, other)).toBeUndefined()
      expect(itemsOf(engine, { ...other, virtualServers: [] })).toEqual([])

      const own = engineOf({
        servers: Object.fromEntries([[id, { tools: [id] }]]),
        roles: Object.fromEntries([[id, Object.fromEntries([[id, [`tool:${id}`]]])]]),
        virtual_servers: Object.fromEntries([[id, { tools: [id] }]]),
      })
      expect(itemsOf(own, other)).toEqual([{ server: id, type: 'tool', name: id }])
      expect(decideCall(own, other, 'tool', id)).toMatchObject({ allow: true, resource: { server: id } })
    },
  )
})

describe('input that is no input', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
  const odd: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', 7],
    ['a list', []],
    ['an empty object', {}],
    ['a subject alone', { subject: alice.subject }],
    ['an action of another type', { ...inputOf(), action: 'tools/call' }],
    ['grants that are a list', { ...inputOf(), subject: { id: 'a', grants: ['tool:forecast'], roles: [] } }],
    ['a type nobody knows', { ...inputOf(), resource: { type: 'Tool', name: 'weather_forecast' } }],
    ['no virtual servers, and a name', { ...inputOf(), context: { profile: 'strict' } }],
  ]

  it.each(odd)('does not allow %s', (_, input) => {
    const answer = answerOf(() => engine.decide(input as Input).allow)
    expect([false, 'PolicyError']).toContain(answer)
    expect([0, 'PolicyError']).toContain(answerOf(() => engine.visible(input as Input).length))
  })

  it('ends in a PolicyError for a cycle, a bigint and nesting beyond any stack', () => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const nested: unknown = JSON.parse(deep)
    for (const value of [cycle, 1n, nested]) {
      const input = { ...inputOf(), extra: value } as unknown as Input
      expect(policyErrorOf(() => engine.decide(input)).code).toBe('evaluation_failed')
      expect(policyErrorOf(() => engine.capabilities(input)).code).toBe('evaluation_failed')
      expect(policyErrorOf(() => engine.visible(input)).code).toBe('evaluation_failed')
    }
    expect(codeOf('weather_forecast')).toBe('allow')
  })

  it('ends in a PolicyError for an input that throws what has no text', () => {
    const hostile = {
      toJSON() {
        throw Object.create(null)
      },
    }
    expect(policyErrorOf(() => engine.decide(hostile as unknown as Input)).code).toBe('evaluation_failed')
  })
})

describe('answers that are no answers', () => {
  const real = { wasm: bundle.wasm, revision: 'r', data }
  const never = (_value: unknown): _value is never => false

  it('ends in a PolicyError where a decision or capabilities do not fit their schema', () => {
    const strict = createEngine({ ...real, checks: { verdict: never, capabilities: never } })
    expect(policyErrorOf(() => strict.decide(inputOf())).message).toBe('the decision does not fit its schema')
    expect(policyErrorOf(() => strict.capabilities(inputOf())).message).toBe('the capabilities do not fit their schema')
  })
})

describe('an engine without data', () => {
  const empty = engineOf({})

  it('denies every item, by name and by server, in both profiles', () => {
    for (const profile of ['strict', 'kuadrant'] as const) {
      const everything = { ...nobody, profile, subject: { id: 'alice', grants: {}, roles: ['admin', 'forecaster'] } }
      expect(itemsOf(empty, everything)).toEqual([])
      for (const type of ['tool', 'prompt', 'resource', 'template'] as const) {
        for (const server of [undefined, 'weather', '*', '']) {
          expect(decideCall(empty, everything, type, 'weather_forecast', server).allow).toBe(false)
        }
      }
    }
  })

  it('knows no virtual server, and answers lists without one', () => {
    const list = (virtualServers: (string | null)[]) =>
      empty.decide(buildInput({ ...nobody, virtualServers, action: 'tools/list', target: { type: 'server' } }))
    expect(list([]).allow).toBe(true)
    expect(list(['desk']).reasons).toEqual([{ code: 'virtual_server_unknown' }])
    expect(list([null]).reasons).toEqual([{ code: 'virtual_server_unknown' }])
  })
})

function inputOf(): Input {
  return buildInput({ ...alice, action: 'tools/call', target: { type: 'tool', name: 'weather_forecast' } })
}

/** What a call gives, or `PolicyError`; anything else that is thrown fails the test. */
function answerOf(run: () => unknown): unknown {
  try {
    return run()
  } catch (thrown) {
    if (thrown instanceof PolicyError) return 'PolicyError'
    throw thrown
  }
}

it('names its revision by the policy and the data', () => {
  const other: Engine = engineOf({ ...data, roles: {} })
  expect(engine.revision).toMatch(new RegExp(`^${bundle.revision}\\+[0-9a-f]{12}$`))
  expect(other.revision.split('+')[0]).toBe(bundle.revision)
  expect(other.revision).not.toBe(engine.revision)
})
