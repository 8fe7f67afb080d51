import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Verdict } from '../../src/policy/decision.gen.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { root, toolPath } from '../../tools/paths.ts'

/** OPA's own interpreter, if it is installed. */
export const opa = toolPath('opa')

const query = '[d | some asked in input; d := data.mcp.authz.decision with input as asked]'

/**
 * Decides many inputs by OPA's interpreter, in one run of it. No index is given, so that the policy computes it as it
 * goes, where the engine is given it.
 */
export function decideByOpa(data: Data, inputs: readonly Input[]): Verdict[] {
  if (opa === undefined) throw new Error('OPA is not installed: npm run tools')
  const directory = mkdtempSync(join(tmpdir(), 'opa-'))
  try {
    const documents = join(directory, 'data.json')
    writeFileSync(documents, JSON.stringify({ mcp: data }))
    const args = [
      'eval',
      '--format',
      'json',
      '--stdin-input',
      '--data',
      join(root, 'policies'),
      '--data',
      documents,
      query,
    ]
    const { stdout, stderr } = spawnSync(opa, args, {
      input: JSON.stringify(inputs),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    const { result, errors } = JSON.parse(stdout) as Evaluated
    const verdicts = result?.[0]?.expressions[0]?.value
    if (verdicts?.length !== inputs.length) throw new Error(`OPA: ${stderr} ${JSON.stringify(errors)}`)
    return verdicts
  } finally {
    rmSync(directory, { recursive: true })
  }
}

interface Evaluated {
  readonly result?: readonly { readonly expressions: readonly { readonly value: Verdict[] }[] }[]
  readonly errors?: unknown
}
