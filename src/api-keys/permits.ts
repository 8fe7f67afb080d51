import { apiKeyPrefix, presentedToken } from '../identity/credential.ts'
import type { ReasonCode } from '../policy/decision.gen.ts'
import { categoryOf, messageOf, type ReasonCategory } from '../policy/reasons.ts'
import type { Admission } from './admission.ts'
import type { Permission } from './api-key.gen.ts'
import type { ApiKeys } from './api-keys.ts'

/** Everything a key can permit. */
export const permissions = ['revocations:read', 'revocations:write', 'authzen:claims'] as const satisfies Permission[]

/** Whether a caller may do something with the service itself; `message` is fit for the caller to see. */
export type Permitted =
  | { readonly ok: true }
  | { readonly ok: false; readonly status: 401 | 403 | 429 | 503; readonly message: string }

/**
 * Asks whether the API key in an Authorization header permits something, where it is admitted: that counts as a use.
 * @param authorization - every value of the header
 * @param address - IP address of whoever opened the connection
 */
export type PermitsKey = (
  authorization: readonly string[],
  permission: Permission,
  address: string | undefined,
) => Promise<Permitted>

export interface PermitsOptions {
  readonly apiKeys: Pick<ApiKeys, 'authenticate' | 'get'>
  readonly admission: Admission
}

/** Makes what administrative routes ask. Never rejects. */
export function createPermits({ apiKeys, admission }: PermitsOptions): PermitsKey {
  return async (authorization, permission, address) => {
    const presented = presentedToken({ kind: 'authorization', values: authorization })
    if (!presented.ok) return refused(presented.code)
    if (!presented.token.startsWith(apiKeyPrefix)) return { ok: false, status: 401, message: 'expected an API key' }
    const authentication = apiKeys.authenticate(presented.token)
    if (!authentication.ok) return refused(authentication.code)
    const { subject } = authentication
    const permissions = apiKeys.get(subject.apiKey ?? '')?.body.permissions ?? []
    if (!permissions.includes(permission)) {
      return { ok: false, status: 403, message: `the API key does not permit \`${permission}\`` }
    }
    const admitted = await admission.admit(subject, { address, counted: true })
    return admitted.ok ? admitted : refused(admitted.code)
  }
}

const statusOfCategory = { credential: 401, request: 403, policy: 403, service: 503 } as const satisfies Record<
  ReasonCategory,
  number
>

function refused(code: ReasonCode): Permitted {
  const status = code === 'usage_exceeded' ? 429 : statusOfCategory[categoryOf(code)]
  return { ok: false, status, message: messageOf(code) }
}
