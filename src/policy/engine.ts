import { byCodePoint } from './code-point.ts'
import type { Data } from './data.gen.ts'
import type { Capabilities, Verdict } from './decision.gen.ts'
import { PolicyError } from './errors.ts'
import type { Input } from './input.gen.ts'
import { loadWasmPolicy, type WasmPolicy } from './opa-wasm.ts'

/** The questions a policy answers, all of them about one revision of policy and data. */
export interface Engine {
  /** Names policy and data: `<bundle revision>+<data digest>`. */
  readonly revision: string
  /** @throws {PolicyError} and nothing else, whatever the WASM module does. */
  decide(input: Input): Verdict
  /** Undefined under an unknown virtual server. Servers and names sorted by code point. @throws {PolicyError} */
  capabilities(input: Input): Capabilities | undefined
  /** Those of `input.resource.names` that may be called, in their order. @throws {PolicyError} */
  visible(input: Input): readonly string[]
}

/** Checks of what the module answers; built from schemas/decision.json by whoever makes the engine. */
export interface AnswerChecks {
  verdict(value: unknown): value is Verdict
  capabilities(value: unknown): value is Capabilities
}

/** Items that were seen with a definition that the catalogue does not approve: server id, type, the server's own name. */
export type ChangedDefinitions = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, true>>>>>>

export interface EngineOptions {
  /** The bundle's policy.wasm. */
  readonly wasm: Uint8Array
  readonly revision: string
  readonly data: Data
  /** What does not exist, whatever the data say. Default: nothing. */
  readonly changed?: ChangedDefinitions
  readonly checks: AnswerChecks
  /** Cap of the module's memory in bytes, data included; default 1 GiB. More is a `PolicyError`, never a crash. */
  readonly maxMemoryBytes?: number
}

const entrypoint = {
  decision: 'mcp/authz/decision',
  capabilities: 'mcp/authz/capabilities',
  visible: 'mcp/authz/visible',
  index: 'mcp/authz/index',
} as const

/**
 * Makes an engine from a compiled policy and its data. Synchronous: data of 10,000 tools takes some 30 ms.
 * @throws {PolicyError} `bundle_unusable` for a module this host cannot run
 */
export function createEngine(options: EngineOptions): Engine {
  const { revision, checks } = options
  const policy = load(options)
  const ids = Object.fromEntries(
    Object.entries(entrypoint).map(([name, path]) => [name, idOf(policy, path)]),
  ) as Record<keyof typeof entrypoint, number>
  return {
    revision,
    decide(input) {
      const answer = policy.evaluate(input, ids.decision)
      if (!checks.verdict(answer)) throw new PolicyError('evaluation_failed', 'the decision does not fit its schema')
      return answer
    },
    capabilities(input) {
      const answer = policy.evaluate(input, ids.capabilities)
      if (answer === undefined) return undefined
      if (!checks.capabilities(answer)) {
        throw new PolicyError('evaluation_failed', 'the capabilities do not fit their schema')
      }
      return sorted(answer)
    },
    visible(input) {
      const answer = policy.evaluate(input, ids.visible)
      if (!isListOfStrings(answer)) throw new PolicyError('evaluation_failed', 'the visible names are not a list')
      return answer
    },
  }
}

function load({ wasm, data, changed = {}, maxMemoryBytes = 1 << 30 }: EngineOptions): WasmPolicy {
  const policy = loadWasmPolicy(wasm, JSON.stringify(data).length, maxMemoryBytes)
  policy.setData({ mcp: data })
  // The index is computed by the policy itself, once, and put beside the data it was computed from.
  const index = policy.evaluate({}, idOf(policy, entrypoint.index))
  if (index === undefined) throw new PolicyError('bundle_unusable', 'the index of the catalogue is undefined')
  policy.setData({ mcp: data, mcp_index: index, mcp_changed: changed })
  return policy
}

function idOf(policy: WasmPolicy, path: string): number {
  const id = Object.hasOwn(policy.entrypoints, path) ? policy.entrypoints[path] : undefined
  if (id === undefined) throw new PolicyError('bundle_unusable', `the policy has no entrypoint ${path}`)
  return id
}

// WASM gives objects in hash order, and the result is signed.
function sorted(capabilities: Capabilities): Capabilities {
  return {
    tools: sortedServers(capabilities.tools),
    prompts: sortedServers(capabilities.prompts),
    resources: sortedServers(capabilities.resources),
    templates: sortedServers(capabilities.templates),
  }
}

function sortedServers(names: Capabilities['tools']): Capabilities['tools'] {
  return Object.fromEntries(
    Object.keys(names)
      .sort(byCodePoint)
      .map((server) => [server, [...(names[server] ?? [])].sort(byCodePoint)]),
  )
}

function isListOfStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string')
}
