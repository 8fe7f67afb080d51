import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { makePlace, type Place } from './place.ts'
import { bearer, handlerOf, result, rpcRequest } from './requests.ts'

const data = {
  servers: {
    s: {
      prefix: 's_',
      tools: ['a', 'b'],
      prompts: ['a', 'b'],
      resources: ['ui://a', 'ui://b'],
      templates: ['ui://t/{x}'],
    },
  },
  virtual_servers: {
    whole: { tools: ['s_a'], prompts: ['s_a'], resources: ['ui://a'], templates: ['ui://t/{x}'] },
    tools: { tools: ['s_a'] },
    empty: {},
  },
  roles: { all: { s: ['tool:*', 'prompt:*', 'resource:*', 'template:*'] } },
}

const profiles = ['strict', 'kuadrant'] as const
type Profile = (typeof profiles)[number]
let ways: Record<Profile, { place: Place; guard: Guard; alice: Headers }>
type Headers = Readonly<Record<string, string>>

beforeAll(async () => {
  const made = async (profile: Profile) => {
    const place = await makePlace({ data, profile })
    const alice = bearer(await place.token('alice', { roles: ['all'] }))
    return { place, guard: await createGuard({ config: place.config }), alice }
  }
  ways = { strict: await made('strict'), kuadrant: await made('kuadrant') }
})
afterAll(async () => {
  for (const { place, guard } of Object.values(ways)) {
    await guard.close()
    await place.remove()
  }
})

/** Clients of the guard of profile kuadrant see the prefix before the authority of a URI. */
const uriOf = (profile: Profile, name: string): string => (profile === 'strict' ? `ui://${name}` : `ui://s_${name}`)

type Kind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates'
const methodOf = {
  tools: ['tools/list', 'tools/call'],
  prompts: ['prompts/list', 'prompts/get'],
  resources: ['resources/list', 'resources/read'],
  resourceTemplates: ['resources/templates/list', 'resources/read'],
} as const

function entries(profile: Profile, kind: Kind): readonly Record<string, string>[] {
  if (kind === 'resources') return ['a', 'b'].map((name) => ({ uri: uriOf(profile, name) }))
  if (kind === 'resourceTemplates') return [{ uriTemplate: uriOf(profile, 't/{x}') }]
  return ['s_a', 's_b'].map((name) => ({ name }))
}

/** Status, reason if there is one, and what came back. */
async function ask(
  profile: Profile,
  virtual: string,
  method: string,
  params: unknown,
  answer: unknown,
): Promise<unknown> {
  const { guard, alice } = ways[profile]
  const handler = handlerOf(() => result(answer))
  const request = rpcRequest(method, params, { ...alice, 'x-mcp-virtualserver': virtual })
  const response = await guard.fetch(handler.fetch)(request)
  expect(handler.reached).toHaveLength(response.ok ? 1 : 0)
  const body = (await response.json()) as { result?: unknown; error?: { data: { reason: string } } }
  return response.ok ? body.result : body.error?.data.reason
}

async function listed(profile: Profile, virtual: string, kind: Kind): Promise<readonly string[] | string> {
  const answer = await ask(profile, virtual, methodOf[kind][0], {}, { [kind]: entries(profile, kind) })
  if (typeof answer === 'string') return answer
  return (answer as Record<Kind, Record<string, string>[]>)[kind].flatMap((entry) => Object.values(entry))
}

/** Which of the names can be called. */
async function callable(profile: Profile, virtual: string, kind: Kind): Promise<readonly string[] | string> {
  const names: string[] = []
  for (const entry of entries(profile, kind)) {
    const [name = ''] = Object.values(entry)
    const expanded = name.replace('{x}', '1')
    const params = kind.startsWith('resource') ? { uri: expanded } : { name }
    const answer = await ask(profile, virtual, methodOf[kind][1], params, {})
    if (answer === 'virtual_server_unknown') return answer
    if (typeof answer !== 'string') names.push(name)
    else expect(answer).toBe('virtual_server_excludes')
  }
  return names
}

// Contract section 5: in profile kuadrant tools alone, and prompts where the list of them is not empty.
const table: readonly (readonly [Profile, string, Readonly<Record<Kind, readonly string[]>>])[] = [
  ['strict', 'whole', { tools: ['s_a'], prompts: ['s_a'], resources: ['ui://a'], resourceTemplates: ['ui://t/{x}'] }],
  ['strict', 'tools', { tools: ['s_a'], prompts: [], resources: [], resourceTemplates: [] }],
  ['strict', 'empty', { tools: [], prompts: [], resources: [], resourceTemplates: [] }],
  ['kuadrant', 'whole', { tools: ['s_a'], prompts: ['s_a'], ...unlimited() }],
  ['kuadrant', 'tools', { tools: ['s_a'], prompts: ['s_a', 's_b'], ...unlimited() }],
  ['kuadrant', 'empty', { tools: [], prompts: ['s_a', 's_b'], ...unlimited() }],
]

function unlimited(): Pick<Record<Kind, readonly string[]>, 'resources' | 'resourceTemplates'> {
  return { resources: ['ui://s_a', 'ui://s_b'], resourceTemplates: ['ui://s_t/{x}'] }
}

const kinds: readonly Kind[] = ['tools', 'prompts', 'resources', 'resourceTemplates']

describe('a virtual server', () => {
  it.each(table)(
    'of profile %s, %s, cuts what is listed and what can be called alike',
    async (profile, virtual, expected) => {
      for (const kind of kinds) {
        expect([kind, await listed(profile, virtual, kind)]).toEqual([kind, expected[kind]])
        expect([kind, await callable(profile, virtual, kind)]).toEqual([kind, expected[kind]])
      }
    },
  )

  it.each(
    profiles.flatMap((profile) =>
      ['none', '', 'WHOLE', 'whole, whole', 'whole, none'].map((id) => [profile, id] as const),
    ),
  )('in profile %s opens and shows nothing by the name %j', async (profile, id) => {
    for (const kind of kinds) {
      expect(await listed(profile, id, kind)).toBe('virtual_server_unknown')
      expect(await callable(profile, id, kind)).toBe('virtual_server_unknown')
    }
  })
})
