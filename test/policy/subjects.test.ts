import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Data } from '../../src/policy/data.gen.ts'
import { asker, catalogue, type Limits } from './catalogues.ts'
import { type Asker, engineOf, type Item, itemsOf } from './questions.ts'

const runs = { numRuns: 400 }
const askers = fc.array(asker, { minLength: 10, maxLength: 10 })

it('gives a subject the roles of its groups, less those withdrawn', { timeout: 60_000 }, () => {
  let mapped = 0
  fc.assert(
    fc.property(catalogue, askers, (data, all) => {
      const engine = engineOf(data)
      for (const who of all) {
        const { groups, withdrawnRoles, ...subject } = who.subject
        const roles = rolesInForce(data, who)
        if (roles.some((role) => !subject.roles.includes(role))) mapped += 1
        expect(itemsOf(engine, who)).toEqual(itemsOf(engine, { ...who, subject: { ...subject, roles } }))
      }
    }),
    runs,
  )
  expect(mapped, 'groups give roles').toBeGreaterThan(100)
})

it('takes away by limits and scopes exactly what they do not admit', { timeout: 60_000 }, () => {
  const taken = { byLimits: 0, byScopes: 0 }
  fc.assert(
    fc.property(catalogue, askers, (data, all) => {
      const engine = engineOf(data)
      for (const who of all) {
        const { limits, scopes, ...subject } = who.subject
        const whole = itemsOf(engine, { ...who, subject })
        const within = whole?.filter((item) => isWithin(data, limits, item))
        const left = within?.filter((item) => hasScope(data, scopes, item))
        expect(itemsOf(engine, who)).toEqual(left)
        taken.byLimits += (whole?.length ?? 0) - (within?.length ?? 0)
        taken.byScopes += (within?.length ?? 0) - (left?.length ?? 0)
      }
    }),
    runs,
  )
  expect(Math.min(taken.byLimits, taken.byScopes), 'both take away').toBeGreaterThan(100)
})

function rolesInForce({ groups = {} }: Data, { subject }: Asker): readonly string[] {
  const mapped = (subject.groups ?? []).flatMap((group) => own(groups, group) ?? [])
  return [...subject.roles, ...mapped].filter((role) => subject.withdrawnRoles?.includes(role) !== true)
}

function isWithin(data: Data, { virtualServers, capabilities }: Limits = {}, item: Item): boolean {
  const held = virtualServers?.some((id) =>
    own(data.virtual_servers, id)?.[`${item.type}s`]?.includes(seen(data, item)),
  )
  if (held === false) return false
  if (capabilities === undefined) return true
  const isKnown = own(data.servers, item.server) !== undefined
  const keys = isKnown ? [item.server, '*'] : [item.server].filter((server) => server !== '*')
  return keys
    .flatMap((key) => own(capabilities, key) ?? [])
    .some((pattern) => isNamed(pattern, item) || (isListed(data, item) && isBegun(pattern, item)))
}

function hasScope({ scopes = {} }: Data, held: readonly string[] | undefined, item: Item): boolean {
  const covering = Object.entries(scopes)
    .filter(([, servers]) =>
      [item.server, '*']
        .flatMap((key) => own(servers, key) ?? [])
        .some((pattern) => isNamed(pattern, item) || isBegun(pattern, item)),
    )
    .map(([scope]) => scope)
  return held === undefined || covering.length === 0 || covering.some((scope) => held.includes(scope))
}

function isNamed(pattern: string, { type, name }: Item): boolean {
  return pattern === `${type}:${name}`
}

function isBegun(pattern: string, { type, name }: Item): boolean {
  const start = `${type}:`
  return pattern.endsWith('*') && pattern.startsWith(start) && name.startsWith(pattern.slice(start.length, -1))
}

function isListed({ servers }: Data, { server, type, name }: Item): boolean {
  return own(servers, server)?.[`${type}s`]?.includes(name) === true
}

/** The client-visible name; that of an item on a server that is not listed is in no virtual server. */
function seen({ servers }: Data, { server, type, name }: Item): string {
  const entry = own(servers, server)
  if (entry === undefined) return '(none)'
  return type === 'tool' || type === 'prompt' ? `${entry.prefix ?? ''}${name}` : name
}

function own<T>(object: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined
}
