import { hkdfSync } from 'node:crypto'

/** RFC 7518 section 3.2, and what Kuadrant's gateway asks of GATEWAY_SIGNING_KEY. Bytes. */
export const minSigningKeyBytes = 32

/**
 * The bytes of the gateway's signing key; text counts as its UTF-8, as Kuadrant's gateway takes it.
 * @throws {TypeError} for one that is shorter than 32 bytes
 */
export function signingKeyOf(signingKey: string | Uint8Array): Uint8Array {
  const bytes = typeof signingKey === 'string' ? new TextEncoder().encode(signingKey) : signingKey
  if (bytes instanceof Uint8Array && bytes.byteLength >= minSigningKeyBytes) return bytes
  throw new TypeError(`"signingKey" must be text or bytes, ${minSigningKeyBytes} bytes or more`)
}

/**
 * A key of 256 bits for one purpose, which `info` names: HKDF with SHA-256 and no salt (RFC 5869).
 * @throws {TypeError} for a signing key that is shorter than 32 bytes
 */
export function deriveKey(signingKey: string | Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', signingKeyOf(signingKey), new Uint8Array(), info, 32))
}
