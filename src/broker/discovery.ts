import { ProtocolError, ProtocolErrorCode, type Tool } from '@modelcontextprotocol/server'
import { listOf } from '../mcp/item-names.ts'
import type { Data } from '../policy/data.gen.ts'
import type { Federation } from './federation.ts'

/**
 * The broker's own tools, by which a client finds others among many. They answer of everything there is, in JSON of which
 * the guard cuts what the caller may not use: every list of tools stands under `tools`.
 */
export interface Discovery {
  /** Their definitions. */
  readonly tools: readonly Tool[]
  /** @throws {ProtocolError} for a tool that is none of them, or arguments that do not fit */
  call(name: string, given: unknown): { content: { type: 'text'; text: string }[] }
}

export interface DiscoveryOptions {
  readonly federation: Pick<Federation, 'items'>
  readonly data: () => Data
}

const readOnly = { readOnlyHint: true, openWorldHint: false }
const words = { type: 'string', description: 'Words that must all stand in the name, title or description' } as const
const tags = { type: 'array', items: { type: 'string' }, description: 'Tags that a tool must all have' } as const

const definitions = {
  discover_tools: {
    name: 'discover_tools',
    description: 'Finds tools that you may use, by words in their name, title or description, and by tags.',
    inputSchema: { type: 'object', properties: { query: words, tags }, additionalProperties: false },
    annotations: readOnly,
  },
  list_tags: {
    name: 'list_tags',
    description: 'Lists the tags of tools that you may use, with their tools.',
    inputSchema: { type: 'object', properties: {}, additionalProperties: false },
    annotations: readOnly,
  },
  filter_tools_by_tags: {
    name: 'filter_tools_by_tags',
    description: 'Lists the names of tools that you may use and that have all of these tags.',
    inputSchema: { type: 'object', properties: { tags }, required: ['tags'], additionalProperties: false },
    annotations: readOnly,
  },
} as const satisfies Record<string, Tool>

/** Makes the broker's own tools. Tags are the catalogue's. */
export function createDiscovery({ federation, data }: DiscoveryOptions): Discovery {
  const known = (): readonly Found[] => {
    const tagsOf = readTags(data())
    return federation.items('tool').map(({ server, name, entry }) => ({
      name: textIn(entry, 'name'),
      title: textIn(entry, 'title'),
      description: textIn(entry, 'description'),
      tags: tagsOf(server, name),
    }))
  }
  const answers: Readonly<Record<string, (given: Given) => object>> = {
    discover_tools: ({ query = '', tags: wanted = [] }) => ({
      tools: known()
        .filter((tool) => hasTags(tool, wanted) && hasWords(tool, query))
        .map(({ title, ...tool }) => (title === '' ? tool : { ...tool, title })),
    }),
    list_tags: () => ({ tags: byTag(known()) }),
    filter_tools_by_tags: ({ tags: wanted }) => {
      if (wanted === undefined) throw invalid('expected `tags`, a list of text')
      return { tools: known().flatMap((tool) => (hasTags(tool, wanted) ? [tool.name] : [])) }
    },
  }
  return {
    tools: Object.values(definitions),
    call(name, given = {}) {
      const answer = Object.hasOwn(answers, name) ? answers[name] : undefined
      if (answer === undefined) throw invalid(`Unknown tool: ${name}`)
      return { content: [{ type: 'text', text: JSON.stringify(answer(readGiven(given))) }] }
    },
  }
}

interface Found {
  /** As clients see it. */
  readonly name: string
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
}

interface Given {
  readonly query?: string
  readonly tags?: readonly string[]
}

function readGiven(given: unknown): Given {
  const { query, tags: wanted } = given as { readonly query?: unknown; readonly tags?: unknown }
  if (query !== undefined && typeof query !== 'string') throw invalid('expected `query` to be text')
  if (wanted !== undefined && !isListOfText(wanted)) throw invalid('expected `tags` to be a list of text')
  return { ...(query === undefined ? {} : { query }), ...(wanted === undefined ? {} : { tags: wanted }) }
}

function isListOfText(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function hasTags({ tags: own }: Found, wanted: readonly string[]): boolean {
  return wanted.every((tag) => own.includes(tag))
}

function hasWords({ name, title, description }: Found, query: string): boolean {
  const text = `${name} ${title} ${description}`.toLowerCase()
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function byTag(tools: readonly Found[]): readonly { readonly tag: string; readonly tools: readonly string[] }[] {
  const all = [...new Set(tools.flatMap((tool) => tool.tags))].sort()
  return all.map((tag) => ({ tag, tools: tools.filter((tool) => tool.tags.includes(tag)).map(({ name }) => name) }))
}

function readTags({ servers = {} }: Data): (server: string, name: string) => readonly string[] {
  const known = new Map<string, readonly string[]>()
  for (const [server, entry] of Object.entries(servers)) {
    for (const item of entry[listOf.tool] ?? []) {
      if (typeof item !== 'string' && item.tags !== undefined) known.set(JSON.stringify([server, item.name]), item.tags)
    }
  }
  return (server, name) => known.get(JSON.stringify([server, name])) ?? []
}

function textIn(entry: Readonly<Record<string, unknown>>, key: string): string {
  const value = entry[key]
  return typeof value === 'string' ? value : ''
}

function invalid(message: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, message)
}
