import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { bindTask, ownTasks, type TaskBindings } from '../../src/authorizer/tasks.ts'
import type { Subject } from '../../src/identity/subject.ts'
import { openEmbeddedState } from '../../src/state/sqlite.ts'
import { engineOf } from '../policy/questions.ts'

const engine = engineOf({
  servers: { s: { tools: ['a', 'b'] } },
  roles: { all: { s: ['tool:*'] }, first: { s: ['tool:a'] } },
})

const subjects = fc.record({
  id: fc.constantFrom('alice', 'bob', '', '__proto__'),
  role: fc.constantFrom('all', 'first', 'none'),
  issuer: fc.constantFrom('https://one', 'https://two', undefined),
  apiKey: fc.constantFrom('k1', 'k2', undefined, undefined),
})
type Who = typeof subjects extends fc.Arbitrary<infer T> ? T : never

function subjectOf({ id, role, issuer, apiKey }: Who): Subject {
  const facts = { issuer, subject: id, apiKey }
  return { id, grants: {}, roles: [role], facts, ...(apiKey === undefined ? {} : { apiKey }) }
}

/** What makes an owner, in words; undefined for nobody. */
function ownerOf({ id, issuer, apiKey }: Who): string | undefined {
  if (apiKey !== undefined) return `key ${apiKey}`
  return id === '' ? undefined : `subject ${issuer} ${id}`
}

function mayUse({ role }: Who, tool: string): boolean {
  return role === 'all' || (role === 'first' && tool === 'a')
}

const ids = ['t', 'u', '', '__proto__']
const servers = fc.constantFrom('s', undefined)
const binding = fc.record({
  who: subjects,
  id: fc.constantFrom(...ids),
  tool: fc.constantFrom('a', 'b'),
  server: servers,
})
const ttls = fc.constantFrom(undefined, 0, -1, 60_000, Number.POSITIVE_INFINITY)

it('shows a task to whoever made it first, while its tool is listed to them, and to nobody else', async () => {
  const run = async (
    made: readonly (typeof binding extends fc.Arbitrary<infer T> ? T : never)[],
    asks: Who,
    ttlMs?: number,
  ) => {
    const bindings = await emptyBindings()
    const model = new Map<string, { owner: string; tool: string }>()
    for (const { who, id, tool, server } of made) {
      const owner = ownerOf(who)
      const key = `${server} ${id}`
      const there = model.get(key)
      const fits = owner !== undefined && (there === undefined || (there.owner === owner && there.tool === tool))
      const bound = bindTask(bindings, { id, server, tool, subject: subjectOf(who), ttlMs })
      await (fits ? bound : expect(bound).rejects.toThrow(Error))
      if (fits) model.set(key, { owner, tool })
    }
    for (const server of ['s', undefined]) {
      const scope = { subject: subjectOf(asks), virtualServers: [], profile: 'strict' } as const
      const own = await ownTasks(bindings, { engine, scope, server }, ids)
      const expected = ids.filter((id) => {
        const task = model.get(`${server} ${id}`)
        return task !== undefined && task.owner === ownerOf(asks) && mayUse(asks, task.tool)
      })
      expect([...own.keys()]).toEqual(expected)
    }
  }
  await fc.assert(fc.asyncProperty(fc.array(binding, { maxLength: 12 }), subjects, ttls, run), { numRuns: 150 })
})

async function emptyBindings(): Promise<TaskBindings> {
  const told = (text: string): never => expect.fail(text)
  const state = await openEmbeddedState(':memory:', { onFault: told, onWarning: told })
  onTestFinished(state.close)
  return state.bindings
}
