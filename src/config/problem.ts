import { formatPath, type Located, type Path, type Position, positionOf } from './located.ts'

/** Something wrong with a file, said so that it can be mended. */
export interface Problem {
  /** As it was named; undefined for a value that was never in a file. */
  readonly file: string | undefined
  /** From 1; undefined where the file could not be read at all. */
  readonly line: number | undefined
  /** From 1. */
  readonly column: number | undefined
  /** Like `issuers[0].audiences`; empty for the document as a whole. */
  readonly path: string
  readonly message: string
  readonly mend: string
}

/** A problem before it is known where its value stands. */
export interface Finding {
  readonly path: Path
  readonly message: string
  readonly mend: string
}

/** Configuration or data that cannot be used. Its text is one line per problem, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'config'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const sorted = sortedProblems(problems)
    const lines = sorted.slice(0, maxLines).map(formatProblem)
    if (sorted.length > maxLines) lines.push(`and ${sorted.length - maxLines} more`)
    super(lines.join('\n'))
    this.problems = Object.freeze(sorted)
  }
}

/** Lines of text in one error; all of its problems are in `problems`. */
const maxLines = 100

/** One line: `mcp-authz.yaml:7:5: issuers[0].audiences: what was expected; mend: what to do`. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file ?? 'configuration', problem.line, problem.column].filter((part) => part !== undefined)
  const subject = problem.path === '' ? '' : `${problem.path}: `
  return oneLine(`${place.join(':')}: ${subject}${problem.message}; mend: ${problem.mend}`)
}

/** A problem at a place that is known. */
export function problemAt(at: Position | undefined, { path, message, mend }: Finding): Problem {
  return { file: at?.file, line: at?.line, column: at?.column, path: formatPath(path), message, mend }
}

/** Findings as problems, each where its value stands in the document. */
export function problemsOf(root: Located, findings: readonly Finding[]): Problem[] {
  return findings.map((finding) => problemAt(positionOf(root, finding.path), finding))
}

/** A user's value in backticks, on one line and not too long. */
export function quoted(value: string): string {
  const line = oneLine(value)
  return `\`${line.length > 200 ? `${line.slice(0, 200)}...` : line}\``
}

/** Why a file cannot be read, from the error of `node:fs`. */
export function fileFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'not allowed to read'
  if (code === 'EISDIR') return 'expected a file, found a directory'
  return `cannot read (${String(code)})`
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

function sortedProblems(problems: readonly Problem[]): Problem[] {
  const distinct = new Map(problems.map((problem) => [formatProblem(problem), problem]))
  const byFile = Map.groupBy(distinct.values(), (problem) => problem.file)
  return [...byFile.values()].flatMap((group) => group.sort(byPosition))
}

function byPosition(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
}
