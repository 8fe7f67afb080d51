import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, SignJWT } from 'jose'
import { stringify } from 'yaml'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import type { Capabilities } from '../../src/policy/decision.gen.ts'

/** A folder with a whole configuration, an issuer whose tokens it believes, and the key of its x-mcp-authorized. */
export interface Place {
  /** Path of mcp-authz.yaml. */
  readonly config: string
  /** A signed token; `grants` by server id. */
  token(subject: string, said?: Said): Promise<string>
  /** An x-mcp-authorized that verifies. */
  authorized(capabilities: Partial<Capabilities>, subject?: string): Promise<string>
  readonly capabilityPem: string
  readonly publicPem: string
  writeCatalogue(data: unknown): Promise<void>
  remove(): Promise<void>
}

export interface Said {
  readonly roles?: readonly string[]
  readonly grants?: Readonly<Record<string, readonly string[]>>
  readonly expiresIn?: number
  readonly audience?: string
}

export interface PlaceOptions {
  readonly data?: unknown
  readonly profile?: 'strict' | 'kuadrant'
  readonly mcp?: Readonly<Record<string, unknown>>
  readonly enforce?: boolean
  /** Further keys of that section. */
  readonly capabilities?: Readonly<Record<string, unknown>>
  /** Further sections of the configuration. */
  readonly more?: Readonly<Record<string, unknown>>
}

export const issuer = 'https://sso.example.com/realms/mcp'

export const catalogue = {
  servers: {
    weather: {
      prefix: 'weather_',
      tools: ['forecast', 'alerts'],
      prompts: ['brief'],
      resources: ['weather://stations'],
      templates: ['weather://stations/{id}'],
    },
    files: {
      prefix: 'files_',
      tools: ['read', 'wipe'],
      prompts: ['summary'],
      resources: ['files://index'],
      templates: ['files://by-name/{name}'],
    },
  },
  virtual_servers: { 'team/desk': { tools: ['weather_forecast', 'files_read'], prompts: ['weather_brief'] } },
  roles: {
    meteorologist: { weather: ['tool:*', 'prompt:*', 'resource:*', 'template:*'] },
    reader: { files: ['tool:read', 'prompt:summary', 'resource:files://index'] },
  },
}

export async function makePlace(options: PlaceOptions = {}): Promise<Place> {
  const { data = catalogue, profile = 'strict', mcp = {}, enforce = true, capabilities = {}, more = {} } = options
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-guard-'))
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const capabilityPem = generateKeyPem()
  const file = (name: string) => join(folder, name)
  const writeCatalogue = async (next: unknown) => {
    // Renamed into place: a file that is written over is empty for a moment, and an empty one is data as well.
    await writeFile(file('catalogue.new'), stringify(next))
    await rename(file('catalogue.new'), file('catalogue.yaml'))
  }
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }
  await writeFile(file('jwks.json'), JSON.stringify({ keys: [jwk] }))
  await writeFile(file('capability-key.pem'), capabilityPem, { mode: 0o600 })
  await writeCatalogue(data)
  const config = {
    data: ['catalogue.yaml'],
    issuers: [{ issuer, jwks: { file: 'jwks.json' }, algorithms: ['ES256'], audiences: ['mcp-gateway'] }],
    capabilities: { key: { file: 'capability-key.pem' }, enforce, ...capabilities },
    mcp: { profile, ...mcp },
    ...more,
  }
  await writeFile(file('mcp-authz.yaml'), stringify(config))
  return {
    config: file('mcp-authz.yaml'),
    token: async (subject, said) => await sign(keys.privateKey, subject, said),
    authorized: async (capabilities, subject = 'alice') =>
      await mint(capabilityPem, { capabilities, subject, profile }),
    capabilityPem,
    publicPem: (await capabilityKeyFrom(capabilityPem)).publicPem,
    writeCatalogue,
    remove: async () => await rm(folder, { recursive: true, force: true }),
  }
}

async function sign(key: KeyObject, subject: string, said: Said = {}): Promise<string> {
  const { roles = [], grants = {}, expiresIn = 300, audience = 'mcp-gateway' } = said
  const byServer = Object.fromEntries(Object.entries(grants).map(([server, names]) => [server, { roles: names }]))
  const now = Math.floor(Date.now() / 1000)
  return await new SignJWT({ realm_access: { roles }, resource_access: byServer })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt(now - 600)
    .setExpirationTime(now + expiresIn)
    .sign(key)
}

interface Minting {
  readonly capabilities: Partial<Capabilities>
  readonly subject: string
  readonly profile: 'strict' | 'kuadrant'
}

async function mint(pem: string, { capabilities, subject, profile }: Minting): Promise<string> {
  const key = await capabilityKeyFrom(pem)
  const options = { issuer: 'mcp-authz', audience: 'mcp-broker', lifetimeSeconds: 300, maxBytes: 32768 }
  const whole = { tools: {}, prompts: {}, resources: {}, templates: {}, ...capabilities }
  const minted = await createMinter({ ...options, profile }, () => key).mint({
    subject: { id: subject, grants: {}, roles: [] },
    capabilities: whole,
    revision: 'r1',
  })
  if (!minted.ok) throw new Error(minted.code)
  return minted.token
}

/** An x-mcp-authorized of exactly these claims, signed by the key. */
export async function forge(
  pem: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const key = createPrivateKey(pem)
  return await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', ...header }).sign(key)
}
