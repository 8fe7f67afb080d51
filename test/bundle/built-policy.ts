import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toolPath } from '../../tools/paths.ts'
import { runCommand } from '../../tools/run-command.ts'

/** OPA, if it is installed: what needs a policy that is not ours is left out without it. */
export const opa = toolPath('opa')
if (opa === undefined) process.stderr.write('left out: no foreign policy is compiled, OPA is not installed\n')

/** What the policy that ships with the package is asked. */
export const entrypoints = ['decision', 'capabilities', 'visible', 'index'] as const

/** Compiles rules of package mcp.authz as a bundle with our manifest. */
export async function buildPolicy(rules: string, asked: readonly string[] = entrypoints): Promise<Uint8Array> {
  if (opa === undefined) throw new Error('OPA is not installed: npm run tools')
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-policy-'))
  try {
    await writeFile(join(folder, 'policy.rego'), `package mcp.authz\n\n${rules}\n`)
    await writeFile(join(folder, '.manifest'), JSON.stringify({ roots: ['mcp/authz'], rego_version: 1 }))
    const wanted = asked.flatMap((name) => ['-e', `mcp/authz/${name}`])
    const args = ['build', '-t', 'wasm', '-b', '.', '--revision', 'foreign', '-o', 'out.tar.gz', ...wanted]
    const built = await runCommand(opa, args, { cwd: folder })
    if (built.code !== 0) throw new Error(built.stderr)
    return await readFile(join(folder, 'out.tar.gz'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Rules that answer everything and deny it. */
export const denyAll = {
  decision: 'decision := {"allow": false, "reasons": [{"code": "item_unknown"}], "resource": {"type": "tool"}}',
  capabilities: 'capabilities := {"tools": {}, "prompts": {}, "resources": {}, "templates": {}}',
  visible: 'visible := []',
  index: 'index := {}',
}

/** Those rules, with some of them replaced. */
export function rulesWith(changes: Partial<typeof denyAll>): string {
  return Object.values({ ...denyAll, ...changes }).join('\n\n')
}
