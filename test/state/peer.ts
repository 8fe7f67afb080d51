// Another process with the same state: does what its parent asks, and tells what it is told.
import type { LedgerEntry } from '../../src/state/ledger.ts'
import { openState, type StateOptions } from '../../src/state/open.ts'

/** What a peer can be asked. */
export type Question =
  | { readonly add: LedgerEntry }
  /** Adds `PREFIX0`, `PREFIX1`, ... for as long as it lives. */
  | { readonly addForEver: string }
  | { readonly count: { readonly key: string; readonly limit: number; readonly until: number; readonly times: number } }
  | { readonly once: { readonly keys: readonly string[]; readonly until: number } }

/** What a peer says. Times are nanoseconds of the machine's steady clock. */
export type Said =
  | { readonly ready: true }
  | { readonly told: readonly string[]; readonly at: string }
  | { readonly added: string; readonly shared: boolean; readonly at: string }
  | { readonly counted: readonly (number | false)[] }
  | { readonly first: readonly boolean[] }

const say = (said: Said): unknown => process.send?.(said)
const now = (): string => String(process.hrtime.bigint())

const options = JSON.parse(process.argv[2] ?? '') as Omit<StateOptions, 'onFault' | 'onWarning'>
const report = (text: string): void => void process.stderr.write(`${text}\n`)
const { ledger, tally } = await openState({ ...options, onFault: report, onWarning: report })
ledger.follow((entries) => say({ told: entries.map(({ id }) => id), at: now() }))
process.on('message', (question: Question) => void answer(question))
say({ ready: true })

async function answer(question: Question): Promise<void> {
  if ('add' in question) await add(question.add)
  if ('addForEver' in question) {
    for (let number = 0; ; number += 1) {
      await add({ id: `${question.addForEver}${number}`, type: 'revocation', body: { number } })
    }
  }
  if ('count' in question) {
    const { key, limit, until, times } = question.count
    const counting = Array.from({ length: times }, async () => await tally.count(key, limit, until))
    say({ counted: await Promise.all(counting) })
  }
  if ('once' in question) {
    const { keys, until } = question.once
    say({ first: await Promise.all(keys.map(async (key) => await tally.once(key, until))) })
  }
}

async function add(entry: LedgerEntry): Promise<void> {
  const { shared } = await ledger.add(entry)
  say({ added: entry.id, shared, at: now() })
}
