import { type Failure, failure } from './failure.ts'
import type { Credential } from './subject.ts'

/** The longest Authorization value or bare token that is looked at, in UTF-8 bytes. */
export const maxCredentialBytes = 32768

/** What an API key starts with, so that one that leaked is found by those who scan for secrets. No JWT starts so. */
export const apiKeyPrefix = 'mcpak_'

/** The token that was presented, or why there is none. */
export type Presented = { readonly ok: true; readonly token: string } | Failure

/** Finds the bearer token (RFC 6750 section 2.1) in what was presented. */
export function presentedToken(credential: Extract<Credential, { kind: 'authorization' | 'token' }>): Presented {
  return credential.kind === 'token' ? bareToken(credential.token) : authorizationToken(credential.values)
}

function bareToken(token: string): Presented {
  if (token === '') return failure('token_missing', 'expected a token')
  return unreadable(token) ?? { ok: true, token }
}

function authorizationToken(values: readonly string[]): Presented {
  const [value] = values
  if (value === undefined) return failure('token_missing', 'expected an authorization header')
  if (values.length > 1) return failure('token_malformed', 'expected one authorization header, found several')
  return unreadable(value) ?? bearerToken(trim(value))
}

function bearerToken(value: string): Presented {
  const space = value.indexOf(' ')
  const scheme = space === -1 ? value : value.slice(0, space)
  if (scheme.toLowerCase() !== 'bearer') return failure('token_missing', 'expected the authorization scheme `Bearer`')
  const token = space === -1 ? '' : trim(value.slice(space))
  if (token === '') return failure('token_missing', 'expected a token after `Bearer`')
  return { ok: true, token }
}

function unreadable(value: string): Failure | undefined {
  if (value.length > maxCredentialBytes || Buffer.byteLength(value) > maxCredentialBytes) {
    return failure('token_malformed', `expected at most ${maxCredentialBytes} bytes`)
  }
  return value.includes(',') ? failure('token_malformed', 'expected one credential without a comma') : undefined
}

/** Without a regular expression: one that is anchored at the end takes quadratic time on inner white space. */
function trim(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value[start])) start++
  while (end > start && isBlank(value[end - 1])) end--
  return value.slice(start, end)
}

function isBlank(letter: string | undefined): boolean {
  return letter === ' ' || letter === '\t'
}
