import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { presets } from '../../../src/identity/claims.ts'
import { type KeycloakEvent, openEventStream, overlapMs } from '../../../src/revocation/feeds/event-stream.ts'
import { effectsOfAdminEvent } from '../../../src/revocation/feeds/keycloak-admin-events.ts'
import { openRoleDirectory } from '../../../src/revocation/feeds/keycloak-roles.ts'
import { effectsOfUserEvent } from '../../../src/revocation/feeds/keycloak-user-events.ts'
import { issuerName, issuerOptions, nowMs } from '../../identity/tokens.ts'

const pageSize = 3

/** What happens between two readings: events that are that much older than the clock, and how far the clock moves. */
const step = fc.record({
  ages: fc.array(fc.integer({ min: 0, max: overlapMs - 1 }), { maxLength: 8 }),
  waits: fc.integer({ min: 0, max: 20_000 }),
  expire: fc.boolean(),
  fails: fc.boolean(),
})

describe('a stream of events', () => {
  it('takes each one once, in whatever order they are committed and whenever reading fails', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const world = openWorld()
        for (const { ages, waits, expire, fails } of steps) {
          for (const age of ages) world.happen(age)
          world.fails = fails
          await world.read()
          world.clock += waits
          if (expire && !fails) world.expire()
        }
        world.fails = false
        await world.read()
        expect(world.taken.toSorted()).toEqual(world.happened.toSorted())
      }),
    )
  })
})

interface World {
  clock: number
  fails: boolean
  readonly happened: string[]
  readonly taken: string[]
  happen(age: number): void
  /** Forgets what is older than what is read again. */
  expire(): void
  read(): Promise<unknown>
}

function openWorld(): World {
  let kept: { readonly id: string; readonly time: number }[] = []
  const take = async ({ fields }: KeycloakEvent): Promise<void> => {
    if (world.fails && world.taken.length % 2 === 1) throw new Error('not now')
    world.taken.push(String(fields['id']))
  }
  const page = async (from: number, first: number) => {
    const found = kept.filter(({ time }) => time >= from).toSorted((one, other) => one.time - other.time)
    return { ok: true, value: found.slice(first, first + pageSize) } as const
  }
  const stream = openEventStream({ page, pageSize, since: nowMs - 60_000, take, now: () => world.clock })
  const world: World = {
    clock: nowMs,
    fails: false,
    happened: [],
    taken: [],
    happen(age) {
      const id = `event-${world.happened.length}`
      world.happened.push(id)
      // In tens, so that several share a moment.
      kept.push({ id, time: Math.floor((world.clock - age) / 10) * 10 })
    },
    expire() {
      kept = kept.filter(({ time }) => time >= world.clock - overlapMs)
    },
    read: async () => await stream.read(),
  }
  return world
}

const text = fc.oneof(
  fc.constantFrom('users/alice', 'users/alice/x', 'groups/g', 'clients/c', 'roles/r', 'sessions/s', '', 'logout-all'),
  fc.constantFrom(
    'LOGOUT',
    'REVOKE_GRANT',
    'DELETE',
    'UPDATE',
    'ACTION',
    'USER',
    'REALM',
    'CLIENT_ROLE_MAPPING',
    'GROUP',
  ),
  fc.constantFrom('[]', '[{"id":"a"}]', '{"enabled":false}', '{"notBefore":1}', '{"notBefore":"1"}', 'null', '{'),
  fc.string(),
)
const names = [
  'type',
  'userId',
  'sessionId',
  'details',
  'operationType',
  'resourceType',
  'resourcePath',
  'representation',
]
const fields = fc.dictionary(fc.constantFrom(...names), fc.oneof(text, fc.jsonValue()))
const issuer = issuerOptions([], { claims: presets.keycloak })
const admin = { get: async () => ({ ok: false, status: 404, detail: 'absent' }) as const }

describe('what an event takes away', () => {
  it('is told for whatever there is, and names this issuer alone', async () => {
    await fc.assert(
      fc.asyncProperty(fields, async (said) => {
        const event = { digest: 'd', time: nowMs, fields: said }
        const context = { issuer, admin, roles: openRoleDirectory(admin, issuer) }
        const effects = [...effectsOfUserEvent(event, issuer), ...(await effectsOfAdminEvent(event, context))]
        for (const { target, before = 0 } of effects) {
          const named = 'of' in target ? target.of : target.from
          expect('issuer' in named && named.issuer).toBe(issuerName)
          expect(Number.isFinite(before)).toBe(true)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('is never nothing where something of a person is deleted', async () => {
    const kinds = fc.constantFrom('USER', 'GROUP_MEMBERSHIP', 'CLIENT_ROLE_MAPPING', 'REALM_ROLE_MAPPING')
    await fc.assert(
      fc.asyncProperty(kinds, fields, async (resourceType, said) => {
        const path = { operationType: 'DELETE', resourceType, resourcePath: 'users/alice/x' }
        const event = { digest: 'd', time: nowMs, fields: { ...said, ...path } }
        const context = { issuer, admin, roles: openRoleDirectory(admin, issuer) }
        const of = { kind: 'subject', subject: 'alice', issuer: issuerName }
        expect(await effectsOfAdminEvent(event, context)).toEqual([{ target: { of }, before: nowMs / 1000 }])
      }),
    )
  })
})
