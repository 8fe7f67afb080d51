import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { deriveKey } from './signing-key.ts'

/** Encrypts what is kept at rest, under a key of its own for each purpose. */
export interface Sealer {
  /**
   * The sealed form of a text: one line of URL-safe characters.
   * @param context - what the text belongs to, like the id of its row; it opens there alone
   */
  seal(text: string, context: string): string
  /** The text; undefined for what was sealed under another key or context, cut, altered, or never sealed. */
  open(sealed: string, context: string): string | undefined
}

/** The form of the envelope: `v1.` and base64url of nonce, ciphertext and tag. */
const version = 'v1'
const nonceBytes = 12
const tagBytes = 16

/**
 * Makes a sealer: AES-256-GCM under a key derived from the signing key (HKDF, RFC 5869). Its nonces are random, so one
 * purpose is good for 2^32 texts (NIST SP 800-38D section 8.3).
 * @param purpose - names the derived key; the same signing key opens nothing that was sealed for another purpose
 * @throws {TypeError} for a signing key that is shorter than 32 bytes
 */
export function createSealer(signingKey: string | Uint8Array, purpose: string): Sealer {
  const key = deriveKey(signingKey, purpose)
  return {
    seal(text, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      cipher.setAAD(associatedData(context))
      const sealed = [nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return `${version}.${Buffer.concat(sealed).toString('base64url')}`
    },
    open(sealed, context) {
      try {
        return opened(key, sealed, context)
      } catch {
        return undefined
      }
    },
  }
}

function opened(key: Uint8Array, sealed: string, context: string): string | undefined {
  const [form, encoded, ...more] = sealed.split('.', 3)
  if (form !== version || encoded === undefined || more.length > 0) return undefined
  const bytes = Buffer.from(encoded, 'base64url')
  if (bytes.toString('base64url') !== encoded || bytes.byteLength < nonceBytes + tagBytes) return undefined
  const tagAt = bytes.byteLength - tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(associatedData(context))
  decipher.setAuthTag(bytes.subarray(tagAt))
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, tagAt)), decipher.final()]).toString('utf8')
}

/** The version is bound as well, so that no envelope can be passed off as one of another form. */
function associatedData(context: string): Buffer {
  return Buffer.from(`${version}.${context}`, 'utf8')
}
