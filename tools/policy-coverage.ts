import { isTest, type ParsedFile, type Place } from './policy-trees.ts'

/** What `opa test --coverage -f json` prints; a file that no test touches has neither `covered` nor a percentage. */
export interface CoverageReport {
  readonly files?: Readonly<Record<string, CoveredFile>>
}

interface CoveredFile {
  readonly not_covered?: readonly { readonly start: Place; readonly end: Place }[]
}

/**
 * What of the shipped rules no test reaches, one line a place: `file:row` or `file:row-row`. OPA's own total is of no
 * use here: it counts the tests too, and they lift it.
 *
 * @param folder what stands before each path in the report, as `policies/`
 */
export function uncovered(report: CoverageReport, files: readonly ParsedFile[], folder: string): readonly string[] {
  const reported = report.files ?? {}
  return files.filter(hasShippedRules).flatMap(({ path }) => {
    const file = `${folder}${path}`
    if (!Object.hasOwn(reported, file)) return [`${file}: no test reaches it`]
    return rangesOf(reported[file]?.not_covered ?? []).map((range) => `${file}:${range}`)
  })
}

function hasShippedRules({ path, parsed }: ParsedFile): boolean {
  return !isTest(path) && parsed.ok && (parsed.tree.rules ?? []).length > 0
}

/** Several ranges on neighbouring lines are one. */
function rangesOf(places: readonly { readonly start: Place; readonly end: Place }[]): string[] {
  const merged: { from: number; to: number }[] = []
  for (const { start, end } of places.toSorted((a, b) => a.start.row - b.start.row)) {
    const last = merged.at(-1)
    if (last !== undefined && start.row <= last.to + 1) last.to = Math.max(last.to, end.row)
    else merged.push({ from: start.row, to: end.row })
  }
  return merged.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))
}
