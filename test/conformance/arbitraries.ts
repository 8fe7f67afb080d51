import fc from 'fast-check'
import type { Data } from '../../src/policy/data.gen.ts'
import type { CutDown } from './cases.ts'

/** A question and who asks it, in names that often meet. */
export interface RandomAttempt {
  readonly claims: Readonly<Record<string, unknown>>
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
  readonly server: string | undefined
  readonly virtualServer: string | undefined
  readonly cutDown: CutDown
}

const serverIds = ['s', 't', '__proto__', '*', 'ns/u']
const names = ['a', 'b', 't_a', 's_a', 'a*', 'x:y', 'é']
const uris = ['r://1', 'r://2', 'r://t/x', 'r://t/..', 'r://t/a%2Fb', 'r://s/é']
const templates = ['r://t/{x}', 'r://{+y}', 'r://1', 'r://{a}/{a}']
const virtualServerIds = ['v', 'w', '__proto__']
const roleNames = ['one', 'two', '__proto__']
const groupNames = ['one', 'staff', '__proto__']
const scopeNames = ['mcp:a', 'mcp:b', '__proto__']
const prefixes = ['', '', 's_', 't_', 's_t_']

const some = <T>(values: readonly T[], maxLength = 3): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength })
const item = (values: readonly string[]) =>
  some(values).map((list) => list.map((name, i) => (i % 3 === 2 ? { name, tags: ['t'] } : name)))

const server = fc.record(
  {
    prefix: fc.constantFrom(...prefixes),
    state: fc.constantFrom('Enabled' as const, 'Enabled' as const, 'Disabled' as const),
    tools: item(names),
    prompts: item(names),
    resources: item(uris),
    templates: item(templates),
  },
  { requiredKeys: [] },
)

const pattern = fc
  .tuple(
    fc.constantFrom('tool', 'prompt', 'resource', 'template'),
    fc.constantFrom('*', 'a', 'a*', 's_*', ...uris, ...templates),
  )
  .map(([type, name]) => `${type}:${name}`)

const grant = fc.oneof(
  pattern,
  fc
    .tuple(fc.constantFrom('tool:', 'prompt:', 'resource:', 'template:', ''), fc.constantFrom(...names, ...uris, ''))
    .map((parts) => parts.join('')),
)

const visible = [...names, ...names.map((name) => `s_${name}`), ...names.map((name) => `t_${name}`), 's_t_a', 's_', '']

const byId = <T>(ids: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...ids), value), { selector: ([id]) => id, maxLength: 4 })
    .map((entries) => Object.fromEntries(entries))

/** Data that passes the checks: no two servers share a prefix. */
export const randomData: fc.Arbitrary<Data> = fc.record(
  {
    servers: byId(serverIds, server).map(withOwnPrefixes),
    virtual_servers: byId(
      virtualServerIds,
      fc.record(
        {
          tools: some(visible.slice(0, -1), 6),
          prompts: some(visible.slice(0, -1), 6),
          resources: some(uris),
          templates: some(templates),
        },
        { requiredKeys: [] },
      ),
    ),
    roles: byId(roleNames, byId(serverIds, fc.array(pattern, { maxLength: 3 }))),
    groups: byId(groupNames, some([...roleNames, 'none'])),
    scopes: byId(scopeNames, byId(serverIds, fc.array(pattern, { maxLength: 2 }))),
    settings: fc.record(
      { catalogue: fc.constantFrom('open' as const, 'closed' as const), unprefixed_roles: fc.boolean() },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Data>

const params = fc.oneof(
  fc.constantFrom(...visible).map((name) => ({ method: 'tools/call', params: { name } })),
  fc.constantFrom(...visible).map((name) => ({ method: 'prompts/get', params: { name } })),
  fc
    .tuple(
      fc.constantFrom('resources/read', 'resources/subscribe'),
      fc.constantFrom(...uris, 'r://t/{x}', 'r://z', 'r://q/q'),
    )
    .map(([method, uri]) => ({ method, params: { uri } })),
  fc
    .constantFrom(...uris, ...templates)
    .map((uri) => ({ method: 'completion/complete', params: { ref: { type: 'ref/resource', uri } } })),
  fc.constantFrom('ping', 'tools/list', 'tasks/get', 'nothing').map((method) => ({ method, params: {} })),
)

const limits = fc.record(
  {
    virtualServers: some([...virtualServerIds, 'nobody']),
    capabilities: byId(serverIds, fc.array(pattern, { maxLength: 3 })),
  },
  { requiredKeys: [] },
)

const cutDown = fc.record({ withdrawnRoles: some([...roleNames, 'none']), limits }, { requiredKeys: [] })

// More often all of them than some, so that what else decides is seen too.
const scope = fc.oneof(
  fc.constant(scopeNames.join(' ')),
  some([...scopeNames, 'openid']).map((names) => names.join(' ')),
  some(scopeNames),
)

/** Somebody tries something. */
export const randomAttempt: fc.Arbitrary<RandomAttempt> = fc
  .record({
    roles: some([...roleNames, 'none']),
    groups: some([...groupNames, 'none']),
    scope: fc.option(scope, { nil: undefined, freq: 4 }),
    cutDown,
    grants: byId(serverIds, fc.array(grant, { maxLength: 3 })),
    asked: params,
    server: fc.option(fc.constantFrom(...serverIds, 'ghost'), { nil: undefined, freq: 2 }),
    virtualServer: fc.option(fc.constantFrom(...virtualServerIds, 'nobody'), { nil: undefined, freq: 2 }),
  })
  .map(({ roles, groups, scope: held, grants, asked, ...rest }) => ({
    ...asked,
    ...rest,
    claims: {
      sub: 'u',
      groups,
      ...(held === undefined ? {} : { scope: held }),
      realm_access: { roles },
      resource_access: Object.fromEntries(Object.entries(grants).map(([id, values]) => [id, { roles: values }])),
    },
  }))

function withOwnPrefixes(servers: Record<string, { prefix?: string }>): Record<string, object> {
  const seen = new Set<string>()
  return Object.fromEntries(
    Object.entries(servers).map(([id, { prefix, ...rest }]) => {
      if (prefix === undefined || seen.has(prefix)) return [id, rest]
      if (prefix !== '') seen.add(prefix)
      return [id, { prefix, ...rest }]
    }),
  )
}
