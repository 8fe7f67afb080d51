import type { DefinedType } from '../mcp/definition.ts'
import { listOf } from '../mcp/item-names.ts'
import { byCodePoint } from '../policy/code-point.ts'
import type { Data, Server } from '../policy/data.gen.ts'
import type { ChangedDefinitions } from '../policy/engine.ts'
import { definedTypes, type Federation } from './federation.ts'
import { definitionsIn } from './offered.ts'
import type { Offer, Upstream } from './upstream.ts'

/** How one server stands, as `/status` tells it. Lists are there only where they hold something. */
export interface ServerStatus {
  readonly id: string
  /** As in the catalogue; absent for a server that is not there. */
  readonly prefix?: string
  readonly state?: 'Enabled' | 'Disabled'
  /** Why it is or is not served. */
  readonly reason: 'Ready' | 'NotReady' | 'Disabled' | 'NotInCatalogue' | 'NoUpstream'
  /** ISO 8601. */
  readonly since?: string
  readonly protocolVersion?: string
  readonly name?: string
  readonly lastError?: string
  /** ISO 8601. */
  readonly nextAttempt?: string
  /** How many of each it offers. */
  readonly offers?: Readonly<Record<string, number>>
  /** What the catalogue lists and the server does not offer: a misspelt name, or one that has gone. */
  readonly missing?: Readonly<Record<string, readonly string[]>>
  /** What it offers and the catalogue does not list. */
  readonly unlisted?: Readonly<Record<string, readonly string[]>>
  /** What it offers under a name that leads to another server, to several, or to a tool of the broker. */
  readonly withheld?: Readonly<Record<string, readonly string[]>>
  /** What is gone until its changed definition is approved. */
  readonly changed?: Readonly<Record<string, readonly string[]>>
}

export interface StatusSources {
  readonly data: () => Data
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly federation: Pick<Federation, 'withheld'>
  readonly changed: () => ChangedDefinitions
}

/** How every server of catalogue and configuration stands, in order of their ids. */
export function statusOf({ data, upstreams, federation, changed }: StatusSources): readonly ServerStatus[] {
  const { servers = {} } = data()
  const gone = changed()
  const ids = [...new Set([...Object.keys(servers), ...upstreams.keys()])].sort(byCodePoint)
  return ids.map((id) => {
    const entry = Object.hasOwn(servers, id) ? servers[id] : undefined
    const upstream = upstreams.get(id)
    const offer = upstream?.offered()
    return {
      id,
      ...(entry === undefined ? {} : { prefix: entry.prefix ?? '', state: entry.state ?? 'Enabled' }),
      reason: reasonOf(entry, upstream),
      ...(upstream === undefined ? {} : connectionOf(upstream)),
      ...(offer === undefined ? {} : { offers: countsOf(offer) }),
      ...(offer === undefined || entry === undefined ? {} : differences(entry, offer)),
      ...(entry === undefined ? {} : withheldOf(entry, (type) => federation.withheld(id, type))),
      ...named('changed', (type) => Object.keys(gone[id]?.[type] ?? {})),
    }
  })
}

function reasonOf(entry: Server | undefined, upstream: Upstream | undefined): ServerStatus['reason'] {
  if (entry === undefined) return 'NotInCatalogue'
  if (entry.state === 'Disabled') return 'Disabled'
  if (upstream === undefined) return 'NoUpstream'
  return upstream.state().kind === 'ready' ? 'Ready' : 'NotReady'
}

function connectionOf(upstream: Upstream): Partial<ServerStatus> {
  const { since, protocolVersion, serverName, lastError, nextAttemptAt } = upstream.state()
  return {
    since: new Date(since).toISOString(),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(serverName === undefined ? {} : { name: serverName }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(nextAttemptAt === undefined ? {} : { nextAttempt: new Date(nextAttemptAt).toISOString() }),
  }
}

function countsOf({ tools, prompts, resources, templates }: Offer): Readonly<Record<string, number>> {
  return { tools: tools.length, prompts: prompts.length, resources: resources.length, templates: templates.length }
}

/** Of what is listed: what is not is told of as that. */
function withheldOf(entry: Server, withheld: (type: DefinedType) => readonly string[]): Partial<ServerStatus> {
  return named('withheld', (type) => withheld(type).filter((name) => listedNames(entry, type).includes(name)))
}

function listedNames(entry: Server, type: DefinedType): readonly string[] {
  return (entry[listOf[type]] ?? []).map((item) => (typeof item === 'string' ? item : item.name))
}

function differences(entry: Server, offer: Offer): Partial<ServerStatus> {
  const listed = (type: DefinedType): readonly string[] => listedNames(entry, type)
  const offered = (type: DefinedType): readonly string[] => definitionsIn(offer, type).map(({ name }) => name)
  return {
    ...named('missing', (type) => without(listed(type), offered(type))),
    ...named('unlisted', (type) => without(offered(type), listed(type))),
  }
}

function without(names: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others)
  return [...new Set(names)].filter((name) => !known.has(name))
}

function named<Key extends string>(
  key: Key,
  of: (type: DefinedType) => readonly string[],
): { readonly [K in Key]?: Readonly<Record<string, readonly string[]>> } {
  const lists = definedTypes.flatMap((type) => {
    const names = of(type)
    return names.length === 0 ? [] : [[listOf[type], names] as const]
  })
  return lists.length === 0
    ? {}
    : ({ [key]: Object.fromEntries(lists) } as { [K in Key]: Record<string, readonly string[]> })
}
