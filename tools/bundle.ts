// npm run bundle: compiles policies/ into bundles/mcp-authz.tar.gz. With --check it compares with the committed file instead.
import { createHash } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { readArchive } from '../src/bundle/archive.ts'
import { textOf } from '../src/policy/errors.ts'
import { loadWasmPolicy } from '../src/policy/opa-wasm.ts'
import { root, toolPath } from './paths.ts'
import { runCommand } from './run-command.ts'
import { wasmCapabilities } from './wasm-capabilities.ts'

/** The bundle that ships with the package. */
export const committedBundle = join(root, 'bundles/mcp-authz.tar.gz')

/** What the host may ask, in an order that is part of the bundle's bytes. */
const entrypoints = ['decision', 'capabilities', 'visible', 'index'].map((name) => `mcp/authz/${name}`)

/** How a build went: the revision that the bundle names, or what is wrong, as OPA said it. */
export type Built = { readonly ok: true; readonly revision: string } | { readonly ok: false; readonly problem: string }

/**
 * Compiles a folder of policies. The bytes depend on the folder's content and OPA's version alone, never on place or time.
 *
 * @param policies the folder that holds `.manifest`
 * @param out where the bundle goes; it is replaced as a whole, and only by one that the engine can run
 */
export async function buildBundle(policies: string, out: string): Promise<Built> {
  const opa = toolPath('opa')
  if (opa === undefined) return { ok: false, problem: 'OPA is missing or out of date: run `npm run tools`' }
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-bundle-'))
  try {
    const built = join(folder, 'bundle.tar.gz')
    const revision = await revisionOf(policies)
    const problem = (await compile(opa, policies, revision, built)) ?? (await bundleProblem(built))
    if (problem !== undefined) return { ok: false, problem }
    await replace(built, out)
    return { ok: true, revision }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The first 12 hex digits of a SHA-256 over what goes into the bundle: each file's path, length and bytes, in path order. */
export async function revisionOf(policies: string): Promise<string> {
  const hash = createHash('sha256')
  for (const path of await bundledFiles(policies)) {
    const bytes = await readFile(join(policies, path))
    hash.update(`${path}\0${bytes.length}\0`).update(bytes)
  }
  return hash.digest('hex').slice(0, 12)
}

/**
 * Says whether the committed bundle is what its policies compile to.
 *
 * @returns what is wrong, or undefined
 */
export async function staleBundle(): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-bundle-'))
  try {
    const fresh = join(folder, 'fresh.tar.gz')
    const built = await buildBundle(join(root, 'policies'), fresh)
    if (!built.ok) return built.problem
    const committed = await readFile(committedBundle).catch(() => undefined)
    if (committed?.equals(await readFile(fresh)) === true) return undefined
    const state = committed === undefined ? 'is missing' : 'is not what policies/ compiles to'
    return `bundles/mcp-authz.tar.gz ${state}: run \`npm run bundle\` and commit it`
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The folder is named `.` from inside: any other spelling would end up in the archive and in the compiled policy. */
async function compile(opa: string, policies: string, revision: string, out: string): Promise<string | undefined> {
  const asked = entrypoints.flatMap((name) => ['-e', name])
  const settings = ['--ignore', '*_test.rego', '--capabilities', wasmCapabilities, '--revision', revision]
  const built = await runCommand(opa, ['build', '-t', 'wasm', '-b', '.', ...settings, ...asked, '-o', out], {
    cwd: policies,
  })
  return built.code === 0 ? undefined : `opa build: ${(built.stderr || built.stdout).trim()}`
}

/** Loads it as the service does, which refuses another ABI and a module that wants builtins from its host. */
async function bundleProblem(file: string): Promise<string | undefined> {
  try {
    const files = await readArchive(await readFile(file), { maxBytes: 2 ** 26, maxFiles: 1000 })
    const module = files.get('policy.wasm')
    if (module === undefined) return 'the bundle holds no policy.wasm'
    const { entrypoints: found } = loadWasmPolicy(module, 0, 2 ** 26)
    const missing = entrypoints.filter((name) => !Object.hasOwn(found, name))
    return missing.length === 0 ? undefined : `the bundle lacks the entrypoints ${missing.join(', ')}`
  } catch (error) {
    return `the service cannot load the bundle: ${textOf(error)}`
  }
}

async function bundledFiles(policies: string): Promise<string[]> {
  const entries = await readdir(policies, { recursive: true })
  const paths = entries.map((path) => path.split(sep).join('/'))
  return paths.filter((path) => isBundled(path.split('/').at(-1) ?? '')).sort()
}

/** What `opa build -b` takes up of a folder, tests left out. */
function isBundled(name: string): boolean {
  if (name.endsWith('.rego')) return !name.endsWith('_test.rego')
  return ['.manifest', 'data.json', 'data.yaml', 'data.yml'].includes(name)
}

async function replace(built: string, out: string): Promise<void> {
  await mkdir(dirname(out), { recursive: true })
  await copyFile(built, `${out}.new`)
  await rename(`${out}.new`, out)
}

async function main(args: string[]): Promise<string | undefined> {
  const { values } = parseArgs({ args, options: { check: { type: 'boolean' }, out: { type: 'string' } } })
  if (values.check === true) return await staleBundle()
  const out = values.out === undefined ? committedBundle : resolve(values.out)
  const built = await buildBundle(join(root, 'policies'), out)
  if (!built.ok) return built.problem
  process.stdout.write(`${out}: revision ${built.revision}\n`)
  return undefined
}

if (import.meta.main) {
  const problem = await main(process.argv.slice(2)).catch((error: unknown) => String(error))
  if (problem !== undefined) {
    process.stderr.write(`${problem}\n`)
    process.exitCode = 1
  }
}
