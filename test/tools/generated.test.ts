import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generated } from '../../tools/generate.ts'
import { root } from '../../tools/paths.ts'
import { runCommand } from '../../tools/run-command.ts'
import { listWasmCapabilities, wasmCapabilities } from '../../tools/wasm-capabilities.ts'
import { opa } from './folders.ts'

interface Capabilities {
  readonly builtins: readonly { readonly name: string }[]
  readonly allow_net: readonly string[]
}

const listed = await listWasmCapabilities()
if (!listed.ok) process.stderr.write(`left out: the capabilities are not generated again (${listed.reason})\n`)

async function committed(): Promise<Capabilities> {
  return JSON.parse(await readFile(wasmCapabilities, 'utf8')) as Capabilities
}

describe('generated sources', () => {
  it('are what `npm run generate` writes', { timeout: 30_000 }, async () => {
    const files = await generated()
    expect(files.size).toBeGreaterThan(0)
    for (const [path, text] of files) expect(await readFile(join(root, path), 'utf8'), path).toBe(text)
  })
})

describe('the capabilities of the WASM host', () => {
  it('have no clock, no randomness, no network, and no builtin whose text would differ', async () => {
    const { builtins, allow_net: reachable } = await committed()
    const names = builtins.map(({ name }) => name)
    const foreign = [
      'sprintf',
      'http.send',
      'rand.intn',
      'uuid.rfc4122',
      'opa.runtime',
      'net.lookup_ip_addr',
      'yaml.unmarshal',
    ]
    for (const name of foreign) expect(names).not.toContain(name)
    expect(names.filter((name) => /^(time|crypto|io|rego\.parse_module)\b/.test(name))).toEqual([])
    expect(names).toContain('regex.match')
    expect(reachable).toEqual([])
  })

  it.runIf(opa)('are a part of what the installed OPA can do, unchanged', async () => {
    const current = JSON.parse((await runCommand(String(opa), ['capabilities', '--current'])).stdout) as Capabilities
    const { builtins } = await committed()
    const known = new Map(current.builtins.map((builtin) => [builtin.name, builtin]))
    for (const builtin of builtins) expect(builtin).toEqual(known.get(builtin.name))
  })

  it.runIf(listed.ok)('are what tools/wasm-capabilities.ts writes', async () => {
    expect(listed).toEqual({ ok: true, text: await readFile(wasmCapabilities, 'utf8') })
  })
})
