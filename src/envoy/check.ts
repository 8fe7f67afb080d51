import type { Authorizer } from '../authorizer/attempt.ts'
import { type Gate, holdAgainst } from '../gateway/gate.ts'
import type { DenialOptions } from '../mcp/denial-options.ts'
import { hasHeader } from '../mcp/headers.ts'
import { type DeprecatedHeader, deprecatedHeader } from '../mcp/internal-headers.ts'
import type { ProtectedResource } from '../mcp/protected-resource.ts'
import type { Reading, ReadOptions } from '../mcp/reading.ts'
import { readHttp } from '../mcp/request.ts'
import type { ReasonCode } from '../policy/decision.gen.ts'
import { answer, refusal, wantsToken } from './answer.ts'
import { type CheckRead, readCheck } from './check-request.ts'
import { denied } from './check-response.ts'

export interface CheckOptions {
  readonly authorizer: Pick<Authorizer, 'authorize'>
  readonly read: ReadOptions
  /** Absent: no router key opens anything, and no session is asked for. */
  readonly gate?: Gate | undefined
  /** What challenges name. */
  readonly protectedResource?: ProtectedResource | undefined
  /** How denials look. Default: explicit. */
  readonly denials?: DenialOptions | undefined
  /** Told of every denial that no authorizer made, for a log. */
  readonly onFault?: (fault: DoorFault) => void
  /** Told of every request that carries a deprecated header, which is no credential here, while `read` knows that one. */
  readonly onDeprecated?: (header: DeprecatedHeader) => void
}

/** Why the door itself denied. */
export interface DoorFault {
  readonly code: ReasonCode
  /** What was thrown, where something was; it may quote the client, so it is not for clients. */
  readonly cause?: unknown
}

/** CheckRequest in, CheckResponse out. Never rejects: whatever goes wrong is a denial in the bytes. */
export function createCheck(options: CheckOptions): (request: Buffer) => Promise<Buffer> {
  return async function check(request) {
    try {
      return await decide(request, options)
    } catch (cause) {
      report(options, { code: 'policy_error', cause })
      return lastResort
    }
  }
}

/** Made before anything can go wrong with making it. */
const lastResort = denied({
  httpStatus: 503,
  grpcCode: 7,
  headers: [['content-type', 'application/json']],
  body: '{"error":"policy_error"}',
  metadata: { allow: false, reasons: ['policy_error'] },
})

async function decide(bytes: Buffer, options: CheckOptions): Promise<Buffer> {
  const check = readCheck(bytes)
  if (!check.ok) {
    report(options, { code: check.code })
    return refusal(check.code)
  }
  noteDeprecated(check, options)
  const reading = readingOf(check, options)
  try {
    return await judge(check, reading, options)
  } catch (cause) {
    report(options, { code: 'policy_error', cause })
    return refusal('policy_error', { request: check.request, reading, denials: options.denials })
  }
}

async function judge(check: CheckRead, reading: Reading, options: CheckOptions): Promise<Buffer> {
  const { gate, protectedResource, denials } = options
  const { profile, headersOnly, authorizedTools } = options.read
  const hold = gate && holdAgainst(gate, check.request.headers)
  const outcome = await options.authorizer.authorize({
    credential: { kind: 'authorization', values: check.authorization },
    reading,
    principal: check.principal,
    address: check.address,
    mint: wantsToken(profile, reading),
    precondition: hold?.precondition,
  })
  const unheld = hold?.passed() === false
  const { request, cutsLists, address } = check
  const mode = { profile, headersOnly, authorizedTools }
  const asked = { ...mode, protectedResource, denials, unheld, request, reading, cutsLists, address }
  const { bytes, fault } = answer(outcome, asked)
  if (fault !== undefined) report(options, { code: fault })
  return bytes
}

/** Two bodies are refused where every other fault of a request is: after the credential, and in the decision log. */
function readingOf(check: CheckRead, { read, gate }: CheckOptions): Reading {
  const door = gate?.routerKeys === true ? { ...check.door, routerKeys: true } : check.door
  if (!check.twoBodies) return readHttp(check.request, door, read)
  return { ok: false, code: 'body_ambiguous', detail: 'both `body` and `raw_body` are there', action: '' }
}

function noteDeprecated({ request }: CheckRead, { read, onDeprecated }: CheckOptions): void {
  if (read.authorizedTools !== true || !hasHeader(request.headers, deprecatedHeader)) return
  try {
    onDeprecated?.(deprecatedHeader)
  } catch {
    // An answer is owed whatever becomes of the count.
  }
}

function report({ onFault }: CheckOptions, fault: DoorFault): void {
  try {
    onFault?.(fault)
  } catch {
    // An answer is owed whatever becomes of the log.
  }
}
