// npm run bench: how fast the service and the decision are, beside peers that are measured in the same run.
import { rmSync } from 'node:fs'
import { mkdtemp, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { toolPath } from '../../tools/paths.ts'
import { brokerPart } from './broker-steps.ts'
import { checkPart } from './check-steps.ts'
import { killChildren, killChildrenOnExit } from './children.ts'
import { decisionPart } from './decision-steps.ts'
import { measure, type Step } from './figures.ts'
import { guardPart } from './guard-steps.ts'
import { formatReport, machineNow, type Report } from './report.ts'
import { startServiceProcess } from './service-process.ts'
import { missingTools, type Part, parts, type Tools } from './tools.ts'
import { makeWorkload } from './workload.ts'

const usage = `usage: npm run bench -- [--quick] [--only ${parts.join('|')}] [--json FILE]`

interface Arguments {
  /** One short round: whether it works, not how fast it is. */
  readonly quick: boolean
  readonly only: readonly Part[]
  readonly json: string | undefined
}

async function main(args: readonly string[]): Promise<number> {
  const asked = readArguments(args)
  if (asked === undefined) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  const tools: Tools = { opa: toolPath('opa'), ghz: toolPath('ghz') }
  const missing = missingTools(asked.only, tools)
  if (missing !== undefined) {
    process.stderr.write(`${missing}\n`)
    return 1
  }
  killChildrenOnExit()
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  try {
    const report = await run(folder, asked, tools)
    process.stdout.write(formatReport(report))
    if (asked.json !== undefined) await writeFile(asked.json, `${JSON.stringify(report, null, 2)}\n`)
    return 0
  } catch (thrown) {
    process.stderr.write(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`)
    return 1
  } finally {
    killChildren()
  }
}

function readArguments(args: readonly string[]): Arguments | undefined {
  const options = {
    quick: { type: 'boolean' },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
  } as const
  try {
    const { quick = false, only = parts, json } = parseArgs({ args: [...args], options }).values
    const known = parts.filter((part) => only.includes(part))
    return known.length === new Set<string>(only).size ? { quick, only: known, json } : undefined
  } catch {
    return undefined
  }
}

async function run(folder: string, { quick, only }: Arguments, tools: Tools): Promise<Report> {
  const machine = machineNow()
  const workload = await makeWorkload(folder)
  const service = await startServiceProcess(workload)
  const steps: Step[] = []
  const notes = ['one caller: the token is verified and the capability token minted once, and both are remembered']
  const bytes: Record<string, number> = {
    token: workload.token.length,
    catalogue: (await stat(workload.dataFile)).size,
  }
  if (only.includes('check')) {
    const check = await checkPart(tools.ghz ?? '', workload, service)
    steps.push(...check.steps)
    bytes['CheckRequest'] = workload.allowed.length
    bytes['CheckResponse'] = check.answerBytes
  }
  if (only.includes('decision')) {
    const decision = await decisionPart(tools.opa ?? '', workload, service)
    steps.push(...decision.steps)
    bytes["policy's input"] = decision.inputBytes
    if (!decision.samePolicies)
      notes.push('policies/ is newer than the bundle: OPA runs other rules, `npm run bundle` mends it')
  }
  const guard = only.includes('guard') ? await guardPart(workload) : undefined
  if (guard !== undefined) {
    steps.push(...guard.steps)
    bytes["handler's list"] = guard.listBytes
  }
  const broker = only.includes('broker') ? await brokerPart(workload) : undefined
  steps.push(...(broker?.steps ?? []))
  const [rounds, milliseconds] = quick ? [1, 200] : [5, 1500]
  try {
    // Not counted: compilers warm up, caches fill.
    if (!quick) await measure(steps, 1, milliseconds / 2, () => say('warming up'))
    const figures = await measure(steps, rounds, milliseconds, (round) => say(`round ${round} of ${rounds}`))
    return { machine, rounds, millisecondsPerStep: milliseconds, sizes: bytes, notes, figures }
  } finally {
    await guard?.close()
    await broker?.close()
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

process.exitCode = await main(process.argv.slice(2))
