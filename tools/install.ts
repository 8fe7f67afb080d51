// npm run tools: installs what development and the tests use beside npm packages into .tools/, once for each pinned version.
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inputsOf, pinnedVersion, pins, stampPath, type ToolName, toolPath, toolsFolder } from './paths.ts'
import { recipes } from './recipes.ts'
import type { Installed } from './run-command.ts'

const usage = 'usage: npm run tools -- [--only opa|envoy|ghz|redis|keycloak|python-mcp1|python-mcp2]... [--for-tests]'
const usedByTests: readonly ToolName[] = ['opa', 'envoy', 'redis', 'keycloak', 'python-mcp1', 'python-mcp2']
const everyTool = Object.keys(pins) as ToolName[]

async function main(args: readonly string[]): Promise<number> {
  const asked = readArguments(args)
  if (asked === undefined) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  let missing = 0
  for (const name of asked.names) if (!(await ensure(name))) missing += 1
  if (missing === 0) return 0
  if (!asked.forTests) return 1
  if (!inCi()) return 0
  process.stdout.write('CI is set, so nothing may be left out: install what is named above\n')
  return 1
}

function readArguments(args: readonly string[]): { names: readonly ToolName[]; forTests: boolean } | undefined {
  try {
    const options = { only: { type: 'string', multiple: true }, 'for-tests': { type: 'boolean' } } as const
    const { values } = parseArgs({ args: [...args], options })
    const forTests = values['for-tests'] === true
    const only = values.only ?? (forTests ? usedByTests : everyTool)
    const names = everyTool.filter((name) => only.includes(name))
    return names.length === new Set(only).size ? { names, forTests } : undefined
  } catch {
    return undefined
  }
}

function inCi(): boolean {
  return !['', '0', 'false'].includes(process.env['CI'] ?? '')
}

async function ensure(name: ToolName): Promise<boolean> {
  const label = `${name} ${pinnedVersion(name)}`
  if (toolPath(name) !== undefined) {
    process.stdout.write(`${label}: ok\n`)
    return true
  }
  process.stdout.write(`${label}: ${recipes[name].doing} ... `)
  const started = performance.now()
  const done = await install(name)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (done.ok) process.stdout.write(`${done.how}, ${seconds} s\n`)
  else process.stdout.write(`not installed\n  ${done.reason}\n  left out without ${name}: ${recipes[name].without}\n`)
  return done.ok
}

/** Everything happens in a folder beside the target; renaming is the last step, so a tool is there whole or not at all. */
async function install(name: ToolName): Promise<Installed> {
  await mkdir(toolsFolder, { recursive: true })
  const folder = await mkdtemp(join(toolsFolder, '.new-'))
  const sweep = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', sweep)
  try {
    const done = await recipes[name].install(folder)
    if (done.ok) await moveIntoPlace(name, folder)
    return done
  } finally {
    sweep()
    process.off('exit', sweep)
  }
}

async function moveIntoPlace(name: ToolName, folder: string): Promise<void> {
  const top = pins[name].program.split('/')[0] ?? name
  const target = join(toolsFolder, top)
  // Without a stamp the tool counts as missing, so a stop between these steps is mended by the next run.
  await rm(stampPath(name), { force: true })
  await rename(target, join(folder, 'old')).catch(() => undefined)
  await rename(join(folder, top), target)
  await writeFile(join(folder, 'stamp'), `${inputsOf(name)}\n`)
  await rename(join(folder, 'stamp'), stampPath(name))
}

// An interrupted run leaves by `exit`, where its temporary folder is swept away.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
process.exitCode = await main(process.argv.slice(2))
