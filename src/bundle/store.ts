import { createHash } from 'node:crypto'
import type { Data } from '../policy/data.gen.ts'
import { type AnswerChecks, type ChangedDefinitions, createEngine, type Engine } from '../policy/engine.ts'
import { PolicyError } from '../policy/errors.ts'
import { buildInput } from '../policy/input.ts'
import type { Bundle } from './bundle.ts'

/** Holds the one engine that decides. A request that took it keeps it to its end: no request sees half of a swap. */
export interface Store {
  /** Undefined until the first good bundle and data are in. */
  current(): Engine | undefined
  /**
   * Builds an engine of the bundle and data, tries it, and only then puts it in place.
   * @param changed - what does not exist, whatever the data say; default: nothing
   * @throws {PolicyError} and leaves the one in place serving
   */
  replace(bundle: Bundle, data: Data, changed?: ChangedDefinitions): Engine
}

/** Makes an empty store. */
export function createStore(checks: AnswerChecks): Store {
  let engine: Engine | undefined
  return {
    current: () => engine,
    replace(bundle, data, changed = {}) {
      const revision = revisionOf(bundle, data, changed)
      const next = createEngine({ wasm: bundle.wasm, revision, data, changed, checks })
      tryOut(next)
      engine = next
      return next
    },
  }
}

function revisionOf(bundle: Bundle, data: Data, changed: ChangedDefinitions): string {
  const hash = createHash('sha256').update(JSON.stringify(data))
  // Two processes with the same files say the same, as long as neither saw anything else.
  if (Object.keys(changed).length > 0) hash.update(JSON.stringify(changed))
  const digest = hash.digest('hex')
  return `${bundle.revision}+${digest.slice(0, 12)}`
}

// A policy that lets a subject without any grant call what no server has is not one to put in place.
function tryOut(engine: Engine): void {
  const question = {
    subject: { id: 'nobody', grants: {}, roles: [] },
    virtualServers: [],
    profile: 'strict',
  } as const
  const call = buildInput({ ...question, action: 'tools/call', target: { type: 'tool', name: '\u0000no such tool' } })
  if (engine.decide(call).allow) throw new PolicyError('bundle_unusable', 'it allows a call that nothing grants')
  const capabilities = engine.capabilities(call)
  if (capabilities === undefined) throw new PolicyError('bundle_unusable', 'its capabilities are undefined')
  if (Object.values(capabilities).some((servers) => Object.keys(servers as object).length > 0)) {
    throw new PolicyError('bundle_unusable', 'it gives capabilities to a subject without any grant')
  }
}
