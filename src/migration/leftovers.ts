import { isNode, type Scalar, visit } from 'yaml'
import type { Edit, Finding } from './edit.ts'
import { endOf, startOf } from './nodes.ts'

/** What v0.7.0 has no more: where it stands, and what there is in its place. */
const oldNames = {
  prefix: { pattern: /(?<![\w-])toolPrefix(?![\w-])/g, now: 'v0.7.0 calls it `prefix`' },
  header: { pattern: /(?<![\w-])x-authorized-tools(?![\w-])/gi, now: 'v0.7.0 calls it `x-mcp-authorized`' },
  claim: {
    pattern: /(?<![\w-])allowed-tools(?![\w-])/g,
    now: 'v0.7.0 calls it `allowed-capabilities`, of another shape: {"tools":{server:[names]}}',
  },
  // Without dashes too, as charts have it; the other flags without theirs are names of anything.
  filtering: {
    pattern: /(?<![\w-])(?:--?)?enforce-tool-filtering(?![\w-])/g,
    now: 'v0.7.0 calls it `enforce-capability-filtering`',
  },
  keyFlag: { pattern: /(?<![\w-])--?session-signing-key(?![\w-])/g, now: 'v0.7.0 calls it `--gateway-signing-key`' },
  keyVariable: { pattern: /(?<!\w)JWT_SESSION_SIGNING_KEY(?!\w)/g, now: 'v0.7.0 calls it `GATEWAY_SIGNING_KEY`' },
  routerKey: {
    pattern: /(?<![\w-])(?:--?mcp-router-key|MCP_ROUTER_API_KEY)(?![\w-])/g,
    now: 'v0.7.0 takes no router key',
  },
} as const satisfies Record<string, { readonly pattern: RegExp; readonly now: string }>

/** A name of before v0.7.0. */
export type OldName = keyof typeof oldNames

/** What was done about a text, and the names that it was done about wherever they stand. */
export interface Done {
  readonly edits?: readonly Edit[]
  readonly problems?: readonly Finding[]
  readonly seen?: readonly OldName[]
}

/** The old names that are left in the keys and values of a document; comments are neither. */
export function leftIn(node: unknown, source: string, done: Done = {}): readonly Finding[] {
  const found: Finding[] = []
  if (!isNode(node)) return found
  const told = new Set(done.problems?.map(({ offset }) => offset))
  visit(node, {
    Scalar: (_, scalar: Scalar) => {
      const start = startOf(scalar)
      if (typeof scalar.value !== 'string' || told.has(start)) return
      const inValue = namesIn(scalar.value, start, done)
      if (inValue.length === 0) return
      const inSource = namesIn(source.slice(start, endOf(scalar)), start, done)
      // What is escaped stands in the value alone.
      found.push(...(inSource.length > 0 ? inSource : inValue.map((one) => ({ ...one, offset: start }))))
    },
  })
  return found.filter(({ offset }) => !isCovered(offset, done))
}

/** The same of a text of any form: there, `#` and `//` after a blank begin a comment. */
export function leftInText(source: string, done: Done = {}): readonly Finding[] {
  return namesIn(source, 0, done).filter(({ offset }) => !isCovered(offset, done) && !isComment(source, offset))
}

function namesIn(text: string, offset: number, { seen = [] }: Done): readonly Finding[] {
  return (Object.keys(oldNames) as OldName[])
    .filter((name) => !seen.includes(name))
    .flatMap((name) => {
      const { pattern, now } = oldNames[name]
      return [...text.matchAll(pattern)].map((match) => left(match[0], now, offset + match.index))
    })
    .sort((one, other) => one.offset - other.offset)
}

function left(name: string, why: string, offset: number): Finding {
  return { offset, what: `\`${name}\` stands in something that is not rewritten`, why, mend: 'look at it by hand' }
}

function isCovered(offset: number, { edits = [] }: Done): boolean {
  return edits.some(({ start, end }) => start <= offset && offset < end)
}

function isComment(source: string, offset: number): boolean {
  const line = source.slice(source.lastIndexOf('\n', offset - 1) + 1, offset)
  return /(?:^|\s)(?:#|\/\/)/.test(line.replace(/"(?:[^"\\]|\\.)*"|'[^']*'|`[^`]*`/g, '""'))
}
