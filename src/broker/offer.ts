import {
  type Prompt,
  ProtocolError,
  ProtocolErrorCode,
  type Resource,
  type ResourceTemplateType,
  type Tool,
} from '@modelcontextprotocol/client'
import type { Link } from './link.ts'
import { isPlainObject } from './plain-object.ts'

/** What a server offers: definitions as it listed them, under its own names, which are distinct in each list. */
export interface Offer {
  readonly tools: readonly Tool[]
  readonly prompts: readonly Prompt[]
  readonly resources: readonly Resource[]
  readonly templates: readonly ResourceTemplateType[]
  /** Whether it completes arguments. */
  readonly completions: boolean
}

const maxPages = 1000
const maxItems = 100_000

/** @param onFlaw - told what of a list was left out, and why, in words that hold text of the server */
interface Reading {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly onFlaw: (text: string) => void
}

/**
 * Reads every list that the server has, whole.
 *
 * @throws Error where a list is not one or does not end, and what the SDK throws
 */
export async function readOffer(link: Link, reading: Reading): Promise<Offer> {
  const { tools, prompts, resources, completions } = link.capabilities
  const list = async <T>(has: unknown, method: string, member: string, key: string, isValid = isPlainObject) =>
    has === undefined ? [] : distinct<T>(await pages(link, method, member, reading), { method, key, isValid }, reading)
  return {
    tools: await list<Tool>(tools, 'tools/list', 'tools', 'name', hasInputSchema),
    prompts: await list<Prompt>(prompts, 'prompts/list', 'prompts', 'name'),
    resources: await list<Resource>(resources, 'resources/list', 'resources', 'uri'),
    templates: await list<ResourceTemplateType>(
      resources,
      'resources/templates/list',
      'resourceTemplates',
      'uriTemplate',
    ),
    completions: completions !== undefined,
  }
}

function hasInputSchema(item: unknown): item is Readonly<Record<string, unknown>> {
  return isPlainObject(item) && isPlainObject(item['inputSchema'])
}

async function pages(link: Link, method: string, member: string, reading: Reading): Promise<readonly unknown[]> {
  const items: unknown[] = []
  const seen = new Set<string>()
  for (let cursor: string | undefined; seen.size < maxPages; ) {
    const page = await pageOf(link, method, cursor, reading)
    const found: unknown = page[member]
    if (!Array.isArray(found)) throw new Error(`${method}: a page has no list \`${member}\``)
    if (items.length + found.length > maxItems) throw new Error(`${method}: more than ${maxItems} entries`)
    for (const item of found) items.push(item)
    const next: unknown = page['nextCursor']
    if (typeof next !== 'string') return items
    if (seen.has(next)) throw new Error(`${method}: a cursor came twice`)
    seen.add(next)
    cursor = next
  }
  throw new Error(`${method}: more than ${maxPages} pages`)
}

async function pageOf(
  link: Link,
  method: string,
  cursor: string | undefined,
  { timeoutMs, signal }: Reading,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await link.request(method, cursor === undefined ? {} : { cursor }, { timeoutMs, signal })
  } catch (thrown) {
    // Many servers with resources know no templates.
    const isUnknown = thrown instanceof ProtocolError && thrown.code === ProtocolErrorCode.MethodNotFound
    if (!isUnknown || method !== 'resources/templates/list') throw thrown
    return { resourceTemplates: [] }
  }
}

function distinct<T>(
  items: readonly unknown[],
  {
    method,
    key,
    isValid,
  }: { readonly method: string; readonly key: string; readonly isValid: (item: unknown) => boolean },
  { onFlaw }: Reading,
): readonly T[] {
  const byName = new Map<string, T>()
  for (const item of items) {
    const name = isPlainObject(item) ? item[key] : undefined
    if (typeof name !== 'string' || name === '' || !isValid(item)) onFlaw(`${method}: an entry is not valid`)
    else if (byName.has(name)) onFlaw(`${method}: \`${name}\` is there twice, the first counts`)
    else byName.set(name, item as T)
  }
  return [...byName.values()]
}
