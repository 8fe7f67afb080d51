import { describe, expect, it } from 'vitest'
import { createDefinitions } from '../../src/authorizer/definitions.ts'
import { definitionDigest } from '../../src/mcp/definition.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { LedgerEntry } from '../../src/state/ledger.ts'

const pin = (name: string) => ({ name, sha256: definitionDigest('tool', { name }, name) })
const servers: Data['servers'] = { s: { tools: [pin('x'), pin('y')] } }
const changedX = { s: { tool: { x: true } } }

/** Books over one ledger, as processes have them. */
function sharing() {
  const entries: LedgerEntry[] = []
  const listeners = new Set<(entries: readonly LedgerEntry[]) => void>()
  const clock = { now: Date.now() }
  const ledger = {
    async add(entry: LedgerEntry) {
      if (entries.some(({ id }) => id === entry.id)) return
      entries.push(entry)
      for (const listener of listeners) listener([entry])
    },
    follow(listener: (entries: readonly LedgerEntry[]) => void) {
      listener(entries)
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  const book = (data: Data = { servers: servers ?? {} }) =>
    createDefinitions({
      data,
      prefixedUris: false,
      ledger,
      put: () => undefined,
      onWarning: () => undefined,
      now: () => clock.now,
    })
  return { entries, listeners, clock, book }
}
const hour = Math.floor(Date.now() / 3_600_000)
const bad = (more: object = { evil: true }) => [{ name: 'x', entry: { name: 'x', ...more } }]
const good = [{ name: 'x', entry: { name: 'x' } }]

describe('other processes', () => {
  it('know what one of them saw, and so does one that starts later', () => {
    const { book, listeners } = sharing()
    const [one, other] = [book(), book()]
    one.approved({ type: 'tool', items: bad() })
    expect([one.changed(), other.changed(), book().changed()]).toEqual([changedX, changedX, changedX])
    expect(other.approved({ type: 'tool', items: good })).toEqual([])
    other.close()
    expect(listeners.size).toBe(2)
  })

  it('know it of what is pinned only later, and not of what is approved by then', () => {
    const { book } = sharing()
    book().approved({ type: 'tool', items: bad() })
    const later = book({})
    expect(later.changed()).toEqual({})
    expect(later.under({ servers: servers ?? {} }).changed).toEqual(changedX)
    const digests = ['x', 'x'].map((name, at) =>
      definitionDigest('tool', { name, ...(at === 0 ? {} : { evil: true }) }, name),
    )
    expect(later.under({ servers: { s: { tools: [{ name: 'x', sha256: digests }] } } }).changed).toEqual({})
  })

  it('take it back each for itself, where they see it listed as approved a minute later', () => {
    const { book, clock } = sharing()
    const [one, other] = [book(), book()]
    one.approved({ type: 'tool', items: bad() })
    clock.now += 3_600_000
    expect(other.approved({ type: 'tool', items: good })).toHaveLength(1)
    expect([one.count(), other.count()]).toEqual([1, 0])
    // It does not come back by itself with other data.
    expect(other.under({ servers: servers ?? {} }).changed).toEqual({})
  })

  it('are told of an item once an hour, whatever its server lists, and forget it after a day', () => {
    const { book, entries, clock } = sharing()
    const one = book()
    for (let time = 0; time < 50; time += 1) one.approved({ type: 'tool', items: bad({ time }) })
    expect(entries).toHaveLength(1)
    clock.now += 3_600_000
    one.approved({ type: 'tool', items: bad() })
    expect(entries).toHaveLength(2)
    clock.now += 25 * 3_600_000
    expect(book().changed()).toEqual({})
  })
})

it.each([
  ['of another type', { type: 'revocation' }],
  ['without an end', { until: undefined }],
  ['of no kind of item', { body: { server: 's', kind: 'task', name: 'x', digest: 'd', hour } }],
  ['without a name', { body: { server: 's', kind: 'tool', digest: 'd', hour } }],
  ['without a time', { body: { server: 's', kind: 'tool', name: 'x', digest: 'd' } }],
])('other processes make nothing of an entry %s', async (_, more) => {
  const { book, entries } = sharing()
  const body = { server: 's', kind: 'tool', name: 'x', digest: 'd', hour }
  entries.push({ id: 'e', type: 'definition', until: Date.now() / 1000 + 60, body, ...more } as LedgerEntry)
  expect(book().changed()).toEqual({})
})
