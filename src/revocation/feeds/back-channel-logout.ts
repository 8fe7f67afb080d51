// The endpoint of OpenID Connect Back-Channel Logout 1.0, section 2.5 to 2.8, without HTTP around it.
import type { StatementVerification } from '../../identity/statement.ts'
import type { Tally } from '../../state/ledger.ts'
import type { Revoker } from '../revoker.ts'
import { readLogoutToken } from './logout-token.ts'

export interface BackChannelLogoutOptions {
  /** Verifies signature and issuer. */
  readonly verify: (compact: string) => Promise<StatementVerification>
  readonly revoker: Revoker
  /** True for the first caller of a key alone. */
  readonly once: Tally['once']
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Told why a logout token was refused, once for each cause until one is taken; for a log. Holds nothing that was sent. */
  readonly onRefused?: (detail: string) => void
}

/** An answer to the OpenID provider. */
export interface LogoutAnswer {
  readonly status: 200 | 400 | 413 | 503
  readonly headers: Readonly<Record<string, string>>
  /** JSON; empty where there is nothing to say. */
  readonly body: string
}

/** Takes the body of one `POST`, as it came. Never rejects. */
export type BackChannelLogout = (contentType: string | undefined, body: Uint8Array) => Promise<LogoutAnswer>

/** The largest body that is looked at, in bytes. */
export const maxLogoutBytes = 64 * 1024

type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly detail: string }
  /** It is not in force, and the provider should try again. */
  | { readonly kind: 'unavailable'; readonly detail: string }

/** Makes the one way from a logout token to a revocation. */
export function createBackChannelLogout(options: BackChannelLogoutOptions): BackChannelLogout {
  const { onRefused = () => undefined } = options
  // Anybody can send here: no order of bad tokens must make more lines than there are causes.
  const told = new Set<string>()
  const tell = (detail: string | undefined): void => {
    if (detail === undefined) told.clear()
    if (detail === undefined || told.has(detail)) return
    told.add(detail)
    try {
      onRefused(detail)
    } catch {
      // The provider is answered whatever becomes of the log.
    }
  }
  return async (contentType, body) => {
    if (body.byteLength > maxLogoutBytes) return answer(413, 'invalid_request')
    const outcome = await logOut(contentType, body, options).catch(
      (): Outcome => ({ kind: 'unavailable', detail: 'the logout cannot be kept' }),
    )
    tell(outcome.kind === 'done' ? undefined : outcome.detail)
    if (outcome.kind === 'done') return answer(200)
    return outcome.kind === 'refused' ? answer(400, 'invalid_request') : answer(503, 'temporarily_unavailable')
  }
}

async function logOut(
  contentType: string | undefined,
  body: Uint8Array,
  { verify, revoker, once, now = Date.now }: BackChannelLogoutOptions,
): Promise<Outcome> {
  const compact = logoutTokenIn(contentType, body)
  if (compact === undefined) return refused('expected a form with one `logout_token`')
  const statement = await verify(compact)
  if (!statement.ok) {
    const kind = statement.code === 'keys_unavailable' ? 'unavailable' : 'refused'
    return { kind, detail: statement.detail }
  }
  const logout = readLogoutToken(statement, now() / 1000)
  if (!logout.ok) return refused(logout.detail)
  // First in force, then spent: were it spent and not in force, the provider's second attempt would be refused.
  await revoker.revoke(logout.order)
  const isFirst = await once(logout.once.key, logout.once.until)
  return isFirst ? { kind: 'done' } : refused('expected a `jti` that was not used before')
}

function logoutTokenIn(contentType: string | undefined, body: Uint8Array): string | undefined {
  if (!/^application\/x-www-form-urlencoded *(?:;|$)/i.test(contentType ?? '')) return undefined
  const values = new URLSearchParams(Buffer.from(body).toString('latin1')).getAll('logout_token')
  const [value] = values
  return values.length === 1 && value !== '' ? value : undefined
}

function refused(detail: string): Outcome {
  return { kind: 'refused', detail }
}

function answer(status: LogoutAnswer['status'], error?: string): LogoutAnswer {
  // Section 2.8.
  const headers = { 'cache-control': 'no-store' }
  if (error === undefined) return { status, headers, body: '' }
  return { status, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ error }) }
}
