import { generateKeyPairSync } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, SignJWT } from 'jose'
import { generateKeyPem } from '../../src/capabilities/key.ts'

/** The demo's own issuer: in production this is Keycloak, Okta, Entra, ... */
export interface Issuer {
  /** Folder with the files that mcp-authz.yaml names; gone when the process ends. */
  readonly state: string
  token(subject: string, roles: readonly string[]): Promise<string>
}

/** Makes an issuer with a key of its own, in a temporary folder. */
export async function createIssuer(): Promise<Issuer> {
  const state = await mkdtemp(join(tmpdir(), 'mcp-authz-demo-'))
  process.once('exit', () => rmSync(state, { recursive: true, force: true }))
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'demo', alg: 'ES256' }
  await writeFile(join(state, 'jwks.json'), JSON.stringify({ keys: [jwk] }))
  await writeFile(join(state, 'capability-key.pem'), generateKeyPem(), { mode: 0o600 })
  return {
    state,
    token: async (subject, roles) =>
      await new SignJWT({ realm_access: { roles } })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'demo' })
        .setIssuer('urn:mcp-authz:demo')
        .setAudience('mcp-authz-demo')
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('10m')
        .sign(privateKey),
  }
}
