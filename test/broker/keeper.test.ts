import { expect, it } from 'vitest'
import { createBell } from '../../src/broker/bell.ts'
import { keep } from '../../src/broker/keeper.ts'
import { wordingOf } from '../../src/broker/wording.ts'
import { httpAt } from './place.ts'

/** The waits between the attempts to reach a server that is never there, where chance is always the same. */
async function waits(random: number, count: number): Promise<number[]> {
  const ending = new AbortController()
  const found: number[] = []
  await keep(
    {
      open: () => Promise.reject(new Error('nobody is there')),
      health: { everySeconds: 30, timeoutSeconds: 5, maxBackoffSeconds: 60 },
      bell: createBell(0),
      wording: wordingOf(httpAt('https://weather.internal/mcp')),
      now: () => 0,
      random: () => random,
      onPresence: () => undefined,
      onState: ({ nextAttemptAt }) => {
        if (nextAttemptAt === undefined) return
        found.push(nextAttemptAt)
        if (found.length === count) ending.abort()
      },
      onTried: () => undefined,
      onFlaw: () => undefined,
    },
    ending.signal,
  )
  return found
}

it('waits for twice as long each time, up to a limit, and for any part of that', async () => {
  expect(await waits(0.002, 10)).toEqual([1, 2, 4, 8, 16, 32, 64, 120, 120, 120])
  expect(await waits(0, 3)).toEqual([0, 0, 0])
})
