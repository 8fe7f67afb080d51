// npm run policy: holds policies/ and everything generated from or for them against the rules, one line a check.
import { join } from 'node:path'
import { staleBundle } from './bundle.ts'
import { root, toolPath } from './paths.ts'
import {
  checkCoverage,
  checkFormat,
  checkStructure,
  checkTests,
  checkTypes,
  type PolicyTree,
  type Problems,
  parsedFiles,
} from './policy-checks.ts'
import { runCommand } from './run-command.ts'
import { listWasmCapabilities } from './wasm-capabilities.ts'

type Check = readonly [name: string, run: () => Promise<Problems>]

async function main(): Promise<boolean> {
  const opa = toolPath('opa')
  if (opa === undefined) {
    process.stderr.write('OPA is missing or out of date: run `npm run tools`\n')
    return false
  }
  let failed = 0
  for (const [name, run] of await checksOf({ opa, root })) if (!(await report(name, run))) failed += 1
  await advise()
  if (failed > 0) process.stdout.write(`${failed} of the policy checks failed\n`)
  return failed === 0
}

async function checksOf(tree: PolicyTree): Promise<readonly Check[]> {
  const files = await parsedFiles(tree)
  return [
    ['format', () => checkFormat(tree)],
    ['types against schemas', () => checkTypes(tree)],
    ['structure', async () => checkStructure(files)],
    ['tests, interpreted', () => checkTests(tree, 'rego')],
    ['coverage of every line', () => checkCoverage(tree, files)],
    ['tests, compiled', () => checkTests(tree, 'wasm')],
    ['bundle is current', async () => [await staleBundle()].filter((problem) => problem !== undefined)],
    ['generated files are current', () => scriptProblems('generate.ts')],
    ['capabilities are current', capabilityProblems],
  ]
}

async function report(name: string, run: () => Promise<Problems>): Promise<boolean> {
  const started = performance.now()
  const problems = await run().catch((error: unknown) => [String(error)])
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  process.stdout.write(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name}, ${seconds} s\n`)
  for (const problem of problems) process.stdout.write(`     ${problem.replaceAll('\n', '\n     ')}\n`)
  return problems.length === 0
}

async function scriptProblems(script: string): Promise<Problems> {
  const output = await runCommand(process.execPath, [join(root, 'tools', script), '--check'])
  return output.code === 0 ? [] : [`${output.stdout}${output.stderr}`.trim()]
}

/** An OPA from PATH comes without its sources, and so does a machine without Go: then there is nothing to compare with. */
async function capabilityProblems(): Promise<Problems> {
  const listed = await listWasmCapabilities()
  if (listed.ok) return await scriptProblems('wasm-capabilities.ts')
  process.stdout.write(`left out: capabilities are not compared (${listed.reason.split('\n')[0]})\n`)
  return []
}

/** Regal's version is the user's own, so what it finds is shown and decides nothing. */
async function advise(): Promise<void> {
  const regal = await runCommand('regal', ['lint', '--format', 'compact', 'policies'], { cwd: root })
  if (regal.code === 127)
    process.stdout.write('note: Regal is not on PATH; its advice is extra, the structure check above holds the rules\n')
  else process.stdout.write(`regal says:\n${regal.stdout}${regal.stderr}`)
}

process.exitCode = (await main()) ? 0 : 1
