import type { Ledger } from '../state/ledger.ts'
import type { ApiKeyBody } from './api-key.gen.ts'
import { apiKeyOf, type IsApiKeyBody, ledgerEntryOf } from './api-key.ts'
import { digestOf, newId, newSecret } from './secret.ts'

/** What a new key is to be. */
export type ApiKeyOrder = Omit<ApiKeyBody, 'digest' | 'createdAt'>

/** A key that was made. `secret` is here alone: nothing keeps it. */
export interface CreatedApiKey {
  readonly id: string
  readonly secret: string
  /** Whether other replicas can know of it already. */
  readonly shared: boolean
}

export interface CreateOptions {
  readonly ledger: Pick<Ledger, 'add'>
  readonly isBody: IsApiKeyBody
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/**
 * Makes a key.
 * @throws {TypeError} for an order that could not be read again, {Error} where it cannot be kept; there is no key then
 */
export async function createApiKey(order: ApiKeyOrder, options: CreateOptions): Promise<CreatedApiKey> {
  const { ledger, isBody, now = Date.now } = options
  const [id, secret] = [newId(), newSecret()]
  const entry = ledgerEntryOf(id, { ...order, digest: digestOf(secret), createdAt: now() / 1000 })
  apiKeyOf(entry, isBody)
  const { shared } = await ledger.add(entry)
  return { id, secret, shared }
}
