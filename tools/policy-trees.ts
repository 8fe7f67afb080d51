import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { runCommand } from './run-command.ts'

/** A place in a file, both counted from 1. */
export interface Place {
  readonly row: number
  readonly col: number
}

/** A METADATA block, as far as the checks read it. */
export interface Annotation {
  readonly scope: string
  readonly title?: string
  readonly description?: string
  readonly schemas?: readonly { readonly path: readonly Term[] }[]
}

/** One step of a reference. */
export interface Term {
  readonly type: string
  readonly value: unknown
}

/** One rule body; rules of one name are several of these. `text` is the source, in base64. */
export interface RuleTree {
  readonly location: Place & { readonly text: string }
  readonly head: { readonly ref: readonly Term[] }
  readonly annotations?: readonly Annotation[]
}

/** One file's syntax, as `opa parse` prints it. */
export interface SyntaxTree {
  readonly package: { readonly location: Place; readonly path: readonly Term[] }
  readonly annotations?: readonly Annotation[]
  readonly rules?: readonly RuleTree[]
}

/** One Rego file: its path from the policies' folder, with `/`, and its syntax or what OPA says is wrong with it. */
export interface ParsedFile {
  readonly path: string
  readonly parsed:
    | { readonly ok: true; readonly tree: SyntaxTree }
    | { readonly ok: false; readonly problem: string; readonly at: Place }
}

/** One error of OPA's. */
export interface OpaError {
  readonly message: string
  readonly code?: string
  readonly location?: Place & { readonly file: string }
  readonly details?: { readonly oneOf?: readonly string[] }
}

/** Every Rego file below a folder, in path order, parsed by OPA. */
export async function parsePolicies(opa: string, policies: string): Promise<readonly ParsedFile[]> {
  const entries = await readdir(policies, { recursive: true })
  const paths = entries.filter((path) => path.endsWith('.rego')).map((path) => path.split(sep).join('/'))
  const files: ParsedFile[] = []
  for (const path of paths.sort()) files.push({ path, parsed: await parse(opa, join(policies, path)) })
  return files
}

/** Whether a file holds tests, which the bundle leaves out. */
export function isTest(path: string): boolean {
  return path.endsWith('_test.rego')
}

async function parse(opa: string, file: string): Promise<ParsedFile['parsed']> {
  const output = await runCommand(opa, ['parse', '-f', 'json', '--json-include', 'locations,-comments', file])
  if (output.code === 0) return { ok: true, tree: JSON.parse(output.stdout) as SyntaxTree }
  const [first] = errorsOf(`${output.stdout}${output.stderr}`)
  return {
    ok: false,
    problem: first?.message ?? 'does not parse',
    at: { row: first?.location?.row ?? 1, col: first?.location?.col ?? 1 },
  }
}

/** The errors that OPA prints under `-f json`; none where its output is no such document. */
export function errorsOf(text: string): readonly OpaError[] {
  try {
    return (JSON.parse(text) as { readonly errors: readonly OpaError[] }).errors
  } catch {
    return []
  }
}
