import { expect, it } from 'vitest'
import { outcome, post } from './requests.ts'
import { smugglingCases } from './smuggling-cases.ts'

it.each(smugglingCases)('refuses $name as $code', ({ body, headers, options, code }) => {
  expect(outcome(post(body, headers, options))).toBe(code)
})
