import { createHash } from 'node:crypto'
import type { Subject } from '../identity/subject.ts'

/**
 * Tells callers apart, as text without their names; undefined for one without a name. An API key is a caller of its own:
 * another key of the same person may be cut down otherwise. Both names count, as the one that policy knows may be given to
 * another person one day (an e-mail address).
 */
export function callerOf({ id, apiKey, facts }: Subject): string | undefined {
  const key = apiKey ?? facts?.apiKey
  if (key !== undefined) return digestOf(['api-key', key])
  return id === '' ? undefined : digestOf(['subject', facts?.issuer ?? null, facts?.subject ?? id, id])
}

/** SHA-256, base64url. */
export function digestOf(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}
