import type { Subject } from '../identity/subject.ts'
import { textOf } from '../policy/errors.ts'
import type { CodeOf } from '../policy/reasons.ts'
import type { ApiKeys } from './api-keys.ts'
import type { UsageCounter } from './usage.ts'

/** Where a request comes from, and whether it is one: a list that is cut, or looked at, is no use of a key. */
export interface Occasion {
  /** IP address of whoever opened the connection, as the door knows it. */
  readonly address: string | undefined
  readonly counted: boolean
}

export type Admitted =
  | { readonly ok: true }
  | {
      readonly ok: false
      readonly code:
        | Extract<CodeOf<'policy'>, 'address_refused' | 'time_refused' | 'usage_exceeded'>
        | 'state_unavailable'
    }

/** Checks what a credential is bound to beside what it may do. */
export interface Admission {
  /** Never rejects. A subject without an API key is bound to nothing here. */
  admit(subject: Subject, occasion: Occasion): Promise<Admitted>
}

export interface AdmissionOptions {
  readonly apiKeys: Pick<ApiKeys, 'get'>
  readonly usage: Pick<UsageCounter, 'take'>
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Told what went wrong where nothing may. */
  readonly onFault?: (text: string) => void
}

/** Makes the admission of API keys: address, then time, then usage. */
export function createAdmission({ apiKeys, usage, now = Date.now, onFault }: AdmissionOptions): Admission {
  return {
    async admit({ apiKey: id }, { address, counted }) {
      if (id === undefined) return admitted
      try {
        const key = apiKeys.get(id)
        if (key === undefined) throw new TypeError(`the API key \`${id}\` is not known`)
        if (!key.gate.admitsAddress(address)) return refused('address_refused')
        if (!key.gate.admitsTime(now())) return refused('time_refused')
        const taking = counted ? await usage.take(key) : 'taken'
        return taking === 'taken' ? admitted : refused(taking)
      } catch (thrown) {
        onFault?.(`an API key cannot be admitted: ${textOf(thrown)}`)
        return refused('state_unavailable')
      }
    },
  }
}

const admitted: Admitted = { ok: true }

function refused(code: Extract<Admitted, { ok: false }>['code']): Admitted {
  return { ok: false, code }
}
