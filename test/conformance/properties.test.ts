import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Data } from '../../src/policy/data.gen.ts'
import { type RandomAttempt, randomAttempt, randomData } from './arbitraries.ts'
import type { Case } from './cases.ts'
import { type Doors, openDoors } from './doors.ts'
import { decideByOpa, opa } from './opa.ts'

if (opa === undefined)
  process.stderr.write('left out: the properties are not held against OPA, which is not installed\n')

const attemptsPerData = 100
const runs = { numRuns: 100 }

/** A random attempt as a line of the table; what is wanted is that the doors agree. */
function lineOf({ claims, method, params, server, virtualServer }: RandomAttempt): Case {
  const where = {
    ...(server === undefined ? {} : { server }),
    ...(virtualServer === undefined ? {} : { virtualServer }),
  }
  return { name: 'random', claims, attempt: { method, params, ...where }, want: 'allow' }
}

function codeIn(answer: string): string {
  return answer.split(' ')[0] ?? ''
}

describe.for(['strict', 'kuadrant'] as const)('profile %s, 10,000 attempts', (profile) => {
  let doors: Doors
  beforeAll(async () => {
    doors = await openDoors({ file: 'random', profile, data: {}, cases: [] })
  }, 30_000)
  afterAll(async () => await doors.close(), 30_000)

  it('every door gives the answer of the engine, and so does the interpreter of OPA', {
    timeout: 240_000,
  }, async () => {
    let allowed = 0
    let refusedMore = 0
    const attempts = fc.array(randomAttempt, { minLength: attemptsPerData, maxLength: attemptsPerData })
    const property = fc.asyncProperty(randomData, attempts, async (data: Data, tried) => {
      await doors.replaceData(data)
      const lines = tried.map(lineOf)
      const answers = await Promise.all(lines.map((line) => doors.ask.engine(line)))
      allowed += answers.filter((answer) => codeIn(answer) === 'allow').length
      for (const [i, line] of lines.entries())
        await expectAgreement(doors, line, answers[i] ?? '', { profile, cli: i === 0 })
      // What no claim says, the doors cannot be sent; the table of cut-down credentials goes through them.
      const cutDown = tried.map((attempt) => ({ ...lineOf(attempt), cutDown: attempt.cutDown }))
      const less = await Promise.all(cutDown.map((line) => doors.ask.engine(line)))
      refusedMore += less.filter((answer, i) => answer !== answers[i]).length
      expect(less.filter((answer, i) => codeIn(answer) === 'allow' && codeIn(answers[i] ?? '') !== 'allow')).toEqual([])
      if (opa === undefined) return
      const verdicts = decideByOpa(data, await Promise.all([...lines, ...cutDown].map((line) => doors.input(line))))
      expect(verdicts.map((verdict) => (verdict.allow ? 'allow' : verdict.reasons[0]?.code))).toEqual(
        [...answers, ...less].map(codeIn),
      )
    })
    await fc.assert(property, runs)
    // Names that never met would prove nothing.
    expect(allowed).toBeGreaterThan(500)
    expect(refusedMore).toBeGreaterThan(100)
  })
})

async function expectAgreement(
  doors: Doors,
  line: Case,
  answer: string,
  { profile, cli }: { readonly profile: string; readonly cli: boolean },
): Promise<void> {
  expect(await doors.ask.grpc(line), 'grpc').toBe(codeIn(answer))
  expect(codeIn(await doors.ask.http(line)), 'http').toBe(codeIn(answer))
  // A broker of profile kuadrant shows URIs with prefixes: there a URI means another thing.
  if (profile === 'strict' || 'name' in (line.attempt.params ?? {})) {
    expect(await doors.ask.guard(line), 'guard').toBe(codeIn(answer))
  }
  if (cli) expect(codeIn(await doors.ask.cli(line)), 'cli').toBe(codeIn(answer))
}
