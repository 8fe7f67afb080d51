import fc from 'fast-check'
import type { Data } from '../../src/policy/data.gen.ts'

/** A question to a guard: what there is, and who asks. */
export interface Asked {
  readonly data: Data
  readonly grants: readonly (readonly [string, readonly string[]])[]
  readonly roles: readonly string[]
  readonly underDesk: boolean
}

const prefixes = ['', 'a_', 'b_', 'a_b_'] as const
const ownNames = ['x', 'y', 'b_x', '__proto__', 'constructor', '*', 'é'] as const
const ids = ['s1', 's2', '__proto__'] as const

/** Every name and URI that a client could see in such data, and some that lead elsewhere. */
export const names: readonly string[] = [
  ...new Set(ownNames.flatMap((name) => prefixes.map((prefix) => prefix + name))),
]
export const uris: readonly string[] = ['u://x', 'u://x/y', 'u://b/x', 'u://é', 'u://x/..']

const name = fc.constantFrom(...ownNames)
const uri = fc.constantFrom(...uris)
const template = fc.constantFrom('u://{id}', 'u://x/{id}', 'u://b/{+id}')

const server = fc.record(
  {
    prefix: fc.constantFrom(...prefixes),
    state: fc.constantFrom('Enabled', 'Enabled', 'Disabled'),
    tools: fc.uniqueArray(name, { maxLength: 4 }),
    prompts: fc.uniqueArray(name, { maxLength: 3 }),
    resources: fc.uniqueArray(uri, { maxLength: 3 }),
    templates: fc.uniqueArray(template, { maxLength: 2 }),
  },
  { requiredKeys: ['tools', 'prompts'] },
)

const data = fc
  .record({
    servers: fc.uniqueArray(fc.tuple(fc.constantFrom(...ids), server), { selector: ([id]) => id, maxLength: 3 }),
    catalogue: fc.constantFrom('closed', 'open'),
    desk: fc.subarray([...names]),
  })
  .map(({ servers, catalogue, desk }) => ({
    servers: Object.fromEntries(servers.filter(([, { prefix = '' }], at) => isFree(prefix, servers.slice(0, at)))),
    virtual_servers: { desk: { tools: desk, prompts: desk, resources: ['u://x', 'u://x/y'], templates: ['u://{id}'] } },
    roles: { all: { '*': ['tool:*', 'prompt:*', 'resource:*', 'template:*'] }, tools: { s1: ['tool:*'] } },
    settings: { catalogue },
  })) as fc.Arbitrary<Data>

/** Two servers may not share a prefix. */
function isFree(prefix: string, earlier: readonly (readonly [string, { prefix?: string }])[]): boolean {
  return prefix === '' || earlier.every(([, other]) => other.prefix !== prefix)
}

const grant = fc.oneof(
  name.map((text) => `tool:${text}`),
  name.map((text) => `prompt:${text}`),
  uri.map((text) => `resource:${text}`),
  template.map((text) => `template:${text}`),
)

export const asked: fc.Arbitrary<Asked> = fc.record({
  data,
  grants: fc.uniqueArray(fc.tuple(fc.constantFrom(...ids), fc.array(grant, { maxLength: 8 })), {
    selector: ([id]) => id,
  }),
  roles: fc.subarray(['all', 'tools']),
  underDesk: fc.boolean(),
})
