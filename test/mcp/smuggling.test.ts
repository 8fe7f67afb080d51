import { expect, it } from 'vitest'
import { outcome, post } from './requests.ts'
import { harmlessCases, smugglingCases } from './smuggling-cases.ts'

it.each(smugglingCases)('refuses $name as $code', ({ body, headers, options, code }) => {
  expect(outcome(post(body, headers, options))).toBe(code)
})

it.each(harmlessCases)('reads $name', ({ body, headers }) => {
  expect(post(body, headers)).toMatchObject({
    ok: true,
    asks: [{ action: 'tools/call', target: { type: 'tool', name: 'forecast' } }],
  })
})
