import { parseExact } from './exact-json.ts'
import { isObject } from './message.ts'

/** Which of these tools may be seen, by their client-visible names. */
export type VisibleTools = (names: readonly string[]) => Promise<readonly string[]>

/** Answers of these name tools in JSON, as text or structured; what is not JSON could name any. */
const namingTools: readonly string[] = ['discover_tools', 'filter_tools_by_tags']

/** Stands for any tool of the broker, or an answer of none: what names tools is cut, and all else is let through. */
export const anyBrokerTool = '*'

/**
 * Cuts the answer of a broker's own tool (Kuadrant's `discover_tools` and its like): of an array under `tools`, and of one
 * that is the whole answer, only visible tools stay, and nothing stays of a server of which no tool does. Rejects for an
 * answer of one that names tools and cannot be read.
 */
export async function filterBrokerAnswer(tool: string, response: unknown, visible: VisibleTools): Promise<unknown> {
  if (Array.isArray(response)) {
    return await Promise.all(response.map((one: unknown) => filterBrokerAnswer(tool, one, visible)))
  }
  if (!isObject(response) || !isObject(response['result'])) return response
  const { content, structuredContent, isError, ...rest } = response['result']
  const names = namingTools.includes(tool) && isError !== true
  const cut = async (value: unknown): Promise<unknown> => {
    const seen = new Set(await visible([...new Set(namesIn(value))]))
    return withoutHidden(value, seen)
  }
  const texts = Array.isArray(content) ? await Promise.all(content.map((part) => cutPart(part, cut, names))) : content
  const result = {
    ...rest,
    ...(content === undefined ? {} : { content: texts }),
    ...(structuredContent === undefined ? {} : { structuredContent: await cut(structuredContent) }),
    ...(isError === undefined ? {} : { isError }),
  }
  return { ...response, result }
}

async function cutPart(part: unknown, cut: (value: unknown) => Promise<unknown>, names: boolean): Promise<unknown> {
  const text = isObject(part) && typeof part['text'] === 'string' ? part['text'] : undefined
  const value = text === undefined ? undefined : jsonIn(text)
  if (isObject(part) && value !== undefined) return { ...part, text: JSON.stringify(await cut(value)) }
  if (names) throw new TypeError('the answer of a tool that names tools is not JSON')
  return part
}

/** Objects and arrays alone: a text that is a number or a word names no tool. */
function jsonIn(text: string): unknown {
  try {
    const value = parseExact(text)
    return Array.isArray(value) || isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The names at the places that {@link withoutHidden} looks at. */
function namesIn(value: unknown, list: List = 'whole'): string[] {
  if (Array.isArray(value)) {
    const named = list !== 'other' ? value.flatMap((entry) => nameOf(entry) ?? []) : []
    return [...named, ...value.flatMap((entry) => (isObject(entry) ? namesIn(entry) : []))]
  }
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => namesIn(inner, listUnder(key)))
}

function withoutHidden(value: unknown, seen: ReadonlySet<string>, list: List = 'whole'): unknown {
  if (Array.isArray(value)) {
    const kept = list === 'other' ? value : value.filter((entry) => isKept(entry, seen, list))
    return kept.map((entry) => withoutHidden(entry, seen)).filter((entry, at) => !isEmptied(kept[at], entry))
  }
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withoutHidden(inner, seen, listUnder(key))]),
  )
}

/** Where an array stands: under `tools`, as the whole answer, anywhere else. */
type List = 'tools' | 'whole' | 'other'

function listUnder(key: string): List {
  return isTools(key) ? 'tools' : 'other'
}

/** Readers that compare keys without case would find tools there as well. */
function isTools(key: string): boolean {
  return /^tools$/iu.test(key)
}

function nameOf(entry: unknown): string | undefined {
  const name = isObject(entry) ? entry['name'] : entry
  return typeof name === 'string' ? name : undefined
}

function isKept(entry: unknown, seen: ReadonlySet<string>, list: List): boolean {
  const name = nameOf(entry)
  // The whole answer may be a list of servers: they are known by their tools.
  if (list === 'whole' && isObject(entry) && Object.keys(entry).some(isTools)) return true
  return name !== undefined && seen.has(name)
}

function isEmptied(before: unknown, after: unknown): boolean {
  if (!isObject(before) || !isObject(after)) return false
  return Object.keys(after).some((key) => isTools(key) && sizeOf(after[key]) === 0 && sizeOf(before[key]) > 0)
}

function sizeOf(value: unknown): number {
  return Array.isArray(value) ? value.length : 0
}
