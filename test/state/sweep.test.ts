import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it, vi } from 'vitest'
import { entry, inSeconds, open, stateFile } from './states.ts'

afterEach(() => void vi.useRealTimers())

it('deletes what is over, entries only after a grace for clocks that differ', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  const file = await stateFile()
  const { ledger, tally, bindings } = await open({ file })
  await ledger.add(entry('for good'))
  await ledger.add(entry('short', { until: inSeconds(10) }))
  await tally.count('k', 1, inSeconds(10))
  await tally.once('u', inSeconds(10))
  await bindings.bind('b', 'alice', inSeconds(10))
  vi.advanceTimersByTime(120_000)
  expect(contentsOf(file)).toEqual({ ledger: ['for good', 'short'], counters: 0, singleUses: 0, bindings: 0 })
  vi.advanceTimersByTime(300_000)
  expect(contentsOf(file)).toEqual({ ledger: ['for good'], counters: 0, singleUses: 0, bindings: 0 })
})

function contentsOf(file: string): unknown {
  const database = new DatabaseSync(file, { readOnly: true })
  const rows = (sql: string) => database.prepare(sql).all()
  const contents = {
    ledger: rows('SELECT id FROM ledger ORDER BY seq').map(({ id }) => id),
    counters: rows('SELECT key FROM counters').length,
    bindings: rows('SELECT key FROM bindings').length,
    singleUses: rows('SELECT key FROM single_uses').length,
  }
  database.close()
  return contents
}
