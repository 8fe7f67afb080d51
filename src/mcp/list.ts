import { parseExact, plainNumber } from './exact-json.ts'
import { isObject, own } from './message.ts'

export { createSseFilter, filterSse, type SseFilter, type SseOptions } from './sse.ts'

/** A method whose result is a list. */
export type ListMethod = 'tools/list' | 'prompts/list' | 'resources/list' | 'resources/templates/list' | 'tasks/list'

/** An entry of a list that has a name. */
export interface ListedItem {
  readonly name: string
  readonly entry: Readonly<Record<string, unknown>>
}

/** Which of these names may be seen. Gets each name once, in the list's order. */
export type Visible = (names: readonly string[]) => readonly string[] | Promise<readonly string[]>

export interface ListOptions {
  /** Milliseconds for which the answer may be kept at most: what is left of the caller's credential. */
  readonly maxTtlMs?: number | undefined
  /** The items that stay, each as it is to be shown; `seen`: what is visible. Default: all, as they are. */
  readonly approved?: ((items: readonly ListedItem[], seen: ReadonlySet<string>) => readonly ListedItem[]) | undefined
}

interface ListShape {
  readonly type: 'tool' | 'prompt' | 'resource' | 'template' | 'task'
  readonly list: string
  readonly name: string
}

const shapes = {
  'tools/list': { type: 'tool', list: 'tools', name: 'name' },
  'prompts/list': { type: 'prompt', list: 'prompts', name: 'name' },
  'resources/list': { type: 'resource', list: 'resources', name: 'uri' },
  'resources/templates/list': { type: 'template', list: 'resourceTemplates', name: 'uriTemplate' },
  'tasks/list': { type: 'task', list: 'tasks', name: 'taskId' },
} as const satisfies Record<ListMethod, ListShape>

/** The type of the items that a method lists; undefined for a method that lists nothing. */
export function listedType(method: string): ListShape['type'] | undefined {
  return isListMethod(method) ? shapes[method].type : undefined
}

/** Whether a method's result is a list to filter. */
export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(shapes, method)
}

/**
 * Filters the list in a JSON-RPC response, or in each response of a batch; what has no result is returned as it is.
 * Order, cursor and everything beside the list are kept. What cannot be read as a list is emptied, an entry without a
 * name is dropped, and what is left may not be shared between callers (SEP-2549). Rejects only if `visible` does.
 */
export async function filterList(
  method: ListMethod,
  response: unknown,
  visible: Visible,
  options: ListOptions = {},
): Promise<unknown> {
  if (Array.isArray(response))
    return Promise.all(response.map((element) => filterList(method, element, visible, options)))
  if (!isObject(response)) return response
  const exact = withoutVariants(response, 'result')
  if (!Object.hasOwn(exact, 'result')) return exact
  const result = await filterResult(shapes[method], exact['result'], { visible, ...options })
  return { ...exact, result: restrictCaching(result, options) }
}

/** The same for JSON text. Blank text (an SSE event that only carries an id) is kept; rejects for what is not JSON. */
export async function filterListText(
  method: ListMethod,
  text: string,
  visible: Visible,
  options: ListOptions = {},
): Promise<string> {
  if (text.trim() === '') return text
  return JSON.stringify(await filterList(method, parseExact(text), visible, options))
}

type Json = Readonly<Record<string, unknown>>

type Sieve = ListOptions & { readonly visible: Visible }

async function filterResult(shape: ListShape, result: unknown, sieve: Sieve): Promise<Json> {
  if (!isObject(result)) return { [shape.list]: [] }
  const exact = withoutVariants(result, shape.list)
  if (!Object.hasOwn(exact, shape.list)) return exact
  const listed = own(exact, shape.list)
  const entries = Array.isArray(listed) ? listed : []
  return { ...exact, [shape.list]: await filterEntries(shape.name, entries, sieve) }
}

/** Readers that compare keys without case would find a second list under such a key. */
function withoutVariants(object: Json, exact: string): Json {
  const folded = new RegExp(`^${exact}$`, 'iu')
  return Object.fromEntries(Object.entries(object).filter(([key]) => key === exact || !folded.test(key)))
}

async function filterEntries(
  key: string,
  entries: readonly unknown[],
  { visible, approved = (items) => items }: Sieve,
): Promise<readonly unknown[]> {
  const named = entries.flatMap((entry) => {
    if (!isObject(entry)) return []
    const name = own(entry, key)
    return typeof name === 'string' ? [{ name, entry }] : []
  })
  const names = [...new Set(named.map(({ name }) => name))]
  const seen = new Set(names.length === 0 ? [] : await visible(names))
  return approved(named, seen)
    .filter(({ name }) => seen.has(name))
    .map(({ entry }) => entry)
}

function restrictCaching(result: Json, { maxTtlMs }: ListOptions): Json {
  const hasTtl = Object.hasOwn(result, 'ttlMs')
  if (!hasTtl && !Object.hasOwn(result, 'cacheScope')) return result
  const ttlMs = hasTtl ? { ttlMs: cap(result['ttlMs'], maxTtlMs) } : {}
  return { ...result, ...ttlMs, cacheScope: 'private' }
}

function cap(ttlMs: unknown, maxTtlMs = Number.POSITIVE_INFINITY): unknown {
  const plain = plainNumber(ttlMs)
  if (typeof plain !== 'number') return 0
  return plain >= 0 && plain <= maxTtlMs ? ttlMs : Math.max(0, Math.min(plain, maxTtlMs))
}
