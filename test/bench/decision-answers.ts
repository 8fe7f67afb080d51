// What the decision is asked about, and what every one that decides must say.
import { isDeepStrictEqual } from 'node:util'
import type { Engine } from '../../src/policy/engine.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { buildInput } from '../../src/policy/input.ts'
import { createAsker } from './http-client.ts'
import { call, type Workload } from './workload.ts'

/** Names, and whether they may be called. */
const known = [
  [call.visible, true],
  [call.forbidden, false],
] as const

/** What the policy is asked about a tool, by its client-visible name. */
export function inputFor({ subject }: Workload, name: string): Input {
  const target = { type: 'tool', name } as const
  return buildInput({ subject, action: 'tools/call', target, virtualServers: [], profile: 'strict' })
}

/** The same question in AuthZEN's words, with the token instead of what it says. */
export function evaluationFor({ subject, token }: Workload, name: string): object {
  return {
    subject: { type: 'user', id: subject.id, properties: { token } },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: name },
  }
}

/** Yes and no, for the same reasons, from both. @throws Error when they do not agree */
export async function verifyDecisions(engine: Engine, opaAddress: string, workload: Workload): Promise<void> {
  for (const [name, allow] of known) {
    const input = inputFor(workload, name)
    const verdict = engine.decide(input)
    const { result } = await askOnce<{ result?: unknown }>(opaAddress, '/v1/data/mcp/authz/decision', { input })
    if (verdict.allow !== allow || !isDeepStrictEqual(result, verdict)) {
      throw new Error(
        `wrong answers, so nothing is measured: about \`${name}\` engine and OPA do not both say ${allow}`,
      )
    }
  }
}

/** Yes and no through the HTTP door. @throws Error when it says otherwise */
export async function verifyAuthzen(address: string, workload: Workload): Promise<void> {
  for (const [name, allow] of known) {
    const question = evaluationFor(workload, name)
    const { decision } = await askOnce<{ decision?: unknown }>(address, '/access/v1/evaluation', question)
    if (decision !== allow) {
      throw new Error(`a wrong answer, so nothing is measured: about \`${name}\` the HTTP door does not say ${allow}`)
    }
  }
}

async function askOnce<T>(address: string, path: string, question: object): Promise<T> {
  const asker = createAsker(address, path, question)
  return (await asker.ask().finally(() => asker.close())) as T
}
