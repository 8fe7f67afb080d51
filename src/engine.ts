// `mcp-authz/policy`: the decision alone, for whoever brings subjects and requests of their own.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readBundle } from './bundle/bundle.ts'
import { createStore, type Store } from './bundle/store.ts'
import { parseData } from './config/data.ts'
import { validatorOf } from './config/schema.ts'
import type { Data } from './policy/data.gen.ts'
import type { Capabilities, Verdict } from './policy/decision.gen.ts'
import type { Engine } from './policy/engine.ts'

export type { Data } from './policy/data.gen.ts'
export type { Capabilities, PolicyReason, ReasonCode, Verdict } from './policy/decision.gen.ts'
export type { Engine } from './policy/engine.ts'
export { PolicyError } from './policy/errors.ts'
export type { Input } from './policy/input.gen.ts'
export { buildInput, type Question } from './policy/input.ts'
export { categoryOf, messageOf } from './policy/reasons.ts'

/** The bundle that ships with the package. */
export const shippedBundle: string = fileURLToPath(new URL('../bundles/mcp-authz.tar.gz', import.meta.url))

/** A store whose engines' answers are held against schemas/decision.json. */
export function createCheckedStore(): Store {
  const verdict = validatorOf<Verdict>('decision', 'verdict')
  const capabilities = validatorOf<Capabilities>('decision', 'capabilities')
  return createStore({
    verdict: (value): value is Verdict => verdict(value),
    capabilities: (value): value is Capabilities => capabilities(value),
  })
}

/**
 * Loads a policy with its data.
 * @param options.bundle file of an OPA bundle; default: the one that ships with the package
 * @param options.data the documents under data.mcp, checked as data files are
 * @throws {PolicyError} for a bundle that cannot be used, `ConfigError` for data that cannot
 */
export async function loadEngine({ bundle = shippedBundle, data }: { bundle?: string; data: Data }): Promise<Engine> {
  const checked = parseData([{ file: 'data.json', text: JSON.stringify(data) }])
  return createCheckedStore().replace(await readBundle(await readFile(bundle)), checked)
}
