import { publicKeyNamed } from '../capabilities/trusted-keys.ts'
import { addressFault } from '../identity/key-document.ts'
import type { RevocationCheck } from '../identity/subject.ts'
import { followList } from '../revocation/follower.ts'
import { createRevocations } from '../revocation/revocations.ts'
import { keysOf, type Trusted } from './trusted.ts'

/** Whose list of revocations a broker follows. */
export interface FollowRevocationsOptions {
  /** Address of `/.well-known/mcp-authz-revocations` of the service: https, or http on loopback. */
  readonly url: string
  /** Who signs the list: the keys that x-mcp-authorized is believed under. */
  readonly trusted: Trusted
  /** `capabilities.issuer` of the service. */
  readonly issuer: string
  /** For how many seconds it goes on as before while the list cannot be had, from 0 to 86400. Default: 5. */
  readonly maxUnknownSeconds?: number
  /** What is done after that. Default: deny, with `revocations_unknown`. */
  readonly whenUnknown?: 'deny' | 'allow'
  /** Fetch list and keys over plain http from other hosts than this one, too. Default: false. */
  readonly allowHttp?: boolean
  /** Told why the list or its keys cannot be had, once for each cause; for a log. */
  readonly onFault?: (text: string) => void
}

/** Who was turned away since, as the service tells it. Until its list was had for the first time nothing is known. */
export interface FollowedRevocations extends RevocationCheck {
  /** Whether it is known well enough who was turned away; see `maxUnknownSeconds`. */
  ready(): boolean
  /** Resolves once the list was asked for the first time, whether it was had or not. */
  readonly first: Promise<void>
  /** Ends the following; nothing is known soon after. */
  close(): void
}

/**
 * Follows the list of revocations that a service publishes, for `createCapabilityVerifier`: a token that was minted
 * before is refused within milliseconds.
 * @throws {TypeError} for options that nothing could be followed with
 */
export function followRevocations(options: FollowRevocationsOptions): FollowedRevocations {
  const { url, issuer, maxUnknownSeconds = 5, whenUnknown = 'deny', allowHttp = false, onFault } = options
  if (typeof issuer !== 'string' || issuer === '') throw new TypeError('expected `issuer` to be a string, not empty')
  if (!['deny', 'allow'].includes(whenUnknown)) throw new TypeError('expected `whenUnknown` to be deny or allow')
  if (!(maxUnknownSeconds >= 0 && maxUnknownSeconds <= 86_400)) {
    throw new TypeError('expected `maxUnknownSeconds` to be a number from 0 to 86400')
  }
  const fault = addressFault(url, allowHttp)
  if (fault !== undefined) throw new TypeError(`expected \`url\` to be one that may be fetched: ${fault}`)
  const keys = keysOf(options.trusted, { allowHttp, onFault })
  const trust = { issuer, key: (kid: string | undefined) => publicKeyNamed(keys, kid) }
  const told = onFault === undefined ? {} : { onFault }
  const ledger = followList({ url, trust, ...told })
  const revocations = createRevocations({ ledger, whenUnknown, maxUnknownMs: maxUnknownSeconds * 1000, ...told })
  return {
    epoch: revocations.epoch,
    judge: revocations.judge,
    ready: revocations.known,
    first: ledger.first,
    close() {
      revocations.close()
      ledger.close()
      keys.close()
    },
  }
}
