import { setTimeout as sleep } from 'node:timers/promises'
import { createFreshness, instant } from '../state/freshness.ts'
import type { Ledger, LedgerEntry } from '../state/ledger.ts'
import { type ListTrust, type RevocationList, verifyList } from './list.ts'

export interface FollowerOptions {
  /** Of the list; it has been checked to be one that may be fetched. */
  readonly url: string
  readonly trust: ListTrust
  readonly fetch?: typeof globalThis.fetch
  /** Told why the list cannot be had, once for each cause until it can be again. */
  readonly onFault?: (text: string) => void
}

/** The ledger of somebody who only obeys: filled from a service's list. */
export type FollowedLedger = Pick<Ledger, 'follow' | 'uncertainForMs'> & {
  /** Resolves once the list was had for the first time, or it failed. */
  readonly first: Promise<void>
  close(): void
}

/** Seconds for which the service may hold an answer: no longer, since each one also proves that nothing was missed. */
const waitSeconds = 1
/** An answer that was held comes that much later, and a little more. */
const slackMs = waitSeconds * 1000 + 500
const timeoutMs = 5000
const retryMs = { least: 50, most: 1000 }
const maxBytes = 16 * 1024 * 1024

/** Follows the list of a service until it is closed. */
export function followList(options: FollowerOptions): FollowedLedger {
  const closing = new AbortController()
  const known = new Map<string, LedgerEntry>()
  const listeners = new Set<(entries: readonly LedgerEntry[]) => void>()
  const freshness = createFreshness(slackMs)
  let uncertainThere = Number.POSITIVE_INFINITY
  const { promise: first, resolve: tried } = Promise.withResolvers<void>()

  function take(entries: readonly LedgerEntry[]): void {
    const seconds = Date.now() / 1000
    for (const { id, until = Number.POSITIVE_INFINITY } of known.values()) if (until < seconds) known.delete(id)
    const fresh = entries.filter(({ id }) => !known.has(id))
    for (const entry of fresh) known.set(entry.id, entry)
    if (fresh.length > 0) for (const listener of listeners) listener(fresh)
  }

  async function run(): Promise<void> {
    const tell = onceEach(options.onFault)
    let cursor: string | undefined
    let pause = retryMs.least
    while (!closing.signal.aborted) {
      const answer = await ask(options, cursor, closing.signal)
      if (answer.ok) {
        take(answer.list.entries.map((entry) => ({ ...entry, type: 'revocation' })))
        cursor = answer.list.cursor
        pause = retryMs.least
        tell(undefined)
        if (answer.list.more) continue
        freshness.prove(instant())
        uncertainThere = answer.list.uncertainForMs ?? Number.POSITIVE_INFINITY
      } else if (!closing.signal.aborted) {
        tell(answer.detail)
        await sleep(pause, undefined, { ref: false, signal: closing.signal }).catch(() => undefined)
        pause = Math.min(pause * 2, retryMs.most)
      }
      tried()
    }
  }

  void run()
  return {
    first,
    follow(listener) {
      listener([...known.values()])
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    uncertainForMs: () => freshness.uncertainForMs() + uncertainThere,
    close: () => closing.abort(),
  }
}

type Answer = { readonly ok: true; readonly list: RevocationList } | { readonly ok: false; readonly detail: string }

async function ask(options: FollowerOptions, cursor: string | undefined, closing: AbortSignal): Promise<Answer> {
  const { url, trust, fetch = globalThis.fetch } = options
  const address = new URL(url)
  if (cursor !== undefined) {
    address.searchParams.set('after', cursor)
    address.searchParams.set('wait', String(waitSeconds))
  }
  try {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)])
    const response = await fetch(address, { redirect: 'error', signal, headers: { accept: 'application/jwt' } })
    if (response.status !== 200) {
      await response.body?.cancel()
      return { ok: false, detail: `expected status 200, found ${response.status}` }
    }
    const list = await verifyList(await boundedText(response), trust)
    return list === undefined
      ? { ok: false, detail: 'expected a list that the trusted key signed' }
      : { ok: true, list }
  } catch (thrown) {
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
    return { ok: false, detail: cause instanceof Error ? cause.message : 'it failed' }
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength
    if (length > maxBytes) throw new Error(`expected at most ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Says a cause once, until there is none or another. */
function onceEach(say: ((text: string) => void) | undefined): (cause: string | undefined) => void {
  let told: string | undefined
  return (cause) => {
    if (cause !== undefined && cause !== told) say?.(`the list of revocations cannot be had: ${cause}`)
    told = cause
  }
}
