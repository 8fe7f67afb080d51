import { isAbsolute, resolve } from 'node:path'
import type { Path } from './located.ts'
import type { Finding } from './problem.ts'

/** What the checks beyond the schema have in common: where files are, what is known to be wrong, where to say more. */
export interface Check {
  /** An absolute path, relative ones taken from the configuration's directory. */
  absolute(file: string): string
  /** Whether something at, above or below the path was found before; what depends on it is better not looked at. */
  isBroken(path: Path): boolean
  /** Says what is wrong at a path, unless the path is broken already. */
  report(path: Path, message: string, mend: string): void
  /** A warning for the start, without secrets. */
  warn(text: string): void
}

export interface RunningCheck extends Check {
  readonly findings: readonly Finding[]
  readonly warnings: readonly string[]
}

/** A check over a document in which the paths of `broken` are wrong already. */
export function startCheck(directory: string, broken: readonly Path[]): RunningCheck {
  const findings: Finding[] = []
  const warnings: string[] = []
  const isBroken = (path: Path) => broken.some((other) => isOnOneWay(other, path))
  return {
    findings,
    warnings,
    isBroken,
    absolute: (file) => (isAbsolute(file) ? file : resolve(directory, file)),
    report: (path, message, mend) => {
      if (!isBroken(path)) findings.push({ path, message, mend })
    },
    warn: (text) => {
      warnings.push(text)
    },
  }
}

function isOnOneWay(a: Path, b: Path): boolean {
  const shorter = Math.min(a.length, b.length)
  return a.slice(0, shorter).every((step, index) => step === b[index])
}
