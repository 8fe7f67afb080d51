import fc from 'fast-check'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Question } from '../../src/policy/input.ts'
import type { Asker, Item, ItemType } from './questions.ts'

export type Limits = NonNullable<Question['subject']['limits']>

// Names are built so that prefixes shadow one another, templates cover listed URIs, and ids are awkward.
export const prefixes = ['', '', 'a_', 'a_b_', 'b_'] as const
export const serverIds = ['one', '__proto__', 'ns/three'] as const
const strangers = ['ghost', '*', ...serverIds] as const
export const names: Readonly<Record<ItemType, readonly string[]>> = {
  tool: ['x', 'a_x', 'b_x', 'a_b_x'],
  prompt: ['x', 'b_x'],
  resource: ['r://h/1', 'r://h/2', 'ui://board'],
  template: ['r://h/{id}', 'r://{host}/1'],
}
const roleNames = ['role-0', 'role-1', 'role-2', '__proto__'] as const
const groupNames = ['group-0', 'role-0', '__proto__'] as const
const scopeNames = ['scope-0', 'scope-1', '__proto__'] as const
const types = ['tool', 'prompt', 'resource', 'template'] as const

const item = fc.constantFrom(
  ...strangers.flatMap((server) => types.flatMap((type) => names[type].map((name): Item => ({ server, type, name })))),
)

const literal = fc.constantFrom(...types.flatMap((type) => names[type].map((name) => `${type}:${name}`)))
const pattern = fc.oneof(
  literal,
  fc.constantFrom('tool:*', 'prompt:*', 'resource:*', 'template:*', 'tool:a_*', 'resource:r*'),
)
const oddGrant = fc.constantFrom('tool:*', 'tool:', 'x', 'Tool:x', 'resource:r://h/{id}', ':x', '')

function lists<T>(of: (type: ItemType) => fc.Arbitrary<T>): fc.Arbitrary<Record<string, T[]>> {
  const list = (type: ItemType) => fc.array(of(type), { maxLength: 3 })
  return fc.record(
    { tools: list('tool'), prompts: list('prompt'), resources: list('resource'), templates: list('template') },
    { requiredKeys: [] },
  )
}

const server = fc
  .tuple(
    lists((type) => fc.constantFrom(...names[type])),
    fc.constantFrom('Enabled', 'Enabled', 'Enabled', 'Disabled'),
  )
  .map(([listed, state]) => ({ ...listed, state: state as 'Enabled' | 'Disabled' }))

/** A virtual server that holds some client-visible names. */
export const virtualServer = lists((type) =>
  type === 'resource' || type === 'template'
    ? fc.constantFrom(...names[type])
    : fc.tuple(fc.constantFrom(...prefixes), fc.constantFrom(...names[type])).map((parts) => parts.join('')),
)

/** Small catalogues in which anything may shadow anything. No two servers share a prefix that is not empty. */
export const catalogue: fc.Arbitrary<Data> = fc
  .record({
    servers: fc.array(server, { minLength: 1, maxLength: serverIds.length }),
    order: fc.shuffledSubarray([...prefixes], { minLength: serverIds.length }),
    roles: fc.array(fc.dictionary(fc.constantFrom(...strangers), fc.array(pattern, { maxLength: 3 })), {
      maxLength: 2,
    }),
    groups: fc.dictionary(fc.constantFrom(...groupNames), fc.subarray([...roleNames]), { maxKeys: 2 }),
    scopes: fc.dictionary(
      fc.constantFrom(...scopeNames),
      fc.dictionary(fc.constantFrom('*', ...strangers), fc.array(pattern, { minLength: 1, maxLength: 3 })),
    ),
    virtual: fc.array(virtualServer, { maxLength: 2 }),
    settings: fc.record(
      { catalogue: fc.constantFrom('closed', 'open'), unprefixed_roles: fc.boolean() },
      { requiredKeys: [] },
    ),
  })
  .map(({ servers, order, roles, groups, scopes, virtual, settings }) => ({
    servers: Object.fromEntries(servers.map((each, i) => [serverIds[i] ?? '', { ...each, prefix: order[i] ?? '' }])),
    roles: Object.fromEntries(roles.map((role, i) => [`role-${i}`, role])),
    groups,
    scopes,
    virtual_servers: Object.fromEntries(virtual.map((each, i) => [`virtual-${i}`, each])),
    settings: settings as NonNullable<Data['settings']>,
  }))

/** What an API key may be limited to. */
export const limits: fc.Arbitrary<Limits> = fc.record(
  {
    virtualServers: fc.subarray(['virtual-0', 'virtual-1', 'nobody']),
    capabilities: fc.dictionary(fc.constantFrom(...strangers), fc.array(fc.oneof(pattern, oddGrant), { maxLength: 3 })),
  },
  { requiredKeys: [] },
)

/** Roles that may be withdrawn. */
export const withdrawnRoles = fc.subarray([...roleNames])

/** Scopes a token may have. */
export const scopes = fc.subarray([...scopeNames])

const subject = fc
  .tuple(
    fc.record({
      id: fc.constant('alice'),
      grants: fc.dictionary(
        fc.constantFrom(...strangers),
        fc.array(fc.oneof(literal, literal, oddGrant), { maxLength: 4 }),
      ),
      roles: fc.subarray([...roleNames]),
    }),
    fc.record({ groups: fc.subarray([...groupNames]), scopes, withdrawnRoles, limits }, { requiredKeys: ['groups'] }),
  )
  .map(([own, more]) => ({ ...own, ...more }))

/** Somebody with roles, groups, literal grants and what takes away, in either profile, under any number of virtual servers. */
export const asker: fc.Arbitrary<Asker> = fc.record({
  subject,
  virtualServers: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 2, arbitrary: fc.subarray(['virtual-0', 'virtual-1']) },
    { weight: 1, arbitrary: fc.constantFrom(['nobody'], [null], ['virtual-0', 'nobody']) },
  ),
  profile: fc.constantFrom('strict', 'kuadrant'),
})

/** Items to ask about, of servers that are listed and of others. */
export const items: fc.Arbitrary<readonly Item[]> = fc.uniqueArray(item, {
  minLength: 2,
  maxLength: 3,
  selector: ({ server: id, type, name }) => JSON.stringify([id, type, name]),
})
