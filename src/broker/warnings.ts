import type { Wording } from './wording.ts'

/** What an operator is told of one server. */
export interface Warnings {
  /** It is away; said once until it is back. */
  outage(error: string | undefined): void
  back(): void
  /** Something of a list was left out; said once. */
  flaw(text: string): void
}

const maxFlaws = 100

export function createWarnings(id: string, wording: Wording, onWarning: (text: string) => void): Warnings {
  const flaws = new Set<string>()
  let isAway = false
  return {
    outage(error) {
      if (!isAway) onWarning(`server \`${id}\` is not reachable: ${error ?? 'unknown'}`)
      isAway = true
    },
    back() {
      if (isAway) onWarning(`server \`${id}\` is reachable again`)
      isAway = false
    },
    flaw(text) {
      const line = wording.line(text)
      if (flaws.has(line) || flaws.size >= maxFlaws) return
      flaws.add(line)
      onWarning(`server \`${id}\`: ${line}`)
    },
  }
}
