import { setTimeout as sleep } from 'node:timers/promises'

/** Wakes somebody who waits. */
export interface Bell {
  ring(): void
  /** Resolves after a time, once it was rung, but not before `leastMs`, or when the signal aborts. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

/** A bell that whoever rings it without end does not make anybody run without end. */
export function createBell(leastMs: number): Bell {
  let isRung = false
  let wake: (() => void) | undefined
  return {
    ring() {
      isRung = true
      wake?.()
    },
    async wait(ms, signal) {
      const least = Math.min(leastMs, ms)
      await rest(least, signal)
      if (!isRung && !signal.aborted) {
        const woken = new AbortController()
        wake = () => woken.abort()
        await rest(ms - least, AbortSignal.any([signal, woken.signal]))
        wake = undefined
      }
      isRung = false
    },
  }
}

/** Resolves after a time or when the signal aborts. Keeps no process alive. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { ref: false, signal }).catch(() => undefined)
}
