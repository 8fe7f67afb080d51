import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Data } from '../../src/policy/data.gen.ts'
import type { Verdict } from '../../src/policy/decision.gen.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { root, toolPath } from '../../tools/paths.ts'

/** OPA's own interpreter, if it is installed. */
export const opa = toolPath('opa')

// The data documents are put in one by one: data.mcp also holds the policy's packages. No index is given, so that the
// policy computes it as it goes, where the engine is given it.
const query = `[d | some input_ in input.inputs
  d := data.mcp.authz.decision with input as input_
    with data.mcp.servers as input.data.servers
    with data.mcp.virtual_servers as input.data.virtual_servers
    with data.mcp.roles as input.data.roles
    with data.mcp.settings as input.data.settings]`

/** Decides many inputs by OPA's interpreter, in one run of it. */
export function decideByOpa(data: Data, inputs: readonly Input[]): Verdict[] {
  if (opa === undefined) throw new Error('OPA is not installed: npm run tools')
  const whole = { servers: {}, virtual_servers: {}, roles: {}, settings: {}, ...data }
  const args = ['eval', '--format', 'json', '--stdin-input', '--data', join(root, 'policies'), query]
  const { stdout, stderr } = spawnSync(opa, args, {
    input: JSON.stringify({ data: whole, inputs }),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const { result, errors } = JSON.parse(stdout) as {
    result?: { expressions: { value: Verdict[] }[] }[]
    errors?: unknown
  }
  const verdicts = result?.[0]?.expressions[0]?.value
  if (verdicts?.length !== inputs.length) throw new Error(`OPA: ${stderr} ${JSON.stringify(errors)}`)
  return verdicts
}
