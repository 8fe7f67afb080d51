// What runs when nothing is configured: an issuer and keys of its own, on this machine alone.
import { createPrivateKey, createPublicKey, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'
import { capabilityKeyFrom, generateKeyPem } from './capabilities/key.ts'
import type { Config } from './config/config.ts'
import { parseConfig } from './config/load.ts'
import { ConfigError } from './config/problem.ts'
import { textOf } from './policy/errors.ts'

const issuer = 'urn:mcp-authz:development'
const audience = 'mcp-authz-development'
const lifetimeSeconds = 12 * 3600

/** Whom a development token speaks of. */
export interface DevelopmentToken {
  readonly subject: string
  readonly roles: readonly string[]
  /** Literal grants by server id, like `tool:forecast`. */
  readonly grants: Readonly<Record<string, readonly string[]>>
}

/** The folder, below the one the program runs in, that holds generated keys and tokens; git-ignored. */
export function stateDirectory(directory: string): string {
  return join(directory, '.mcp-authz')
}

/**
 * The embedded default: the shipped bundle, the example catalogue, a development issuer; loopback only.
 * @throws {ConfigError} in production
 */
export async function developmentConfig(directory: string, env: NodeJS.ProcessEnv): Promise<Config> {
  refuseInProduction(env, 'the embedded default', 'write an mcp-authz.yaml and name it with --config')
  const state = stateDirectory(directory)
  const issuerKey = await keptKey(join(state, 'issuer-key.pem'))
  const jwksFile = join(state, 'jwks.json')
  // Renamed into place: another process that starts reads all of it or none.
  const draft = `${jwksFile}.${randomUUID()}`
  await writeFile(draft, `${JSON.stringify({ keys: [await publicJwk(issuerKey)] }, null, 2)}\n`)
  await rename(draft, jwksFile)
  const keyFile = join(state, 'capability-key.pem')
  await keptKey(keyFile)
  return await parseConfig(
    {
      data: [fileURLToPath(new URL('../examples/quickstart/catalogue.yaml', import.meta.url))],
      issuers: [{ issuer, jwks: { file: jwksFile }, algorithms: ['ES256'], audiences: [audience] }],
      capabilities: { key: { file: keyFile } },
    },
    directory,
  )
}

/** A token of the development issuer, good for twelve hours. @throws {ConfigError} in production */
export async function developmentToken(
  directory: string,
  env: NodeJS.ProcessEnv,
  { subject, roles, grants }: DevelopmentToken,
): Promise<string> {
  refuseInProduction(env, 'the development issuer', 'get tokens from a real issuer')
  const pem = await keptKey(join(stateDirectory(directory), 'issuer-key.pem'))
  const { kid } = await publicJwk(pem)
  const byServer = Object.entries(grants).map(([server, names]) => [server, { roles: names }])
  return await new SignJWT({ realm_access: { roles }, resource_access: Object.fromEntries(byServer) })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(`${lifetimeSeconds}s`)
    .sign(createPrivateKey(pem))
}

/**
 * The file of the key that signs x-mcp-authorized; where none is configured, one that is generated and kept.
 * @throws {ConfigError} where one is missing in production
 */
export async function capabilityKeyFile(config: Config, env: NodeJS.ProcessEnv): Promise<string> {
  const { keyFile } = config.capabilities
  if (keyFile !== undefined) return keyFile
  refuseInProduction(
    env,
    'a generated capability key',
    'make one with `mcp-authz keys generate --out FILE` and name it',
    {
      file: config.file,
      path: 'capabilities.key.file',
    },
  )
  const kept = join(stateDirectory(config.directory), 'capability-key.pem')
  await keptKey(kept)
  return kept
}

/** The PEM in a file, made on first use. @throws {ConfigError} where it cannot be kept there, or is no such key */
async function keptKey(file: string): Promise<string> {
  try {
    const pem = await keptText(file)
    await capabilityKeyFrom(pem)
    return pem
  } catch (thrown) {
    const mend = 'run in a folder that may be written, remove what is in the way there, or name keys of your own'
    throw new ConfigError([{ file, line: undefined, column: undefined, path: '', message: textOf(thrown), mend }])
  }
}

async function keptText(file: string): Promise<string> {
  const found = await readFile(file, 'utf8').catch(() => undefined)
  if (found !== undefined) return found
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  // Linked into place whole, and never over another: of processes that start at once one writes and all read.
  const draft = `${file}.${randomUUID()}`
  await writeFile(draft, generateKeyPem(), { mode: 0o600, flag: 'wx' })
  await link(draft, file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await unlink(draft)
  return await readFile(file, 'utf8')
}

async function publicJwk(pem: string) {
  const jwk = await exportJWK(createPublicKey(pem))
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' }
}

function refuseInProduction(
  env: NodeJS.ProcessEnv,
  what: string,
  mend: string,
  at: { readonly file: string | undefined; readonly path: string } = { file: undefined, path: '' },
): void {
  if (env['NODE_ENV'] !== 'production') return
  const message = `${what} is for development, and NODE_ENV is production`
  throw new ConfigError([{ ...at, line: undefined, column: undefined, message, mend }])
}
