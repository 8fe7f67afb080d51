import { expect, test } from 'vitest'
import { batches, kuadrant, strict } from '../mcp/requests.ts'
import { harmlessCases, type SmugglingCase, smugglingCases, smugglingData } from '../mcp/smuggling-cases.ts'
import { type HeaderLines, type HttpAnswer, mcpHeaders, reasonIn, send } from './http-client.ts'
import { type Place, real, usePlace } from './place.ts'

const listeners = { documented: () => undefined }
const places = new Map(
  [strict, batches, kuadrant].map((options) => {
    const { profile, maxBodyBytes } = options
    const place = usePlace(listeners, { profile, maxBodyBytes, batches: options.batches, data: smugglingData })
    return [options, place] as const
  }),
)

function placeOf(options: SmugglingCase['options'] = strict): Place {
  const place = places.get(options)
  if (place === undefined) throw new Error('the cases have other options')
  return place()
}

type Sent = Pick<SmugglingCase, 'body' | 'headers' | 'options'>

async function answerTo({ body, headers = {}, options }: Sent, chunked: boolean): Promise<HttpAnswer> {
  const { envoy, installation } = placeOf(options)
  const own = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const),
  )
  const replaced = new Set(own.map(([name]) => name))
  const usual = mcpHeaders(await installation.token({ roles: ['everything'] }))
  const lines: HeaderLines = [...usual.filter(([name]) => !replaced.has(name)), ...own]
  return await send(envoy.port('documented'), { headers: lines, body: Buffer.from(body), chunked })
}

real('a real Envoy', () => {
  const cases = smugglingCases.filter(({ framing }) => framing !== true)
  test.each(cases)('refuses $name, and the upstream is not reached', async ({ code, ...sent }) => {
    for (const chunked of [false, true]) {
      const answer = await answerTo(sent, chunked)
      expect([answer.status, reasonIn(answer)]).toEqual([code === 'body_too_large' ? 413 : 400, code])
    }
    expect(placeOf(sent.options).upstream.take()).toEqual([])
  })

  test.each(harmlessCases)('lets $name pass once, after all of it', async (sent) => {
    await answerTo(sent, false)
    expect(placeOf(sent.options).upstream.take()).toHaveLength(1)
  })
})
