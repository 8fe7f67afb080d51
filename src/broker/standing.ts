import type { Presence, UpstreamState } from './keeper.ts'
import type { Warnings } from './warnings.ts'

/** How things stand with a server, and whoever must hear of it when that changes. */
export interface Standing {
  state(): UpstreamState
  presence(): Presence | undefined
  setState(next: Omit<UpstreamState, 'since'>): void
  setPresence(next: Presence | undefined): void
}

export function createStanding(now: () => number, warnings: Warnings, onChange: () => void): Standing {
  let state: UpstreamState = { kind: 'disabled', since: now() }
  let presence: Presence | undefined
  return {
    state: () => state,
    presence: () => presence,
    setState(next) {
      state = { ...next, since: next.kind === state.kind ? state.since : now() }
      if (next.kind === 'ready') warnings.back()
      if (next.kind === 'unreachable') warnings.outage(next.lastError)
    },
    setPresence(next) {
      const isNews = presence?.offer !== next?.offer
      presence = next
      if (isNews) onChange()
    },
  }
}
