import { isPlainObject } from './plain-object.ts'

/** Where an argument that is said in a header too stands in the arguments, and the header's name. */
interface Declaration {
  readonly path: readonly string[]
  readonly header: string
}

/**
 * The headers that a call of 2026-07-28 over HTTP repeats arguments in, as the tool's input schema asks for with
 * `x-mcp-header`. A declaration that the protocol does not allow is left out: the server then says what is missing.
 */
export function paramHeaders(inputSchema: unknown, given: unknown): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { path, header } of declarationsIn(inputSchema, [])) {
    const text = textOf(path.reduce<unknown>(memberOf, given))
    if (text !== undefined) headers[`Mcp-Param-${header}`] = encoded(text)
  }
  return headers
}

function declarationsIn(schema: unknown, path: readonly string[]): readonly Declaration[] {
  if (!isPlainObject(schema) || !isPlainObject(schema['properties']) || path.length >= 64) return []
  return Object.entries(schema['properties']).flatMap(([name, property]) => {
    const inside = [...path, name]
    const header = isPlainObject(property) ? property['x-mcp-header'] : undefined
    const isToken = typeof header === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header)
    return [...(isToken ? [{ path: inside, header }] : []), ...declarationsIn(property, inside)]
  })
}

function memberOf(value: unknown, key: string): unknown {
  return isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value)
}

function encoded(text: string): string {
  const isPlain = /^[\t\x20-\x7e]+$/.test(text) && text === text.trim() && !/^=\?base64\?.*\?=$/.test(text)
  return isPlain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}
