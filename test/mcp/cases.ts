import { expect, it } from 'vitest'
import type { ReadOptions } from '../../src/mcp/reading.ts'
import { type HeaderFields, outcome, post, strict } from './requests.ts'

/** A POST, and what it comes to: `read`, or the code of the refusal. */
export type Case = readonly [body: string, headers: HeaderFields, outcome: string]

/** One test for each case. */
export function tested(cases: readonly Case[], options: ReadOptions = strict): void {
  it.each(cases)('%s with %j: %s', (body, headers, expected) => {
    expect(outcome(post(body, headers, options))).toBe(expected)
  })
}
