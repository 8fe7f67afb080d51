import { readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entriesOf, entry, inSeconds, open, stateFile, until } from './states.ts'

describe('the ledger of a state file', () => {
  it('tells every listener an entry before its addition resolves, and a later listener at once', async () => {
    const state = await open({ file: await stateFile() })
    expect(await state.ledger.add(entry('a', { until: 4_000_000_000.5 }))).toEqual({ shared: true })
    expect(state.told).toEqual(['a'])
    expect(entriesOf(state)).toEqual([entry('a', { until: 4_000_000_000.5 })])
    expect(state.ledger.uncertainForMs()).toBe(0)
  })

  it('takes an entry whose id is there already for the same one', async () => {
    const state = await open({ file: await stateFile() })
    await state.ledger.add(entry('a'))
    await state.ledger.add(entry('a', { body: { other: true } }))
    expect(state.told).toEqual(['a'])
    expect(entriesOf(state)).toEqual([entry('a')])
  })

  it('tells nobody who has stopped to listen', async () => {
    const state = await open({ file: await stateFile() })
    const told: string[] = []
    const stop = state.ledger.follow((entries) => told.push(...entries.map(({ id }) => id)))
    await state.ledger.add(entry('a'))
    stop()
    await state.ledger.add(entry('b'))
    expect(told).toEqual(['a'])
  })

  it('is for its owner alone, and survives a restart', async () => {
    const file = await stateFile()
    const first = await open({ file })
    await first.ledger.add(entry('a'))
    const modes = await Promise.all(
      (await readdir(dirname(file))).map(async (name) => (await stat(`${dirname(file)}/${name}`)).mode & 0o777),
    )
    expect(new Set(modes)).toEqual(new Set([0o600]))
    expect((await stat(dirname(file))).mode & 0o777).toBe(0o700)
    await first.close()
    expect(entriesOf(await open({ file }))).toEqual([entry('a')])
  })

  it.each([
    ['no id', { ...entry('a'), id: '' }],
    ['a long id', entry('a'.repeat(257))],
    ['an end that is none', entry('a', { until: Number.NaN })],
    ['more than 16 KiB', entry('a', { body: { text: 'x'.repeat(17_000) } })],
  ])('refuses an entry with %s, and tells nobody', async (_, unfit) => {
    const state = await open({ file: await stateFile() })
    await expect(state.ledger.add(unfit)).rejects.toThrow(/^an entry cannot be kept: /)
    expect(state.told).toEqual([])
    expect(entriesOf(state)).toEqual([])
  })
})

describe('certainty', () => {
  it('tells a listener that failed again, and is uncertain until that went well', async () => {
    const state = await open({ file: await stateFile() })
    let broken = true
    const told: string[] = []
    state.ledger.follow((entries) => {
      if (broken) throw new Error('out of order')
      told.push(...entries.map(({ id }) => id))
    })
    await expect(state.ledger.add(entry('a'))).rejects.toThrow('out of order')
    await until(() => state.ledger.uncertainForMs() > 300, 'it is uncertain')
    expect(state.faults).toEqual([expect.stringMatching(/^the state file `.*` cannot be read: out of order$/)])
    broken = false
    await until(() => state.ledger.uncertainForMs() === 0, 'it is certain again')
    expect(told).toEqual(['a'])
    expect(state.told).toEqual(['a'])
    expect(state.warnings).toEqual([expect.stringMatching(/can be read again$/)])
  })

  it('is not uncertain after a turn of the event loop that was long', async () => {
    const state = await open({ file: await stateFile() })
    const end = performance.now() + 600
    while (performance.now() < end);
    expect(state.ledger.uncertainForMs()).toBe(0)
  })
})

describe('two states of one file', () => {
  it('have the same entries whoever adds what in which order', async () => {
    const ids = fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), first: fc.boolean() }), {
      maxLength: 20,
    })
    const check = fc.asyncProperty(ids, async (additions) => {
      const file = await stateFile()
      const [one, other] = [await open({ file }), await open({ file })]
      await Promise.all(additions.map(async ({ id, first }) => await (first ? one : other).ledger.add(entry(id))))
      const expected = [...new Set(additions.map(({ id }) => id))].sort()
      await until(() => [one, other].every(({ told }) => told.length === expected.length), 'both were told')
      for (const state of [one, other]) {
        expect(state.told.toSorted()).toEqual(expected)
        expect(entriesOf(state).map(({ id }) => id)).toEqual(expected)
        await state.close()
      }
    })
    await fc.assert(check, { numRuns: 25 })
  })
})

describe('the tally of a state file', () => {
  it('counts from the start once the time is over, and nothing for a time that is over', async () => {
    const { tally } = await open({ file: await stateFile() })
    const end = inSeconds(0.3)
    expect(await tally.count('k', 1, end)).toBe(1)
    expect(await tally.count('k', 1, inSeconds(60))).toBe(false)
    expect(await tally.once('u', end)).toBe(true)
    expect(await tally.once('u', inSeconds(60))).toBe(false)
    await sleep(350)
    expect(await tally.counts(['k'])).toEqual([0])
    expect(await tally.count('k', 1, end)).toBe(false)
    expect(await tally.once('u', end)).toBe(false)
    expect(await tally.count('k', 1, inSeconds(60))).toBe(1)
    expect(await tally.once('u', inSeconds(60))).toBe(true)
    expect(await tally.count('none', 0, inSeconds(60))).toBe(false)
  })

  it('takes what happened already, on top of what it has counted', async () => {
    const file = await stateFile()
    const [one, other] = [await open({ file }), await open({ file })]
    const end = inSeconds(60)
    await one.tally.count('k', 9, end)
    await one.tally.record([
      { key: 'k', until: end, add: 500 },
      { key: 'last', until: end, atLeast: 1_800_000_000 },
      { key: 'over', until: inSeconds(-1), add: 3 },
    ])
    await other.tally.record([
      { key: 'k', until: end, add: 7 },
      { key: 'last', until: end, atLeast: 1_700_000_000 },
      { key: 'short', until: inSeconds(0.2), add: 3 },
    ])
    await other.tally.record([])
    expect(await one.tally.counts(['k', 'last', 'over', 'short'])).toEqual([508, 1_800_000_000, 0, 3])
    expect(await other.tally.count('k', 508, end)).toBe(false)
    await sleep(250)
    await one.tally.record([{ key: 'short', until: end, add: 2 }])
    expect(await other.tally.counts(['short'])).toEqual([2])
  })
})

describe('the bindings of a state file', () => {
  it('belong to the first until they end, through every process', async () => {
    const file = await stateFile()
    const [one, other] = [(await open({ file })).bindings, (await open({ file })).bindings]
    const end = inSeconds(0.3)
    expect(await one.bind('k', 'alice', end)).toBe('alice')
    expect(await other.bind('k', 'bob', inSeconds(60))).toBe('alice')
    expect(await other.bound(['none', 'k', '__proto__'])).toEqual([undefined, 'alice', undefined])
    await sleep(350)
    expect(await one.bound(['k'])).toEqual([undefined])
    expect(await other.bind('k', 'bob', inSeconds(60))).toBe('bob')
    expect(await one.bound(['k'])).toEqual(['bob'])
    await expect(one.bind('over', 'alice', inSeconds(-1))).rejects.toThrow('later than now')
    expect(await one.bound(['over'])).toEqual([undefined])
  })

  it('outlive the process, also in a file of a time without them', async () => {
    const file = await stateFile()
    await (await open({ file })).close()
    const database = new DatabaseSync(file)
    database.exec('DROP TABLE bindings')
    database.close()
    const first = await open({ file })
    await first.bindings.bind('k', 'alice', inSeconds(60))
    await first.close()
    expect(await (await open({ file })).bindings.bound(['k'])).toEqual(['alice'])
  })
})
