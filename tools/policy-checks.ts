import { join } from 'node:path'
import { type CoverageReport, uncovered } from './policy-coverage.ts'
import { type Finding, structureFindings } from './policy-structure.ts'
import { errorsOf, type OpaError, type ParsedFile, parsePolicies } from './policy-trees.ts'
import { type Finished, runCommand } from './run-command.ts'
import { wasmCapabilities } from './wasm-capabilities.ts'

/** What the checks look at: `policies/` and `schemas/` of this folder, with this OPA. */
export interface PolicyTree {
  readonly opa: string
  readonly root: string
}

/** What a check found, one line each; none means that it holds. */
export type Problems = readonly string[]

interface TestResult {
  readonly package: string
  readonly name: string
  readonly fail?: boolean
  readonly skip?: boolean
  readonly error?: { readonly message?: string }
  readonly location: { readonly file: string; readonly row: number }
}

/** Whether every file is as `opa fmt` writes it. */
export async function checkFormat({ opa, root }: PolicyTree): Promise<Problems> {
  const output = await runCommand(opa, ['fmt', '--fail', '--list', 'policies'], { cwd: root })
  if (output.code === 0) return []
  const files = linesOf(output.stdout)
  return files.length === 0 ? said(output) : files.map((file) => `${file}: run \`.tools/opa fmt --write ${file}\``)
}

/**
 * Whether input and data are read as the schemas say, and nothing is called that the WASM host lacks. Not in bundle mode,
 * in which the manifest's roots would refuse the tests' packages; building the bundle holds the rest to them.
 */
export async function checkTypes({ opa, root }: PolicyTree): Promise<Problems> {
  const settings = ['--strict', '--schema', 'schemas', '--capabilities', wasmCapabilities, '--max-errors', '100']
  const output = await runCommand(opa, ['check', ...settings, '-f', 'json', 'policies'], { cwd: root })
  if (output.code === 0) return []
  const errors = errorsOf(`${output.stdout}${output.stderr}`)
  return errors.length === 0 ? said(output) : errors.map(errorLine)
}

// A test has five seconds by default, which a busy machine spends on the longest names.
const patience = ['--timeout', '60s']

/** Whether every test holds, and there is one, in OPA's interpreter or in the compiled module. */
export async function checkTests({ opa, root }: PolicyTree, target: 'rego' | 'wasm'): Promise<Problems> {
  const settings = ['-t', target, ...patience, '--capabilities', wasmCapabilities, '--fail-on-empty', '-f', 'json']
  const output = await runCommand(opa, ['test', ...settings, 'policies'], { cwd: root })
  if (output.code === 0) return []
  if (!output.stdout.trimStart().startsWith('[')) return said(output)
  const results = JSON.parse(output.stdout) as readonly TestResult[]
  const bad = results.filter(({ fail, skip, error }) => fail === true || skip === true || error !== undefined)
  return bad.length === 0 ? ['no test was found below policies/'] : bad.map(resultLine)
}

/** Whether the tests reach every line of every shipped file. */
export async function checkCoverage(tree: PolicyTree, files: readonly ParsedFile[]): Promise<Problems> {
  const settings = [...patience, '--capabilities', wasmCapabilities, '--coverage', '-f', 'json']
  const output = await runCommand(tree.opa, ['test', ...settings, 'policies'], { cwd: tree.root })
  if (!output.stdout.trimStart().startsWith('{')) return ['no coverage, because the tests do not pass']
  return uncovered(JSON.parse(output.stdout) as CoverageReport, files, 'policies/')
}

/** Whether the structural rules hold. */
export function checkStructure(files: readonly ParsedFile[]): Problems {
  return structureFindings(files).map(findingLine)
}

/** Every policy file, parsed once for the checks that need its syntax. */
export async function parsedFiles({ opa, root }: PolicyTree): Promise<readonly ParsedFile[]> {
  return await parsePolicies(opa, join(root, 'policies'))
}

function errorLine({ message, code, location, details }: OpaError): string {
  const place = location === undefined ? '' : `${location.file}:${location.row}:${location.col}: `
  const known = details?.oneOf === undefined ? '' : `, known here: ${details.oneOf.join(', ')}`
  return `${place}${code === undefined ? '' : `${code}: `}${message}${known}`
}

function resultLine({ package: name, name: test, skip, error, location }: TestResult): string {
  const outcome = error === undefined ? (skip === true ? 'is skipped' : 'fails') : `fails: ${error.message ?? 'error'}`
  return `${location.file}:${location.row}: ${name}.${test} ${outcome}`
}

function findingLine({ file, row, col, rule, message }: Finding): string {
  return `policies/${file}:${row}:${col}: ${rule}: ${message}`
}

function said(output: Finished): Problems {
  const lines = linesOf(`${output.stdout}\n${output.stderr}`)
  return lines.length === 0 ? [`opa ended with code ${output.code}`] : lines
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}
