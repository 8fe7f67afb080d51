import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { ApiKeyBody } from '../../src/api-keys/api-key.gen.ts'
import { createApiKey } from '../../src/api-keys/create.ts'
import type { Config } from '../../src/config/config.ts'
import { validatorOf } from '../../src/config/schema.ts'
import { openKept } from '../../src/kept.ts'
import { readOrder } from '../../src/revocation/order.ts'
import type { CredentialCase, RevokedCase } from './credentials.ts'

/** A credential that was made, and what revocations name it by. */
export interface PresentedCredential {
  readonly text: string
  readonly subject: string
  readonly apiKey?: string
}

/** Who issues credentials and takes them away: another process's view of the same state. */
export interface Office {
  make(line: CredentialCase, subject: string): Promise<PresentedCredential>
  revoke(orders: CredentialCase['revoked'], credential: PresentedCredential): Promise<void>
  close(): Promise<void>
}

/** The key pair of every issuer in a table. */
export interface IssuerKeys {
  readonly privateKey: CryptoKey
  readonly jwks: object
}

export async function issuerKeys(): Promise<IssuerKeys> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  return { privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k' }] } }
}

export async function openOffice(config: Config, { privateKey }: IssuerKeys): Promise<Office> {
  const kept = await openKept(config, { state: 'create', onWarning: fail })
  const valid = validatorOf('api_key')
  const isBody = (value: unknown): value is ApiKeyBody => valid(value)
  const { ledger } = kept.state
  return {
    async make({ token, apiKey, raw }, subject) {
      if (apiKey !== undefined) {
        const { expiresIn, ...changes } = apiKey
        const plain = { subject, roles: [], grants: {}, groups: [], permissions: [], ...changes }
        const order = expiresIn === undefined ? plain : { ...plain, expiresAt: now() + expiresIn }
        const { id, secret } = await createApiKey(order, { ledger, isBody })
        return { text: secret, subject, apiKey: id }
      }
      if (raw !== undefined) return { text: raw, subject }
      const { claims = {}, header = {}, times = {} } = token ?? {}
      const at = Object.entries({ exp: 300, iat: -60, ...times }).map(([name, seconds]) => [name, now() + seconds])
      const said = {
        iss: config.issuers[0]?.issuer,
        aud: 'mcp-gateway',
        sub: subject,
        ...Object.fromEntries(at),
        ...claims,
      }
      const text = await new SignJWT(said).setProtectedHeader({ alg: 'ES256', kid: 'k', ...header }).sign(privateKey)
      return { text, subject: String(said.sub) }
    },
    async revoke(orders = [], credential) {
      for (const order of orders) {
        const reading = readOrder(fieldsOf(order, credential), Date.now() / 1000)
        if (!reading.ok) return fail(reading.message)
        await kept.revoker.revoke(reading.order)
      }
    },
    close: async () => await kept.close(),
  }
}

function fieldsOf({ issuedBefore, ...order }: RevokedCase, { text, subject, apiKey }: PresentedCredential) {
  const selves = { token: text, subject, apiKey }
  const named = Object.entries(selves).filter(([name]) => order[name as keyof typeof selves] === 'self')
  const before = issuedBefore === undefined ? {} : { issuedBefore: now() + issuedBefore }
  return { ...order, ...Object.fromEntries(named), ...before }
}

function now(): number {
  return Math.floor(Date.now() / 1000)
}

function fail(message: string): never {
  throw new Error(message)
}
