import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose'
import { generateKeyPem } from '../../src/capabilities/key.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import type { Decision } from '../../src/policy/decision.gen.ts'
import { type Service, startService } from '../../src/service.ts'
import { collect, eventually, killWithThisProcess } from './envoy-process.ts'

/** A folder with a whole configuration, and an issuer whose tokens it believes. */
export interface Installation {
  readonly configFile: string
  /** A signed token; every one that was made is remembered for {@link Installation.secrets}. */
  token(said?: Said): Promise<string>
  /** The service in this process; `grpc` binds an address that an earlier one had. */
  start(grpc?: string): Promise<RunningService>
  /** Another configuration beside it, in which these sections replace its own. Returns the file. */
  configure(name: string, sections: Readonly<Record<string, unknown>>): Promise<string>
  /** The service as users run it: a process of its own. `args` are further ones of `serve`. */
  spawn(configFile?: string, ...args: readonly string[]): Promise<ServiceProcess>
  /** What may stand in no log: the signatures of all tokens. */
  secrets(): readonly string[]
  remove(): Promise<void>
}

export interface Said {
  readonly subject?: string
  readonly roles?: readonly string[]
  readonly audience?: string
  /** Seconds from now. */
  readonly expiresIn?: number
  /** Further claims, or others in place of those. */
  readonly claims?: Readonly<Record<string, unknown>>
}

export interface RunningService extends Service {
  readonly grpcPort: number
  /** Everything it logged. */
  readonly log: () => string
  /** The decision with this id, from its log. */
  decision(id: string): Decision | undefined
  /** Verifies an x-mcp-authorized against the published keys, and remembers it as a secret. */
  verify(token: string): Promise<JWTPayload>
}

export interface ServiceProcess {
  readonly grpcPort: number
  /** HOST:PORT. */
  readonly http: string
  readonly log: () => string
  /** Resolves with the exit code, or the signal's name. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string>
}

/** Of every token, unless the test says otherwise. */
export const issuer = 'https://sso.example.com/realms/mcp'

const ownData = {
  servers: {
    weather: { prefix: 'weather_', tools: ['forecast', 'alerts', 'stream'] },
    files: { prefix: 'files_', tools: ['read'] },
  },
  virtual_servers: { 'team-a/desk': { tools: ['weather_forecast'] } },
  roles: { forecaster: { weather: ['tool:*'] } },
}

export interface InstallationOptions {
  readonly profile?: 'strict' | 'kuadrant'
  readonly maxBodyBytes?: number
  readonly batches?: boolean
  /** `mcp.denial`. */
  readonly denial?: unknown
  /** Further keys of `capabilities`. */
  readonly capabilities?: object
  /** In place of its own issuer, and of what that may use. */
  readonly issuers?: readonly object[]
  readonly data?: object
  /** Further files, by name, and what they hold. */
  readonly files?: Readonly<Record<string, string>>
}

/** Writes the configuration of an installation. */
export async function install({
  profile = 'strict',
  maxBodyBytes = 4096,
  batches = false,
  denial = 'explicit',
  capabilities = {},
  issuers = [{ issuer, jwks: { file: 'jwks.json' }, algorithms: ['ES256'], audiences: ['mcp-gateway'] }],
  data = ownData,
  files = {},
}: InstallationOptions = {}): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-authz-real-'))
  const file = (name: string): string => join(folder, name)
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const config = {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    data: ['data.json'],
    issuers,
    capabilities: { key: { file: 'key.pem' }, ...capabilities },
    mcp: { profile, maxBodyBytes, batches, denial },
  }
  const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k' }
  await writeFile(file('mcp-authz.yaml'), JSON.stringify(config))
  await writeFile(file('data.json'), JSON.stringify(data))
  await writeFile(file('jwks.json'), JSON.stringify({ keys: [jwk] }))
  await writeFile(file('key.pem'), generateKeyPem(), { mode: 0o600 })
  for (const [name, text] of Object.entries(files)) await writeFile(file(name), text)
  const tokens: string[] = []
  return {
    configFile: file('mcp-authz.yaml'),
    async token({ subject = 'alice', roles = ['forecaster'], audience = 'mcp-gateway', expiresIn = 300, claims } = {}) {
      const exp = Math.floor(Date.now() / 1000) + expiresIn
      const said = { iss: issuer, aud: audience, sub: subject, exp, realm_access: { roles }, ...claims }
      const token = await new SignJWT(said).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(privateKey)
      tokens.push(token)
      return token
    },
    start: async (grpc) => await start(file('mcp-authz.yaml'), file('key.pem'), tokens, grpc),
    async configure(name, sections) {
      await writeFile(file(`${name}.yaml`), JSON.stringify({ ...config, ...sections }))
      return file(`${name}.yaml`)
    },
    spawn: async (configFile = file('mcp-authz.yaml'), ...args) => await spawnService(configFile, args),
    secrets: () => tokens.map((token) => token.split('.')[2] ?? token),
    remove: async () => await rm(folder, { recursive: true }),
  }
}

async function start(configFile: string, keyFile: string, tokens: string[], grpc?: string): Promise<RunningService> {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  const config = await loadConfig(configFile, { env: {} })
  const service = await startService({
    config: { ...config, listen: { ...config.listen, grpc: grpc ?? config.listen.grpc } },
    capabilityKeyFile: keyFile,
    log: createDecisionLog({ level: 'info', destination: { write } }),
  })
  const jwks = (await (await fetch(`http://${service.http}/.well-known/jwks.json`)).json()) as JSONWebKeySet
  return {
    ...service,
    grpcPort: portOf(service.grpc),
    log: () => lines.join(''),
    decision: (id) => decisionsIn(lines).find((decision) => decision.id === id),
    async verify(token) {
      tokens.push(token)
      const expected = { issuer: 'mcp-authz', audience: 'mcp-broker', algorithms: ['ES256'] }
      return (await jwtVerify(token, createLocalJWKSet(jwks), expected)).payload
    },
  }
}

function decisionsIn(lines: readonly string[]): readonly Decision[] {
  const entries = lines.map((line) => JSON.parse(line) as { readonly decision?: Decision })
  return entries.flatMap(({ decision }) => (decision === undefined ? [] : [decision]))
}

/** The program as it is installed. */
export const program = fileURLToPath(new URL('../../bin/mcp-authz.js', import.meta.url))

async function spawnService(configFile: string, args: readonly string[]): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [program, 'serve', '--config', configFile, ...args])
  const unhook = killWithThisProcess(child)
  const log = collect(child)
  const [, grpc = '', http = ''] = await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`the service ended with code ${child.exitCode}: ${log()}`)
    return /^ready grpc=(\S+) http=(\S+)$/m.exec(log()) ?? undefined
  }, 'the service is ready')
  return {
    grpcPort: portOf(grpc),
    http,
    log,
    async kill(signal) {
      const end = await ended(child, signal)
      unhook()
      return end
    },
  }
}

async function ended(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return child.exitCode ?? child.signalCode ?? ''
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
