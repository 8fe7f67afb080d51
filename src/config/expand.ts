import type { Located, LocatedEntry, Path } from './located.ts'
import type { Finding } from './problem.ts'

/** The environment that `${NAME}` is looked up in, like `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

export interface Expansion {
  readonly root: Located
  readonly findings: readonly Finding[]
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every text of the document, never in keys. What comes out is not looked
 * at again. `$${` stands for `${`; a default also stands in for a variable that is empty. The value of a variable is
 * never part of a finding.
 */
export function expand(root: Located, env: Environment): Expansion {
  const findings: Finding[] = []
  return { root: expandNode(root, [], env, findings), findings }
}

function expandNode(node: Located, path: Path, env: Environment, findings: Finding[]): Located {
  if (node.kind === 'list') {
    return { ...node, items: node.items.map((item, index) => expandNode(item, [...path, index], env, findings)) }
  }
  if (node.kind === 'map') {
    const entries = [...node.entries].map(([key, entry]): [string, LocatedEntry] => {
      return [key, { at: entry.at, value: expandNode(entry.value, [...path, key], env, findings) }]
    })
    return { ...node, entries: new Map(entries) }
  }
  if (typeof node.value !== 'string') return node
  return { ...node, value: expandText(node.value, path, env, findings) }
}

function expandText(text: string, path: Path, env: Environment, findings: Finding[]): string {
  return text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (reference, inner: string | undefined, end: string | undefined) => {
    if (inner === undefined) return '${'
    const parts = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?$/.exec(inner)
    if (parts === null || end === '') {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that is meant.
      findings.push({ path, message: 'expected `${NAME}` or `${NAME:-default}`', mend: 'write `$${` for a plain `${`' })
      return reference
    }
    const [, name = '', fallback] = parts
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value !== undefined && (value !== '' || fallback === undefined)) return value
    if (fallback !== undefined) return fallback
    const message = `the environment variable \`${name}\` is not set`
    findings.push({ path, message, mend: `set it, or give a default: \`\${${name}:-default}\`` })
    return reference
  })
}
