import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type AuthenticatorOptions, createAuthenticator } from '../../src/identity/authenticator.ts'
import { longestLifeOf } from '../../src/revocation/longest-life.ts'
import type { Selector } from '../../src/revocation/revocation.ts'
import { createRevocations } from '../../src/revocation/revocations.ts'
import { createRevoker } from '../../src/revocation/revoker.ts'
import type { LedgerEntry } from '../../src/state/ledger.ts'
import { craft, hmacSigner, issuerName, issuerOptions, now } from '../identity/tokens.ts'
import { memoryLedger } from './ledger.ts'

const tolerance = 5
const maxLife = 60
const secret = new Uint8Array(32).fill(7)
const sign = hmacSigner(secret)
const issuer = issuerOptions([], {
  keys: { kind: 'secret', secret },
  algorithms: ['HS256'],
  clockToleranceSeconds: tolerance,
  maxLifetimeSeconds: maxLife,
})

interface Issued {
  readonly sub: string
  readonly jti: string
  readonly sid: string
  readonly iat: number
  readonly exp: number
}

interface Made {
  readonly of: Selector
  /** Tokens issued until then are meant. */
  readonly before: number
  readonly at: number
}

type Step =
  | {
      readonly does: 'issue'
      readonly sub: string
      readonly jti: string
      readonly sid: string
      readonly ahead: number
      readonly life: number
    }
  | { readonly does: 'present'; readonly which: number }
  | { readonly does: 'revoke'; readonly of: Selector }
  | { readonly does: 'wait'; readonly seconds: number }
  | { readonly does: 'restart' }

const word = fc.constantFrom('a', 'b')
const issuerOrAny = fc.constantFrom(issuerName, undefined)
const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), jti: word, issuer: issuerOrAny }),
  fc.record({ kind: fc.constant('session' as const), session: word, issuer: issuerOrAny }),
  fc.record({ kind: fc.constant('subject' as const), subject: word, issuer: issuerOrAny }),
  fc.constant({ kind: 'issuer' as const, issuer: issuerName }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    does: fc.constant('issue' as const),
    sub: word,
    jti: word,
    sid: word,
    ahead: fc.integer({ min: -maxLife, max: tolerance }),
    life: fc.oneof(fc.integer({ min: 1, max: maxLife }), fc.constantFrom(maxLife + tolerance, maxLife + tolerance + 1)),
  }),
  { weight: 3, arbitrary: fc.record({ does: fc.constant('present' as const), which: fc.nat(9) }) },
  fc.record({ does: fc.constant('revoke' as const), of: selector }),
  fc.record({
    does: fc.constant('wait' as const),
    seconds: fc.oneof(fc.integer({ min: 0, max: 2 * tolerance }), fc.constantFrom(maxLife, maxLife + tolerance + 1)),
  }),
  fc.constant({ does: 'restart' as const }),
)

function isNamed(of: Selector, { sub, jti, sid }: Issued): boolean {
  switch (of.kind) {
    case 'token':
      return 'jti' in of && of.jti === jti
    case 'session':
      return of.session === sid
    case 'subject':
      return of.subject === sub
    default:
      return of.kind === 'issuer'
  }
}

/** A service over a ledger that forgets what is over as soon as it may, with a clock that the test sets. */
function place() {
  const clock = { seconds: now }
  const nowMs = (): number => clock.seconds * 1000
  let kept: readonly LedgerEntry[] = []
  const open = () => {
    const ledger = memoryLedger()
    ledger.kept.push(...kept.filter(({ until = Number.POSITIVE_INFINITY }) => until > clock.seconds))
    const revocations = createRevocations({ ledger, whenUnknown: 'deny', maxUnknownMs: 0, now: nowMs })
    const options: AuthenticatorOptions = { issuers: [issuer], now: nowMs, revocations }
    return {
      ledger,
      revoker: createRevoker({ ledger, longestLife: longestLifeOf([issuer]), now: nowMs }),
      verifier: createAuthenticator(options),
    }
  }
  let running = open()
  return {
    clock,
    restart() {
      kept = running.ledger.kept
      running = open()
    },
    revoke: async (of: Selector) => await running.revoker.revoke({ target: { of } }),
    present: async (token: string) => await running.verifier.authenticate({ kind: 'token', token }),
    plainly: async (token: string) =>
      await createAuthenticator({ issuers: [issuer], now: nowMs }).authenticate({ kind: 'token', token }),
  }
}

/** A service, and what its issuer and its administrators did. */
function scene() {
  const service = place()
  const issued: { readonly says: Issued; readonly token: string }[] = []
  const made: Made[] = []
  const lifeOf = longestLifeOf([issuer])

  function issue({ sub, jti, sid, ahead, life }: Extract<Step, { does: 'issue' }>): void {
    const iat = service.clock.seconds + ahead
    const says = { sub, jti, sid, iat, exp: iat + life }
    issued.push({ says, token: craft({ alg: 'HS256' }, { iss: issuerName, aud: 'mcp-gateway', ...says }, sign) })
  }
  async function revoke(of: Selector): Promise<void> {
    await service.revoke(of)
    const isOneThing = of.kind === 'token' || of.kind === 'session'
    const at = service.clock.seconds
    made.push({ of, at, before: isOneThing ? Number.POSITIVE_INFINITY : at })
  }
  async function present(which: number): Promise<void> {
    const one = issued[which % Math.max(1, issued.length)]
    if (one === undefined) return
    const { says, token } = one
    const meant = made.filter(({ of }) => isNamed(of, says))
    const isInForce = ({ at }: Made): boolean => service.clock.seconds < at + lifeOf(issuerName)
    const outcome = await service.present(token)
    const plainly = await service.plainly(token)
    // Whatever there was when it was taken away is never let in again; what came later, while it is in force.
    if (meant.some((each) => says.iat <= each.before && (says.iat <= each.at || isInForce(each)))) {
      expect(outcome.ok).toBe(false)
      return
    }
    // One whose issuer's clock is ahead may have been seen before it says that it was issued.
    const isInDoubt = meant.some((each) => says.iat - tolerance <= each.before && isInForce(each))
    if (!isInDoubt) expect(outcome.ok || outcome.code).toEqual(plainly.ok || plainly.code)
  }
  return { service, issue, revoke, present }
}

async function take(step: Step, { service, issue, revoke, present }: ReturnType<typeof scene>): Promise<void> {
  if (step.does === 'issue') issue(step)
  else if (step.does === 'revoke') await revoke(step.of)
  else if (step.does === 'present') await present(step.which)
  else if (step.does === 'restart') service.restart()
  else service.clock.seconds += step.seconds
}

/** The longest that a token can live, and a restart near its end. */
const atTheEnd: Step[] = [
  { does: 'issue', sub: 'a', jti: 'a', sid: 'a', ahead: 0, life: maxLife + tolerance },
  { does: 'present', which: 0 },
  { does: 'revoke', of: { kind: 'subject', subject: 'a' } },
  { does: 'wait', seconds: maxLife + 2 * tolerance - 1 },
  { does: 'restart' },
  { does: 'present', which: 0 },
]

/** A token of a session that was ended so long ago that it is forgotten. */
const forgotten: Step[] = [
  { does: 'revoke', of: { kind: 'session', session: 'b' } },
  { does: 'wait', seconds: maxLife + tolerance + 1 },
  { does: 'issue', sub: 'a', jti: 'b', sid: 'b', ahead: 0, life: 60 },
  { does: 'present', which: 0 },
  { does: 'wait', seconds: 9 },
  { does: 'present', which: 0 },
]

it('never lets in a token that a revocation has named, and always one that none has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const played = scene()
      for (const each of steps) await take(each, played)
    }),
    { numRuns: 500, examples: [[atTheEnd], [forgotten]] },
  )
}, 60_000)
