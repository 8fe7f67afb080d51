// The one file that touches the SDK, and closes its known holes: JSON bytes go in only as an ArrayBuffer we made (a
// Uint8Array it would serialise once more, as an object), builtins are checked at load, memory is pre-sized and capped.
import * as sdk from '@open-policy-agent/opa-wasm'
import { PolicyError, textOf } from './errors.ts'

/** A loaded WASM policy with its data. */
export interface WasmPolicy {
  readonly entrypoints: Readonly<Record<string, number>>
  /** The result of an entrypoint, undefined where the policy gives none. @throws {PolicyError} and nothing else */
  evaluate(input: unknown, entrypoint: number): unknown
  /** Replaces the whole data document. @throws {PolicyError} */
  setData(data: unknown): void
}

interface SdkPolicy {
  readonly entrypoints: Record<string, number>
  /** Undefined for a module that does not say. */
  readonly minorVersion: number | undefined
  readonly mem: { readonly buffer: ArrayBuffer }
  readonly wasmInstance: { readonly exports: Record<string, (...args: number[]) => number> }
  evaluate(input: ArrayBuffer, entrypoint: number): unknown
  setData(data: ArrayBuffer): void
}

// Its declarations name no default export, its module has no named `loadPolicySync`; the async one loads undici.
const { loadPolicySync } = (sdk as unknown as { default: { loadPolicySync: LoadPolicySync } }).default
type LoadPolicySync = (
  wasm: ArrayBuffer,
  memory: { initial: number; maximum: number },
  builtins: Record<string, never>,
) => SdkPolicy

const pageBytes = 65_536
const encoder = new TextEncoder()

/**
 * Instantiates a policy.
 * @param expectedDataBytes size of the data's JSON, to size the memory by: growing in small steps is slow
 * @throws {PolicyError} `bundle_unusable` for a module this host cannot run
 */
export function loadWasmPolicy(wasm: Uint8Array, expectedDataBytes: number, maxMemoryBytes: number): WasmPolicy {
  const maximum = Math.floor(maxMemoryBytes / pageBytes)
  // Parsed data takes about eight times its text; it is set twice, the second time with its index.
  const initial = Math.min(32 + Math.ceil((expectedDataBytes * 20) / pageBytes), maximum)
  let policy: SdkPolicy
  try {
    // Not `slice`: that of a Buffer is a view of the same memory, and its `buffer` is all of it.
    policy = loadPolicySync(Uint8Array.from(wasm).buffer, { initial, maximum }, {})
  } catch (thrown) {
    throw new PolicyError('bundle_unusable', textOf(thrown))
  }
  checkModule(policy)
  return {
    entrypoints: policy.entrypoints,
    evaluate: (input, entrypoint) => attempt(() => firstResult(policy.evaluate(bytesOf(input), entrypoint))),
    setData: (data) => attempt(() => policy.setData(bytesOf(data))),
  }
}

// The SDK throws strings and plain objects; nothing else than a PolicyError leaves this file.
function attempt<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    throw new PolicyError('evaluation_failed', textOf(thrown))
  }
}

function bytesOf(value: unknown): ArrayBuffer {
  const text = JSON.stringify(value)
  if (text === undefined) throw new PolicyError('evaluation_failed', 'the value has no JSON')
  // The module aborts at some of them and lets others pass as bytes that are not UTF-8.
  if (text.includes('\\ud') && halfOfPair.test(text)) {
    throw new PolicyError('evaluation_failed', 'a string holds half of a surrogate pair')
  }
  const bytes = encoder.encode(text)
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer
}

// `JSON.stringify` writes pairs as they are and halves as escapes; before an escape stand complete escapes alone.
const halfOfPair = /(?<!\\)(?:\\\\)*\\ud[89a-f]/

function firstResult(results: unknown): unknown {
  if (!Array.isArray(results)) throw new PolicyError('evaluation_failed', 'the policy gave no result set')
  return results[0]?.result
}

// A builtin the host lacks would fail at the request that needs it; an older ABI would take a path nobody tests.
function checkModule(policy: SdkPolicy): void {
  const { minorVersion } = policy
  if (minorVersion === undefined || minorVersion < 3) {
    throw new PolicyError('bundle_unusable', `the policy has ABI 1.${minorVersion ?? '?'}, this host needs 1.3`)
  }
  const missing = attempt(() => Object.keys(JSON.parse(builtinsOf(policy)) as object))
  if (missing.length > 0) {
    throw new PolicyError('bundle_unusable', `the policy needs builtins this host lacks: ${missing.join(', ')}`)
  }
}

function builtinsOf(policy: SdkPolicy): string {
  const { builtins, opa_json_dump: dump } = policy.wasmInstance.exports
  if (builtins === undefined || dump === undefined) return '{"(the module does not say)":0}'
  const start = dump(builtins())
  const memory = new Uint8Array(policy.mem.buffer)
  return new TextDecoder().decode(memory.subarray(start, memory.indexOf(0, start)))
}
