import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { batches, kuadrant, strict } from '../mcp/requests.ts'
import { harmlessCases, type SmugglingCase, smugglingCases, smugglingData } from '../mcp/smuggling-cases.ts'
import { makePlace, type Place } from './place.ts'
import { bearer, handlerOf, result } from './requests.ts'

interface Way {
  readonly place: Place
  readonly guard: Guard
  readonly token: string
}

const ways = new Map<SmugglingCase['options'], Way>()
const faults: string[] = []

beforeAll(async () => {
  for (const options of [strict, batches, kuadrant]) {
    const { profile, maxBodyBytes } = options
    const mcp = { maxBodyBytes, batches: options.batches }
    const place = await makePlace({ data: smugglingData, profile, mcp })
    const guard = await createGuard({ config: place.config, onFault: (_, cause) => faults.push(cause) })
    ways.set(options, { place, guard, token: await place.token('alice', { roles: ['everything'] }) })
  }
})
afterAll(async () => {
  for (const { guard, place } of ways.values()) {
    await guard.close()
    await place.remove()
  }
})

type Sent = Pick<SmugglingCase, 'body' | 'headers' | 'options'>

/** What the guard answered, and how many requests reached the handler behind it. */
async function send({ body, headers = {}, options = strict }: Sent): Promise<readonly [Response, number]> {
  const way = ways.get(options)
  if (way === undefined) throw new Error('the cases have other options')
  const handler = handlerOf(() => result({ content: [] }))
  const sent = new Headers({ 'content-type': 'application/json', ...bearer(way.token) })
  for (const [name, values] of Object.entries(headers)) {
    sent.delete(name)
    for (const value of [values].flat()) sent.append(name, value)
  }
  const request = new Request('http://mcp.test/mcp', {
    method: 'POST',
    headers: sent,
    body: typeof body === 'string' ? body : Buffer.from(body),
  })
  return [await way.guard.fetch(handler.fetch)(request), handler.reached.length]
}

describe('the guard', () => {
  it.each(smugglingCases)(
    'refuses $name, and its handler is not reached',
    async ({ code, boundCode = code, ...sent }) => {
      const [response, reached] = await send(sent)
      const { error } = (await response.json()) as { error: string | { data: { reason: string } } }
      expect([typeof error === 'string' ? error : error.data.reason, reached]).toEqual([boundCode, 0])
      expect(response.status).toBe({ body_too_large: 413, item_unknown: 403 }[boundCode] ?? 400)
    },
  )

  it.each(harmlessCases)('lets $name pass once, after all of it', async (sent) => {
    const [response, reached] = await send(sent)
    expect([response.status, reached, faults]).toEqual([200, 1, []])
  })
})
