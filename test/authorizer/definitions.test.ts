import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDefinitions } from '../../src/authorizer/definitions.ts'
import { type DefinedType, definitionDigest } from '../../src/mcp/definition.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { ChangedDefinitions } from '../../src/policy/engine.ts'
import { PolicyError } from '../../src/policy/errors.ts'

const keys = { tool: 'name', prompt: 'name', resource: 'uri', template: 'uriTemplate' } as const
const entryOf = (type: DefinedType, name: string, more: object = {}) => ({ [keys[type]]: name, ...more })
const pin = (type: DefinedType, name: string) => ({ name, sha256: definitionDigest(type, entryOf(type, name), name) })

function bookOf(servers: Data['servers'], { prefixedUris = false } = {}) {
  const puts: ChangedDefinitions[] = []
  const warnings: string[] = []
  const clock = { now: 1_000_000 }
  const book = createDefinitions({
    data: { servers: servers ?? {} },
    prefixedUris,
    put: (changed) => void puts.push(changed),
    onWarning: (text) => void warnings.push(text),
    now: () => clock.now,
  })
  /** The names that stay of a list, each of which is another than approved where it is pinned. */
  const staying = (type: DefinedType, listed: readonly string[], server?: string, more: object = { x: 1 }) =>
    book
      .approved({ type, server, items: listed.map((name) => ({ name, entry: entryOf(type, name, more) })) })
      .map(({ name }) => name)
  return { book, puts, warnings, clock, staying }
}

describe('which item a listed name means', () => {
  const servers: Data['servers'] = {
    a: { prefix: 'a_', tools: [pin('tool', 'x'), pin('tool', 'b_x')], prompts: [pin('prompt', 'p')] },
    ab: { prefix: 'a_b_', tools: ['x'] },
    bare: { tools: [pin('tool', 'z'), pin('tool', 'two')], resources: [pin('resource', 'r://one')] },
    more: { tools: ['two'], resources: ['r://one'], templates: [pin('template', 'r://{id}')] },
    off: { prefix: 'off_', state: 'Disabled', tools: [pin('tool', 'x')] },
    ['__proto__']: { prefix: 'p_', tools: [pin('tool', '__proto__')] },
  }
  it.each<[string, DefinedType, string, string | undefined, ChangedDefinitions]>([
    ['that of the server with its prefix', 'tool', 'a_x', undefined, { a: { tool: { x: true } } }],
    ['a prompt too', 'prompt', 'a_p', undefined, { a: { prompt: { p: true } } }],
    ['a template', 'template', 'r://{id}', undefined, { more: { template: { 'r://{id}': true } } }],
    ['that of a server without prefix', 'tool', 'z', undefined, { bare: { tool: { z: true } } }],
    ['that of the server that is known', 'tool', 'x', 'a', { a: { tool: { x: true } } }],
    ['its own also where it is disabled', 'tool', 'x', 'off', { off: { tool: { x: true } } }],
    ['one of odd names', 'tool', 'p___proto__', undefined, { ['__proto__']: { tool: { ['__proto__']: true } } }],
  ])('is %s', (_, type, name, server, changed) => {
    const { staying, puts } = bookOf(servers)
    expect(staying(type, [name, 'other'], server)).toEqual(['other'])
    expect(JSON.stringify(puts)).toBe(JSON.stringify([changed]))
  })

  it.each<[string, DefinedType, string, string | undefined]>([
    ['with a longer prefix of another server', 'tool', 'a_b_x', undefined],
    ['of a disabled server', 'tool', 'off_x', undefined],
    ['of two servers', 'tool', 'two', undefined],
    ['that two servers list', 'resource', 'r://one', undefined],
    ['without its prefix', 'tool', 'x', undefined],
    ['with its prefix where the server is known', 'tool', 'a_x', 'a'],
    ['of another type', 'prompt', 'a_x', undefined],
  ])('is nobody’s that is pinned: one %s', (_, type, name, server) => {
    const { staying, puts, warnings } = bookOf(servers)
    expect(staying(type, [name], server)).toEqual([name])
    expect([puts, warnings]).toEqual([[], []])
  })

  it('has the prefix in its authority where URIs have', () => {
    const uris = {
      s: { prefix: 's_', resources: [pin('resource', 'ui://board')], templates: [pin('template', 'x:{y}')] },
    }
    const prefixed = bookOf(uris, { prefixedUris: true })
    expect(prefixed.staying('resource', ['ui://s_board', 'ui://board'], undefined, {})).toEqual([
      'ui://s_board',
      'ui://board',
    ])
    expect(prefixed.staying('resource', ['ui://s_board', 'ui://board'])).toEqual(['ui://board'])
    expect(prefixed.staying('template', ['x:{y}'])).toEqual([])
  })
})

describe('what is gone', () => {
  const servers: Data['servers'] = { s: { tools: [pin('tool', 'x')] } }
  it('comes back when it is listed as approved, a minute after it last was otherwise', () => {
    const { staying, puts, clock, warnings } = bookOf(servers)
    expect(staying('tool', ['x'])).toEqual([])
    clock.now += 30_000
    expect(staying('tool', ['x'])).toEqual([])
    clock.now += 59_999
    expect(staying('tool', ['x'], undefined, {})).toEqual([])
    clock.now += 1
    expect(staying('tool', ['x'], undefined, {})).toEqual(['x'])
    expect(puts).toEqual([{ s: { tool: { x: true } } }, {}])
    expect(warnings).toHaveLength(1)
  })

  it('stays so under other data that do not approve it, and comes back under those that do', () => {
    const { book, staying } = bookOf(servers)
    staying('tool', ['x'])
    const same = book.under({ servers: { s: { prefix: 's_', tools: [pin('tool', 'x'), 'y'] } } })
    expect(same.changed).toEqual({ s: { tool: { x: true } } })
    same.adopt()
    expect(book.changed()).toEqual({ s: { tool: { x: true } } })
    expect(staying('tool', ['s_x'])).toEqual([])
    expect(book.under({ servers: { s: { tools: ['x'] } } }).changed).toEqual({})
    expect(book.under({}).changed).toEqual({})
    expect(book.changed(), 'until it is adopted').toEqual({ s: { tool: { x: true } } })
  })

  it('is left out of the list also where policy cannot be told, and that is told', () => {
    const warnings: string[] = []
    const book = createDefinitions({
      data: { servers: servers ?? {} },
      prefixedUris: false,
      put: () => {
        throw new PolicyError('evaluation_failed', 'no memory')
      },
      onWarning: (text) => void warnings.push(text),
    })
    const items = [{ name: 'x', entry: { name: 'x', evil: true } }]
    expect(book.approved({ type: 'tool', items })).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('tool `x`'), expect.stringContaining('cannot be kept')])
  })
})

describe('what is listed otherwise', () => {
  const servers: Data['servers'] = { s: { tools: [pin('tool', 'x')] } }
  it('goes for nobody by the list of somebody who may not use it, who is not shown it either', () => {
    const { book, puts, clock, warnings } = bookOf(servers)
    const items = [{ name: 'x', entry: { name: 'x', evil: true } }]
    expect(book.approved({ type: 'tool', items }, new Set())).toEqual([])
    expect([puts, warnings]).toEqual([[], []])
    expect(book.approved({ type: 'tool', items }, new Set(['x']))).toEqual([])
    expect(puts).toEqual([{ s: { tool: { x: true } } }])
    // Nor does it come back while others are still shown it so.
    clock.now += 59_000
    book.approved({ type: 'tool', items }, new Set())
    clock.now += 59_000
    expect(book.approved({ type: 'tool', items: [{ name: 'x', entry: { name: 'x' } }] })).toEqual([])
    expect(book.count()).toBe(1)
  })

  it('is warned of once for each digest, and once a minute where it never is the same', () => {
    const { staying, warnings, clock } = bookOf(servers)
    for (let time = 0; time < 100; time += 1) staying('tool', ['x'], undefined, { time })
    expect(warnings).toHaveLength(1)
    clock.now += 60_000
    for (let time = 0; time < 100; time += 1) staying('tool', ['x'], undefined, { time })
    expect(warnings).toHaveLength(2)
  })
})

describe('a digest', () => {
  it('is of the JSON of RFC 8785, under the name that the server gives', () => {
    // printf '{"description":"Zürich €","inputSchema":{"a":1e+30,"b":[]},"name":"x"}' | sha256sum
    const entry = { name: 'p_x', inputSchema: { b: [], a: 1e30 }, description: 'Zürich €' }
    expect(definitionDigest('tool', entry, 'x')).toBe(
      '3c5507989c6f949bcb855cfbac12e1f5ee7cfc7f231127e2ca8015e386350ae6',
    )
  })

  it('is the same whatever the order of keys, and another for whatever else differs', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.jsonValue(), (entry, value) => {
        const reversed = Object.fromEntries(Object.entries(entry).reverse())
        const one = definitionDigest('prompt', entry, 'x')
        expect(definitionDigest('prompt', reversed, 'x')).toBe(one)
        expect(definitionDigest('prompt', { ...entry, 'a key that is new': value }, 'x')).not.toBe(one)
        expect(definitionDigest('prompt', entry, 'y')).not.toBe(one)
      }),
    )
  })
})
