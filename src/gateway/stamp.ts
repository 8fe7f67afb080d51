import { createHmac, timingSafeEqual } from 'node:crypto'
import { deriveKey } from './signing-key.ts'

/** Tells what was written by whoever has the signing key from what somebody else wrote. */
export interface Stamper {
  /** The text with its stamp before it; equal texts have equal stamps. */
  stamp(text: string): string
  /** The text; undefined for what was stamped under another key or for another purpose, altered, or never stamped. */
  unstamp(stamped: string): string | undefined
}

/** The form of the stamp: `s1.` and the MAC in base64url, then a point and the text. */
const form = /^s1\.([\w-]{43})\.(.*)$/s

/**
 * Makes a stamper: HMAC with SHA-256 (RFC 2104) under a key derived from the signing key.
 * @param purpose - names the derived key; the same signing key believes nothing that was stamped for another purpose
 * @throws {TypeError} for a signing key that is shorter than 32 bytes
 */
export function createStamper(signingKey: string | Uint8Array, purpose: string): Stamper {
  const key = deriveKey(signingKey, purpose)
  const macOf = (text: string): string => createHmac('sha256', key).update(`s1.${text}`).digest('base64url')
  return {
    stamp: (text) => `s1.${macOf(text)}.${text}`,
    unstamp(stamped) {
      const [, mac, text] = form.exec(stamped) ?? []
      if (mac === undefined || text === undefined) return undefined
      return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(text))) ? text : undefined
    },
  }
}
