import type { Minted, Minter } from '../capabilities/mint.ts'
import type { Subject } from '../identity/subject.ts'
import type { Capabilities } from '../policy/decision.gen.ts'
import type { Engine } from '../policy/engine.ts'
import { PolicyError } from '../policy/errors.ts'
import { buildInput } from '../policy/input.ts'
import { createKeptTokens } from './kept-tokens.ts'
import type { Scope } from './verdicts.ts'

/** What a token is minted for beside the subject and the scope. */
export interface TokenUse {
  /** The MCP session of the request, where it has one. */
  readonly session?: string | undefined
  /** The one server that is addressed, where it is known. */
  readonly server?: string | undefined
}

/** What a subject may use, computed and minted once per subject, scope and revision. */
export interface SubjectViews {
  /** @throws {PolicyError} */
  capabilities(engine: Engine, scope: Scope): Capabilities
  /** @throws {Error} when policy or signing fails */
  token(engine: Engine, scope: Scope, use: TokenUse): Promise<Minted>
}

interface View {
  readonly capabilities: Capabilities
}

/**
 * A view is kept with the subject object, which the authenticator keeps with the verified token: it dies with the
 * token, with the revision, and for the minted half also when half of its life is over, another key signs, or others
 * need the room.
 */
export function createSubjectViews(options: {
  readonly minter: Minter | undefined
  readonly now: () => number
}): SubjectViews {
  const { minter, now } = options
  const tokens = createKeptTokens()
  const bySubject = new WeakMap<Subject, { readonly revision: string; readonly views: Map<string, View> }>()

  function viewOf(engine: Engine, { subject, ...scope }: Scope): View {
    let kept = bySubject.get(subject)
    if (kept?.revision !== engine.revision) {
      kept = { revision: engine.revision, views: new Map() }
      bySubject.set(subject, kept)
    }
    // Only known virtual servers and verified peers get here: no subject can grow this map as it likes.
    const key = JSON.stringify(scope)
    const found = kept.views.get(key)
    if (found !== undefined) return found
    const target = { type: 'server' } as const
    const capabilities = engine.capabilities(buildInput({ ...scope, subject, action: 'tools/list', target }))
    if (capabilities === undefined) throw new PolicyError('evaluation_failed', 'the capabilities are undefined')
    const view: View = { capabilities }
    kept.views.set(key, view)
    return view
  }

  return {
    capabilities: (engine, scope) => viewOf(engine, scope).capabilities,
    async token(engine, scope, { session, server }) {
      const view = viewOf(engine, scope)
      if (minter === undefined) throw new Error('nothing mints here')
      const whole = {
        subject: scope.subject,
        capabilities: view.capabilities,
        revision: engine.revision,
        session: minter.bound ? session : undefined,
      }
      const minted = await tokens.token(view, minter, whole, now() / 1000)
      if (minted.ok || !minter.narrows || server === undefined) return minted
      return await tokens.token(view, minter, { ...whole, server }, now() / 1000)
    },
  }
}
