import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Data } from '../../src/policy/data.gen.ts'
import type { ChangedDefinitions, Engine } from '../../src/policy/engine.ts'
import { buildInput } from '../../src/policy/input.ts'
import { asker, catalogue, items, serverIds } from './catalogues.ts'
import { type Asker, callOf, decideCall, engineOf, type Item, itemsOf } from './questions.ts'

const catalogues = 500
const questionsEach = 20

// Ten thousand askers: an engine is made for each catalogue, and every one of them answers twenty.
it('lists an item if and only if a call to it is allowed, and shows exactly what may be called', {
  timeout: 120_000,
}, () => {
  let asked = 0
  let found = 0
  const questions = fc.array(fc.tuple(asker, items), { minLength: questionsEach, maxLength: questionsEach })
  fc.assert(
    fc.property(catalogue, questions, changed, (data, all, gone) => {
      const engine = engineOf(data, changedOf(gone))
      for (const [who, some] of all) {
        const listed = new Set(itemsOf(engine, who)?.map(keyOf))
        for (const item of gone) expect(listed.has(keyOf(item)), 'a changed definition').toBe(false)
        asked += 1
        found += listed.size
        for (const item of some) checkItem({ engine, data, who, listed, item })
      }
    }),
    { numRuns: catalogues },
  )
  expect(asked).toBeGreaterThanOrEqual(catalogues * questionsEach)
  expect(found, 'the catalogues grant something').toBeGreaterThan(asked / 10)
})

/** Items that were seen with another definition; as a rule there are none. */
const changed = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: items })

function changedOf(gone: readonly Item[]): ChangedDefinitions {
  const by = <T>(of: readonly Item[], key: 'server' | 'type' | 'name', rest: (of: readonly Item[]) => T) =>
    Object.fromEntries([...Map.groupBy(of, (item) => item[key])].map(([value, some]) => [value, rest(some)]))
  return by(gone, 'server', (ofServer) => by(ofServer, 'type', (ofType) => by(ofType, 'name', () => true as const)))
}

interface Probe {
  readonly engine: Engine
  readonly data: Data
  readonly who: Asker
  /** The capabilities, as keys. */
  readonly listed: ReadonlySet<string>
  readonly item: Item
}

function checkItem(probe: Probe): void {
  const { engine, who, item } = probe
  const { server, type, name } = item
  const expected = isInCapabilities(probe, item)
  expect(shows(probe, name, server), `${keyOf(item)} in a list`).toBe(expected)
  if (isCalledByName(probe)) {
    const { allow } = decideCall(engine, who, type, name, server)
    expect(allow, `${keyOf(item)} where the server is known`).toBe(expected)
  }
  const prefix = entryOf(probe.data, server)?.prefix ?? ''
  checkClientName(probe, type === 'tool' || type === 'prompt' ? `${prefix}${name}` : name)
}

/** Whatever a client-visible name is allowed for is in the capabilities, and is shown. */
function checkClientName(probe: Probe, name: string): void {
  const { engine, who, item } = probe
  const shown = shows(probe, name)
  if (item.type === 'template') {
    const holders = [...serverIds].filter((server) => isInCapabilities(probe, { ...item, server }))
    expect(holders.length > 0 || !shown, `${name} in a list`).toBe(true)
    return
  }
  const { allow, reasons, resource } = decideCall(engine, who, item.type, name)
  expect(shown, `${name} in a list`).toBe(allow)
  const { type, server = '?', name: upstream = '?' } = resource
  const meant = { type, server, name: upstream } as Item
  if (allow) expect(isInCapabilities(probe, meant), `${name} means ${keyOf(meant)}`).toBe(true)
  checkNotShadowed(probe, { allow, code: reasons[0]?.code, meant })
}

/** What is listed under a name is what a call of that name means, unless several servers have it. */
function checkNotShadowed(
  { data, listed, item }: Probe,
  { allow, code, meant }: { readonly allow: boolean; readonly code: string | undefined; readonly meant: Item },
): void {
  const entry = entryOf(data, item.server)
  if (!listed.has(keyOf(item)) || entry === undefined) return
  // What an open catalogue holds without listing it may be found only where the server is known.
  const isWritten = entry[`${item.type}s`]?.includes(item.name) === true
  if (allow) expect(keyOf(meant)).toBe(keyOf(item))
  else expect(isWritten ? ['item_ambiguous'] : ['item_ambiguous', 'item_unknown'], keyOf(item)).toContain(code)
}

/** By the contract's rules 4 and 7: an item of the capabilities, or a URI that a template among them covers. */
function isInCapabilities({ data, listed }: Probe, item: Item): boolean {
  if (listed.has(keyOf(item))) return true
  const { server, type, name } = item
  if (type !== 'resource' || entryOf(data, server)?.resources?.includes(name)) return false
  return Object.entries(expansions).some(
    ([text, expansion]) => expansion.test(name) && listed.has(keyOf({ server, type: 'template', name: text })),
  )
}

const expansions = { 'r://h/{id}': /^r:\/\/h\/\w+$/, 'r://{host}/1': /^r:\/\/\w+\/1$/ }

// `completion/complete` calls a template by its text where the catalogue lists it; one that only an open catalogue
// holds is called through the URIs it expands to.
function isCalledByName({ data, item: { server, type, name } }: Probe): boolean {
  return type !== 'template' || entryOf(data, server)?.templates?.includes(name) === true
}

function shows({ engine, who, item: { type } }: Probe, name: string, server?: string): boolean {
  const action = type === 'template' ? 'resources/read' : callOf[type]
  return engine.visible(buildInput({ ...who, server, action, target: listOf(type, name) })).length > 0
}

function listOf(type: Item['type'], name: string) {
  return { type, names: [name] } as const
}

function entryOf({ servers = {} }: Data, server: string) {
  return Object.hasOwn(servers, server) ? servers[server] : undefined
}

function keyOf({ server, type, name }: Item): string {
  return JSON.stringify([server, type, name])
}
