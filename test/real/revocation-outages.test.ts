import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { eventually } from './envoy-process.ts'
import { printFigures } from './figures.ts'
import type { Installation } from './installation.ts'
import { withRedis } from './redis-replicas.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import {
  command,
  firstBut,
  firstDenial,
  installed,
  type ServiceReplica,
  startReplica,
  untilCertain,
} from './service-replicas.ts'

const patient = { timeout: 120_000 }

interface Opened {
  readonly installation: Installation
  readonly redis: RedisServer
  readonly a: ServiceReplica
  readonly b: ServiceReplica
}

/** Two processes that share a Redis, each with a state file of its own. */
async function open(revocations: object): Promise<Opened> {
  const installation = await installed()
  const redis = await startRedis()
  const sections = { state: { redis: { url: redis.url } }, revocations }
  const [a, b] = await Promise.all([
    startReplica(installation, 'a', sections),
    startReplica(installation, 'b', sections),
  ])
  return { installation, redis, a, b }
}

/** Within the bound it goes on, after it everybody is told that it does not. */
async function untilItCannotKnow(replica: ServiceReplica, good: string, cut: number): Promise<void> {
  const denied = await firstDenial(async () => await replica.ask(good))
  expect(denied.code).toBe('revocations_unknown')
  expect(denied.at - cut).toBeGreaterThan(1500)
  expect(await replica.readiness()).toBe(503)
  const first = await replica.uncertainSeconds()
  expect(first).toBeGreaterThan(1.5)
  await sleep(100)
  expect(await replica.uncertainSeconds()).toBeGreaterThan(first)
}

async function untilAllDenied(replica: ServiceReplica, tokens: readonly string[]): Promise<void> {
  for (const token of tokens) {
    await eventually(async () => ((await replica.ask(token)) === 'token_revoked' ? true : undefined), 'it is denied')
  }
}

/** Asks all of them with all the tokens again and again for a second. */
async function answersOver(tokens: readonly string[], ...replicas: readonly ServiceReplica[]): Promise<Set<string>> {
  const seen = new Set<string>()
  const end = performance.now() + 1000
  while (performance.now() < end) {
    const answers = await Promise.all(replicas.flatMap((replica) => tokens.map((token) => replica.ask(token))))
    for (const answer of answers) seen.add(answer)
    await sleep(10)
  }
  return seen
}

withRedis('a Redis that is killed and comes back empty', () => {
  it('loses no revocation: what was revoked before and meanwhile is denied everywhere again', patient, async () => {
    const { installation, redis, a, b } = await open({ maxUnknownSeconds: 2 })
    const token = async (subject: string): Promise<string> => await installation.token({ subject })
    const [before, atA, atB, good] = [
      await token('before'),
      await token('at-a'),
      await token('at-b'),
      await token('good'),
    ]
    await a.revoke({ subject: 'before' })
    await firstDenial(async () => await b.ask(before))

    await redis.kill()
    const cut = performance.now()
    const ran = await command(a.configFile, 'revoke', '--subject', 'at-a')
    expect([ran.code, ran.err]).toEqual([0, expect.stringContaining('other replicas do not know of it yet')])
    expect(await b.revoke({ subject: 'at-b' })).toBe(false)
    expect((await firstDenial(async () => await a.ask(atA))).code).toBe('token_revoked')
    expect((await firstDenial(async () => await b.ask(atB))).code).toBe('token_revoked')
    for (const replica of [a, b]) await untilItCannotKnow(replica, good, cut)

    await redis.start()
    const back = performance.now()
    await untilCertain(a, b)
    const certain = performance.now()
    const revoked = [before, atA, atB]
    for (const replica of [a, b]) await untilAllDenied(replica, revoked)
    const times = { certain: certain - back, denied: performance.now() - back }
    printFigures('Redis started anew, empty: from then on', [
      ['both are certain and ready', [times.certain]],
      ['both deny everything that is revoked', [times.denied]],
    ])
    expect(await answersOver(revoked, a, b)).toEqual(new Set(['token_revoked']))
    expect(await answersOver([good], a, b)).toEqual(new Set(['allow']))
  })

  it('is borne where that was chosen: what is known is denied, and the rest goes on', patient, async () => {
    const { installation, redis, a, b } = await open({ maxUnknownSeconds: 0.5, whenUnknown: 'allow' })
    const [revoked, good] = [await installation.token({ subject: 'known' }), await installation.token()]
    await a.revoke({ subject: 'known' })
    await firstDenial(async () => await b.ask(revoked))
    await redis.kill()
    await eventually(
      async () => ((await b.uncertainSeconds()) > 1 ? true : undefined),
      'it is uncertain beyond the bound',
    )
    expect([await b.ask(revoked), await b.ask(good), await b.readiness()]).toEqual(['token_revoked', 'allow', 200])
  })
})

withRedis('a Redis that is back', () => {
  it('is believed only when the others had the time to tell what they alone know', patient, async () => {
    const { installation, redis, a, b } = await open({ maxUnknownSeconds: 0 })
    for (let n = 0; n < 5; n += 1) {
      const token = await installation.token({ subject: `meanwhile-${n}` })
      await redis.kill()
      expect((await firstDenial(async () => await b.ask(token))).code).toBe('revocations_unknown')
      expect((await command(a.configFile, 'revoke', '--subject', `meanwhile-${n}`)).code).toBe(0)
      await redis.start()
      const known = await firstBut('revocations_unknown', async () => await b.ask(token))
      expect(known.code).toBe('token_revoked')
    }
  })
})

withRedis('a Redis that is held as it is', () => {
  it('holds nobody: each replica answers as before, and revokes', patient, async () => {
    const { installation, redis, a, b } = await open({ maxUnknownSeconds: 60 })
    const token = await installation.token()
    const measured = async (replica: ServiceReplica): Promise<readonly number[]> => {
      const taken: number[] = []
      const end = performance.now() + 2000
      while (performance.now() < end) {
        const from = performance.now()
        expect(await replica.ask(token)).toBe('allow')
        taken.push(performance.now() - from)
      }
      return taken
    }
    const both = async () => await Promise.all([measured(a), measured(b)])
    await both()
    const [beforeA, beforeB] = await both()
    redis.freeze()
    const [frozenA, frozenB] = await both()
    const revoked = await installation.token({ subject: 'revoked' })
    const from = performance.now()
    expect(await a.revoke({ subject: 'revoked' })).toBe(false)
    const answered = performance.now() - from
    expect(await a.ask(revoked)).toBe('token_revoked')
    redis.thaw()
    expect((await firstDenial(async () => await b.ask(revoked))).code).toBe('token_revoked')
    printFigures('a check, two replicas asked at once', [
      ['A, Redis runs', beforeA],
      ['B, Redis runs', beforeB],
      ['A, Redis is stopped', frozenA],
      ['B, Redis is stopped', frozenB],
      ['revoking at A, Redis is stopped', [answered]],
    ])
    expect(Math.max(...frozenA, ...frozenB)).toBeLessThan(1000)
    expect(answered).toBeLessThan(3000)
    await untilCertain(a, b)
  })
})

withRedis('a process that is killed right after it answered 201', () => {
  it('is obeyed by the other one, and by itself when it is back', patient, async () => {
    const { installation, a, b } = await open({})
    const tokens: string[] = []
    for (let n = 0; n < 3; n += 1) {
      const token = await installation.token({ subject: `killed-${n}` })
      tokens.push(token)
      expect([await a.ask(token), await b.ask(token)]).toEqual(['allow', 'allow'])
      await a.revoke({ subject: `killed-${n}` })
      await a.kill()
      expect((await firstDenial(async () => await b.ask(token))).code).toBe('token_revoked')
      await a.restart()
      expect(await a.ask(token)).toBe('token_revoked')
    }
    expect(await answersOver(tokens, a, b)).toEqual(new Set(['token_revoked']))
  })

  it('while Redis was gone, gives it to the other one when both are back', patient, async () => {
    const { installation, redis, a, b } = await open({ maxUnknownSeconds: 60 })
    const token = await installation.token({ subject: 'alone' })
    await redis.kill()
    expect(await a.revoke({ subject: 'alone' })).toBe(false)
    await a.kill()
    expect(await b.ask(token)).toBe('allow')
    await redis.start()
    await a.restart()
    expect(await a.ask(token)).toBe('token_revoked')
    expect((await firstDenial(async () => await b.ask(token))).code).toBe('token_revoked')
  })
})

it('a process without a Redis that is killed right after it answered 201 denies when it is back', patient, async () => {
  const installation = await installed()
  const a = await startReplica(installation, 'a')
  const tokens: string[] = []
  for (let n = 0; n < 3; n += 1) {
    tokens.push(await installation.token({ subject: `killed-${n}` }))
    await a.revoke({ subject: `killed-${n}` })
    await a.kill()
    await a.restart()
    expect(await Promise.all(tokens.map((token) => a.ask(token)))).toEqual(tokens.map(() => 'token_revoked'))
  }
  expect(await a.ask(await installation.token({ subject: 'good' }))).toBe('allow')
})
