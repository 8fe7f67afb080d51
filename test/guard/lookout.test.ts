import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CapabilitiesOutcome } from '../../src/authorizer/attempt.ts'
import { createLookout, type Lookout, type Seen, type Who } from '../../src/guard/lookout.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

const denied = { ok: false, decision: {} } as unknown as CapabilitiesOutcome

function whoever(token: string): Who {
  return { credential: { kind: 'token', token }, virtualServers: [], address: undefined }
}

/** A lookout that keeps whom it asked for, and answers as the test says. */
function lookoutWith(answer: (token: string) => Promise<CapabilitiesOutcome> = async () => denied) {
  const asked: string[] = []
  const lookout = createLookout({
    async capabilities(credential) {
      const token = credential.kind === 'token' ? credential.token : ''
      asked.push(token)
      return await answer(token)
    },
  })
  return { lookout, asked }
}

interface Watching {
  readonly seen: readonly Seen[]
  readonly end: () => void
  readonly isOver: () => boolean
}

function watch(lookout: Lookout, who: Who | undefined, everyMs = 1000): Watching {
  const seen: Seen[] = []
  let isOver = false
  const end = lookout.watch(
    {
      who: () => who,
      saw: async (outcome) => void seen.push(outcome),
      over() {
        isOver = true
      },
    },
    everyMs,
  )
  return { seen, end, isOver: () => isOver }
}

describe('a lookout', () => {
  it('has one timer for a period, and asks once for what several want to know of one credential', async () => {
    const { lookout, asked } = lookoutWith()
    const watching = ['a', 'b', 'a', 'a', 'b'].map((token) => watch(lookout, whoever(token)))
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked).toEqual(['a', 'b', 'a', 'b'])
    expect(watching.map(({ seen }) => seen.length)).toEqual([2, 2, 2, 2, 2])
  })

  it('asks nothing for whom nobody watches, and then has no timer', async () => {
    const { lookout, asked } = lookoutWith()
    const [one, other] = [watch(lookout, whoever('a')), watch(lookout, whoever('b'), 500)]
    watch(lookout, undefined, 500)
    one.end()
    one.end()
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1000)
    expect(asked).toEqual(['b', 'b'])
    expect(other.seen).toHaveLength(2)
  })

  it('lets an answer that takes long keep back none of the others', async () => {
    const { lookout } = lookoutWith(async (token) =>
      token === 'slow' ? await new Promise<CapabilitiesOutcome>(() => undefined) : denied,
    )
    const [slow, quick] = [watch(lookout, whoever('slow')), watch(lookout, whoever('quick'))]
    await vi.advanceTimersByTimeAsync(3000)
    expect([slow.seen, quick.seen]).toEqual([[], [denied, denied, denied]])
  })
})

describe('a lookout', () => {
  it('goes on where an authorizer throws, and says that nothing was seen', async () => {
    const { lookout } = lookoutWith(async () => await Promise.reject(new Error('broken')))
    const { seen } = watch(lookout, whoever('a'))
    await vi.advanceTimersByTimeAsync(2000)
    expect(seen).toEqual([undefined, undefined])
    expect(await lookout.look(whoever('a'))).toBeUndefined()
  })

  it('goes on where somebody cannot be told', async () => {
    const { lookout, asked } = lookoutWith()
    const saw = async () => await Promise.reject(new Error('gone'))
    lookout.watch({ who: () => whoever('a'), saw, over: () => undefined }, 1000)
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked).toEqual(['a', 'a'])
  })

  it('asks for many in turn with everybody else', async () => {
    const { lookout, asked } = lookoutWith()
    for (let at = 0; at < 100; at += 1) watch(lookout, whoever(`${at}`))
    vi.advanceTimersByTime(1000)
    expect(asked.length).toBeLessThan(100)
    await vi.waitFor(() => expect(asked).toHaveLength(100))
  })

  it('tells everybody once that it is over, also those that come later', async () => {
    const { lookout, asked } = lookoutWith()
    const before = watch(lookout, whoever('a'))
    lookout.close()
    const after = watch(lookout, whoever('a'))
    expect([before.isOver(), after.isOver(), vi.getTimerCount()]).toEqual([true, true, 0])
    await vi.advanceTimersByTimeAsync(5000)
    expect(asked).toEqual([])
  })
})
