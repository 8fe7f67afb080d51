import { hash } from 'node:crypto'
import { parseStrictJson } from '../mcp/json.ts'
import { type Claims, isObject, own } from './claims.ts'
import { type Failure, failure } from './failure.ts'

/** A compact JWS (RFC 7515 section 3.1) whose form is sound; nothing about it is verified yet. */
export interface UnverifiedToken {
  readonly compact: string
  readonly header: Claims
  readonly payload: Claims
}

export type TokenReading = { readonly ok: true; readonly token: UnverifiedToken } | Failure

/** Nested arrays and objects in a header or payload. */
const maxDepth = 64

const numericDates = ['exp', 'nbf', 'iat'] as const

/** Parameters that change what a signature covers (RFC 7515 section 4.1.11, RFC 7797): none is understood here. */
const refusedParameters = ['crit', 'b64'] as const

/**
 * The digest that a revocation knows a token by: SHA-256 of header and payload, base64url. Without the signature, since
 * whoever has an ECDSA token can give it another one that verifies as well (r, n - s).
 */
export function digestOf(compact: string): string {
  return hash('sha256', compact.slice(0, compact.lastIndexOf('.')), 'base64url')
}

/** Reads a token strictly, before any cryptography; every fault is `token_malformed`. */
export function readToken(compact: string): TokenReading {
  const parts = compact.split('.', 4)
  const [headerPart, payloadPart, signaturePart] = parts
  if (parts.length !== 3 || headerPart === undefined || payloadPart === undefined || signaturePart === undefined) {
    return malformed('expected three parts separated by dots')
  }
  if (decodePart(signaturePart) === undefined) return malformed('expected the signature in canonical base64url')
  const header = readObject(headerPart)
  if (header === undefined) return malformed('expected the header to be one strict json object in canonical base64url')
  const payload = readObject(payloadPart)
  if (payload === undefined)
    return malformed('expected the payload to be one strict json object in canonical base64url')
  return memberFault(header, payload) ?? { ok: true, token: { compact, header, payload } }
}

function memberFault(header: Claims, payload: Claims): Failure | undefined {
  const refused = refusedParameters.find((name) => Object.hasOwn(header, name))
  if (refused !== undefined) return malformed(`expected no header parameter \`${refused}\``)
  const inexact = numericDates.find((name) => Object.hasOwn(payload, name) && !Number.isFinite(own(payload, name)))
  return inexact === undefined ? undefined : malformed(`expected \`${inexact}\` to be a finite number`)
}

function readObject(part: string): Claims | undefined {
  const bytes = decodePart(part)
  if (bytes === undefined) return undefined
  const reading = parseStrictJson(bytes, { maxDepth })
  return reading.ok && isObject(reading.value) ? reading.value : undefined
}

/** Encoding again finds what decoders overlook: padding, the other alphabet, white space, spare bits. */
function decodePart(part: string): Uint8Array | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

function malformed(detail: string): Failure {
  return failure('token_malformed', detail)
}
