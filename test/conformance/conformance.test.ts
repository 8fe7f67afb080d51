import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Case, type Door, doors, type Table, tables } from './cases.ts'
import { type Doors, openDoors, placeOf } from './doors.ts'
import { decideByOpa, opa } from './opa.ts'

if (opa === undefined)
  process.stderr.write('left out: no case goes through the interpreter of OPA, which is not installed\n')

const all = tables()

describe.for(all)('$file', (table) => {
  let opened: Doors
  beforeAll(async () => {
    opened = await openDoors(table)
  }, 30_000)
  afterAll(async () => await opened.close(), 30_000)

  for (const door of doors.filter((name) => name !== 'opa')) {
    const cases = casesOf(table, door)
    it.for(cases)(`${door}: $name`, async (line) => {
      const answer = await opened.ask[door](line)
      expect(answer.split(' ')[0]).toBe(line.want)
      if (line.resource !== undefined && answer.includes(' ')) expect(answer).toBe(`allow ${placeOf(line.resource)}`)
    })
  }

  it.runIf(opa !== undefined)(
    'opa: its interpreter gives the very verdicts of the engine',
    { timeout: 60_000 },
    async () => {
      const cases = casesOf(table, 'opa')
      const inputs = await Promise.all(cases.map((line) => opened.input(line)))
      const verdicts = decideByOpa(table.data, inputs)
      for (const [i, line] of cases.entries()) {
        const verdict = verdicts[i]
        const code = verdict?.allow === true ? 'allow' : verdict?.reasons[0]?.code
        expect(code, line.name).toBe(line.want)
        expect(await opened.ask.engine(line), line.name).toBe(
          `${code} ${placeOf(verdict?.resource ?? { type: 'server' })}`,
        )
      }
    },
  )
})

describe('the table', () => {
  it('holds more than a hundred cases', () => {
    expect(all.flatMap(({ cases }) => cases).length).toBeGreaterThan(100)
  })
})

function casesOf({ cases }: Table, door: Door): readonly Case[] {
  // What no claim says goes through the doors as a credential of its own: credentials.test.ts.
  const isSaid = ({ cutDown }: Case): boolean => cutDown === undefined || door === 'engine' || door === 'opa'
  return cases.filter((line) => isSaid(line) && (line.via === undefined || line.via.includes(door)))
}
