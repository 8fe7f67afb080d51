import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asker, catalogue, items, virtualServer } from './catalogues.ts'
import { type Asker, decideCall, engineOf, type Item, itemsOf, nobody } from './questions.ts'

describe('a virtual server', () => {
  it('never adds a capability or a call, whatever it holds and whatever else binds', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(catalogue, virtualServer, fc.array(fc.tuple(asker, items), { minLength: 5, maxLength: 5 }), check),
      { numRuns: 400 },
    )

    function check(data: object, added: object, questions: readonly (readonly [Asker, readonly Item[]])[]): void {
      const engine = engineOf({ ...data, virtual_servers: { ...Object(data).virtual_servers, added } })
      for (const [who, some] of questions) {
        const narrowed = { ...who, virtualServers: [...who.virtualServers, 'added'] }
        const before = new Set(itemsOf(engine, who)?.map((item) => JSON.stringify(item)))
        const after = itemsOf(engine, narrowed)?.map((item) => JSON.stringify(item)) ?? []
        expect(after.filter((item) => !before.has(item))).toEqual([])
        for (const { server, type, name } of some) {
          if (!decideCall(engine, narrowed, type, name, server).allow) continue
          expect(decideCall(engine, who, type, name, server).allow).toBe(true)
        }
      }
    }
  })

  const data = {
    servers: { s: { prefix: 's_', tools: ['a', 'b'], prompts: ['p'], resources: ['r://1'] } },
    roles: { admin: { '*': ['tool:*', 'prompt:*', 'resource:*'] } },
    virtual_servers: { first: { tools: ['s_a', 's_b'] }, second: { tools: ['s_b'], prompts: ['s_p'] }, empty: {} },
  }
  const engine = engineOf(data)
  const admin = { ...nobody, subject: { id: 'admin', grants: {}, roles: ['admin'] } }
  const namesUnder = (...virtualServers: (string | null)[]) =>
    itemsOf(engine, { ...admin, virtualServers })?.map(({ name }) => name)

  it('binds together with every other one that is named, the one of the token included', () => {
    expect(namesUnder()).toEqual(['a', 'b', 'p', 'r://1'])
    expect(namesUnder('first')).toEqual(['a', 'b'])
    expect(namesUnder('first', 'second')).toEqual(['b'])
    expect(namesUnder('empty')).toEqual([])
    const ofToken = { ...admin, subject: { ...admin.subject, virtualServer: 'second' }, virtualServers: ['first'] }
    expect(itemsOf(engine, ofToken)?.map(({ name }) => name)).toEqual(['b'])
  })

  it('leaves nothing where one that is named does not exist', () => {
    expect(namesUnder('first', 'nobody')).toBeUndefined()
    expect(namesUnder(null)).toBeUndefined()
    expect(namesUnder('')).toBeUndefined()
    const ofToken = { ...admin, subject: { ...admin.subject, virtualServer: null } }
    expect(itemsOf(engine, ofToken)).toBeUndefined()
  })
})
