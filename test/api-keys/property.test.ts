import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { ApiKeyScope, TimeWindow } from '../../src/api-keys/api-key.gen.ts'
import { readCall } from '../../src/mcp/request.ts'
import { strict } from '../envoy/authorizers.ts'
import { data, placeWith } from './place.ts'

const names = ['weather_forecast', 'weather_alerts', 'files_read', 'files_wipe', 'weather_brief', 'ghost']
const uris = ['weather://stations', 'weather://stations/7', 'weather://other']
const servers = [...Object.keys(data.servers), '*', 'ghost', '__proto__']
const patterns = [
  'tool:*',
  'tool:forecast',
  'tool:r*',
  'tool:wipe',
  'prompt:brief',
  'resource:*',
  'template:*',
  'tool:**',
]

const named = <T>(values: readonly T[]) => fc.subarray([...values])
const grants = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom(...servers),
      named(['tool:forecast', 'tool:wipe', 'prompt:brief', 'resource:weather://stations']),
    ),
    {
      selector: ([server]) => server,
    },
  )
  .map((entries) => Object.fromEntries(entries))
const capabilities = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...servers), named(patterns)), { selector: ([server]) => server })
  .map((entries) => Object.fromEntries(entries))
const days: TimeWindow['days'] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
const time = fc.constantFrom('00:00', '08:00', '16:00')
const always: TimeWindow = { zone: 'UTC', days, from: '00:00', to: '00:00' }
const window = fc.record({ zone: fc.constantFrom('UTC', 'Asia/Kathmandu'), days: named(days), from: time, to: time })
const limits = {
  virtualServers: named([...Object.keys(data.virtual_servers), 'nowhere']),
  capabilities,
  addresses: named(['192.0.2.0/24', '2001:db8::/32', '0.0.0.0/0']),
  times: fc.array(fc.oneof(window, fc.constant(always)), { maxLength: 2 }),
  usage: fc.record({ perHour: fc.nat(9), perDay: fc.nat(9), total: fc.nat(9) }, { requiredKeys: [] }),
}
/** One limit or two: with more of them hardly anything is left to look at. */
const scope: fc.Arbitrary<ApiKeyScope> = fc
  .tuple(fc.record(limits), fc.subarray(Object.keys(limits), { minLength: 1, maxLength: 2 }))
  .map(([all, some]) => Object.fromEntries(Object.entries(all).filter(([name]) => some.includes(name))))
const call = fc.oneof(
  fc.record({ method: fc.constant('tools/call'), name: fc.constantFrom(...names) }),
  fc.record({ method: fc.constant('prompts/get'), name: fc.constantFrom(...names) }),
  fc.record({ method: fc.constant('resources/read'), uri: fc.constantFrom(...uris) }),
  fc.record({ method: fc.constantFrom('initialize', 'tools/list', 'ping', 'no/such') }),
)
const roles = fc.oneof(named(['everything']), named(['everything', 'reader', 'nobody']))
const asked = fc.record({
  order: fc.record({ roles, grants, groups: named(['staff']) }),
  scope,
  calls: fc.array(call, { minLength: 1, maxLength: 6 }),
  virtualServer: fc.constantFrom(undefined, undefined, 'desk', 'empty', 'nowhere'),
  address: fc.constantFrom(undefined, '192.0.2.7', '2001:db8::1', '198.51.100.1'),
})

it('a scope only takes away: what a key with one may do, the same key without it may do too', {
  timeout: 60_000,
}, async () => {
  const place = placeWith()
  const seen = { allowed: 0, taken: 0 }
  await fc.assert(
    fc.asyncProperty(asked, async ({ order, scope, calls, virtualServer, address }) => {
      const [scoped, whole] = [await place.create({ ...order, scope }), await place.create(order)]
      const allows = async (token: string, { method, ...params }: (typeof calls)[number]) => {
        const reading = readCall({ method, params: JSON.stringify(params) }, { virtualServer }, strict)
        const { decision } = await place.authorizer.authorize({
          credential: { kind: 'token', token },
          reading,
          address,
        })
        return decision.allow
      }
      for (const each of calls) {
        const [cut, full] = [await allows(scoped.secret, each), await allows(whole.secret, each)]
        if (cut) expect(full).toBe(true)
        seen.allowed += Number(cut)
        seen.taken += Number(full && !cut)
      }
      const view = async (token: string) => {
        const outcome = await place.authorizer.capabilities({ kind: 'token', token }, [], address)
        return outcome.ok ? itemsIn(outcome.capabilities) : []
      }
      const all = await view(whole.secret)
      for (const item of await view(scoped.secret)) expect(all).toContain(item)
    }),
    { numRuns: 400 },
  )
  expect(seen.allowed).toBeGreaterThan(20)
  expect(seen.taken).toBeGreaterThan(20)
})

function itemsIn(capabilities: object): string[] {
  return Object.entries(capabilities as Record<string, Record<string, string[]>>).flatMap(([type, byServer]) =>
    Object.entries(byServer).flatMap(([server, items]) => items.map((item) => `${type} ${server} ${item}`)),
  )
}
