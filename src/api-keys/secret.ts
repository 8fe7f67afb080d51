import { hash, randomBytes } from 'node:crypto'
import { apiKeyPrefix } from '../identity/credential.ts'

const secretBytes = 32
/** Short enough to be read out, and with 2^60 of them no two keys get the same. */
const idLetters = 12
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** A new key, to be shown once. */
export function newSecret(): string {
  return `${apiKeyPrefix}${randomBytes(secretBytes).toString('base64url')}`
}

/** A new id, which is no secret: lists, logs and revocations name it. */
export function newId(): string {
  return `ak_${[...randomBytes(idLetters)].map((byte) => alphabet[byte % alphabet.length]).join('')}`
}

/** What is kept of a key: SHA-256, base64url. 256 random bits need neither salt nor stretching. */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** Whether it is written as keys are, in the one way in which those bytes can be. */
export function isWellFormed(secret: string): boolean {
  const part = secret.slice(apiKeyPrefix.length)
  const bytes = Buffer.from(part, 'base64url')
  return secret.startsWith(apiKeyPrefix) && bytes.length === secretBytes && bytes.toString('base64url') === part
}
