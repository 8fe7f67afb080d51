import { readFile } from 'node:fs/promises'
import { readBundle } from '../../src/bundle/bundle.ts'
import { parseData } from '../../src/config/data.ts'
import { createCheckedStore, shippedBundle } from '../../src/engine.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Verdict } from '../../src/policy/decision.gen.ts'
import type { ChangedDefinitions, Engine } from '../../src/policy/engine.ts'
import { buildInput, type Question } from '../../src/policy/input.ts'

/** The bundle that ships with the package. */
export const bundle = await readBundle(await readFile(shippedBundle))

/** The real policy over data that was checked as data files are. */
export function engineOf(data: Data, changed: ChangedDefinitions = {}): Engine {
  const checked = parseData([{ file: 'data.json', text: JSON.stringify(data) }])
  return createCheckedStore().replace(bundle, checked, changed)
}

/** Who asks, and through which door. */
export type Asker = Omit<Question, 'action' | 'target' | 'server'>

/** A subject without anything, in profile strict. */
export const nobody: Asker = { subject: { id: 'nobody', grants: {}, roles: [] }, virtualServers: [], profile: 'strict' }

export type ItemType = 'tool' | 'prompt' | 'resource' | 'template'

/** One item, under its upstream name. */
export interface Item {
  readonly server: string
  readonly type: ItemType
  readonly name: string
}

/** What calls an item of each type; a template is called by its text in a completion. */
export const callOf = {
  tool: 'tools/call',
  prompt: 'prompts/get',
  resource: 'resources/read',
  template: 'completion/complete',
} as const

/** Decides one call; without a server the name is client-visible. */
export function decideCall(engine: Engine, asker: Asker, type: ItemType, name: string, server?: string): Verdict {
  const target = { type: type === 'template' ? 'resource' : type, name } as const
  return engine.decide(buildInput({ ...asker, server, action: callOf[type], target }))
}

/** The items of a subject, flat; undefined under an unknown virtual server. */
export function itemsOf(engine: Engine, asker: Asker): Item[] | undefined {
  const target = { type: 'server' } as const
  const capabilities = engine.capabilities(buildInput({ ...asker, action: 'tools/list', target }))
  if (capabilities === undefined) return undefined
  return (['tool', 'prompt', 'resource', 'template'] as const).flatMap((type) =>
    Object.entries(capabilities[`${type}s`]).flatMap(([server, names]) =>
      names.map((name) => ({ server, type, name })),
    ),
  )
}
