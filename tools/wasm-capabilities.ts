// node tools/wasm-capabilities.ts: writes what a policy may call, so that a builtin the WASM host lacks fails the build.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root, toolPath } from './paths.ts'
import { lastWords, runCommand } from './run-command.ts'

/** The committed list: given to `opa check`, `opa test` and `opa build`. */
export const wasmCapabilities = join(root, 'tools/wasm-capabilities.json')

/** The list's text, or why it cannot be made here: it takes OPA, and OPA's own sources out of Go's module cache. */
export type Listed = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

interface Builtin {
  readonly name: string
  readonly deprecated?: boolean
}

/** The compiler erases these or resolves them; nothing of them is left for the host to supply. */
const compiledAway = new Set([
  'print',
  'internal.print',
  'internal.test_case',
  'rego.metadata.rule',
  'rego.metadata.chain',
])

/** Computes the list from the installed OPA: the builtins that its compiler puts into the module itself. */
export async function listWasmCapabilities(): Promise<Listed> {
  const opa = toolPath('opa')
  if (opa === undefined) return { ok: false, reason: 'OPA is missing or out of date: run `npm run tools`' }
  const module = ['list', '-m', '-f', '{{.Dir}}', 'github.com/open-policy-agent/opa']
  const sources = await runCommand('go', module, { cwd: join(root, 'tools'), env: { GOWORK: 'off' } })
  const folder = sources.stdout.trim()
  if (sources.code !== 0) return { ok: false, reason: `Go does not find the sources of OPA\n${lastWords(sources)}` }
  if (folder === '') return { ok: false, reason: "OPA's sources are not in Go's module cache" }
  const current = await runCommand(opa, ['capabilities', '--current'])
  if (current.code !== 0) return { ok: false, reason: `\`opa capabilities\` failed\n${lastWords(current)}` }
  const about = JSON.parse(await readFile(join(folder, 'builtin_metadata.json'), 'utf8')) as Record<string, unknown>
  return { ok: true, text: narrowed(JSON.parse(current.stdout) as Record<string, unknown>, about) }
}

function narrowed(current: Record<string, unknown>, about: Record<string, unknown>): string {
  const inModule = ({ name, deprecated }: Builtin) =>
    deprecated !== true && (compiledAway.has(name) || saysWasm(Object.hasOwn(about, name) ? about[name] : undefined))
  const builtins = (current['builtins'] as readonly Builtin[]).filter(inModule)
  // Builds with and without the WebAssembly runtime differ in this key alone.
  const { wasm_abi_versions: _, ...rest } = current
  return `${JSON.stringify({ ...rest, builtins, allow_net: [] }, null, 2)}\n`
}

function saysWasm(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'wasm' in entry && entry.wasm === true
}

if (import.meta.main) {
  const listed = await listWasmCapabilities()
  if (!listed.ok) {
    process.stderr.write(`${listed.reason}\n`)
    process.exitCode = 1
  } else if (!process.argv.includes('--check')) {
    await writeFile(wasmCapabilities, listed.text)
  } else if ((await readFile(wasmCapabilities, 'utf8')) !== listed.text) {
    process.stderr.write('tools/wasm-capabilities.json is out of date: run `node tools/wasm-capabilities.ts`\n')
    process.exitCode = 1
  }
}
