import { fileURLToPath } from 'node:url'
import { formatAddress, parseAddress } from '../address.ts'
import { addressFault } from '../identity/key-document.ts'
import type { Check } from './check.ts'
import type { ConfigFile } from './config.gen.ts'
import type { CapabilitiesConfig, Config, DenialConfig, McpConfig } from './config.ts'
import type { IssuerDraft } from './issuer.ts'
import { checkPrivateKey, checkReadable, checkTrustedKeys, type FileReading } from './key-file.ts'
import type { Path } from './located.ts'

/** The configuration as it is written; parts that the schema refused are left out. */
export type Draft = Partial<Omit<ConfigFile, 'issuers'>> & { readonly issuers?: readonly IssuerDraft[] }

/** `listen`: both addresses, the path of a unix socket made absolute. */
export function resolveListen(draft: NonNullable<Draft['listen']>, check: Check): Config['listen'] {
  const grpc = resolveAddress(draft.grpc ?? '127.0.0.1:9191', ['listen', 'grpc'], check)
  const http = resolveAddress(draft.http ?? '127.0.0.1:8181', ['listen', 'http'], check)
  // Port 0 is another one each time.
  if (grpc === http && !grpc.endsWith(':0')) {
    check.report(['listen', 'http'], 'the same address as listen.grpc', 'choose another port')
  }
  return { grpc, http }
}

/** `bundle.file`, by default the bundle that ships with the package. */
export async function resolveBundle(file: string | undefined, check: Check): Promise<string> {
  if (file === undefined) return fileURLToPath(new URL('../../bundles/mcp-authz.tar.gz', import.meta.url))
  return await resolveFile(file, ['bundle', 'file'], checkReadable, check)
}

/** `data`: every file, in order. */
export async function resolveData(files: readonly string[], check: Check): Promise<string[]> {
  return await Promise.all(files.map((file, index) => resolveFile(file, ['data', index], checkReadable, check)))
}

/** `capabilities`, with the key files looked into. */
export async function resolveCapabilities(
  draft: NonNullable<Draft['capabilities']>,
  { profile, allowHttp }: { readonly profile: McpConfig['profile']; readonly allowHttp: boolean },
  check: Check,
): Promise<CapabilitiesConfig> {
  const path = ['capabilities']
  const keyFile = draft.key?.file
  const enforce = draft.enforce ?? true
  if (!enforce && profile !== 'kuadrant' && !check.isBroken(['mcp', 'profile'])) {
    const mend = 'remove it, or set `mcp.profile: kuadrant`'
    check.report([...path, 'enforce'], 'expected true, false is for profile kuadrant only', mend)
  }
  const authorizedTools = draft.authorizedTools ?? false
  if (authorizedTools) {
    check.warn(
      'capabilities.authorizedTools is on: x-authorized-tools is deprecated; `mcp-authz migrate` rewrites what sets it, which is to set x-mcp-authorized',
    )
  }
  return {
    keyFile: keyFile && (await resolveFile(keyFile, [...path, 'key', 'file'], checkPrivateKey, check)),
    lifetimeSeconds: draft.lifetimeSeconds ?? 300,
    issuer: draft.issuer ?? 'mcp-authz',
    audience: draft.audience ?? 'mcp-broker',
    maxBytes: draft.maxBytes ?? 32768,
    publishAheadSeconds: draft.publishAheadSeconds ?? 60,
    trusted: await resolveTrusted(draft.trusted ?? {}, [...path, 'trusted'], allowHttp, check),
    enforce,
    bound: draft.bound ?? false,
    whenTooLarge: draft.whenTooLarge ?? 'deny',
    authorizedTools,
  }
}

async function resolveTrusted(
  { file, url }: NonNullable<NonNullable<Draft['capabilities']>['trusted']>,
  path: Path,
  allowHttp: boolean,
  check: Check,
): Promise<CapabilitiesConfig['trusted']> {
  if (file !== undefined) return { file: await resolveFile(file, [...path, 'file'], checkTrustedKeys, check) }
  if (url === undefined) return undefined
  const fault = addressFault(url, allowHttp)
  if (fault !== undefined) check.report([...path, 'url'], fault, 'write an https address')
  return { url }
}

/** `mcp`. */
export function resolveMcp(draft: NonNullable<Draft['mcp']>, check: Check): McpConfig {
  const profile = draft.profile ?? 'strict'
  const headersOnly = draft.kuadrant?.headersOnly ?? false
  if (headersOnly && profile !== 'kuadrant' && !check.isBroken(['mcp', 'profile'])) {
    const path = ['mcp', 'kuadrant', 'headersOnly']
    check.report(path, 'expected false, true is for profile kuadrant only', 'remove it, or set `mcp.profile: kuadrant`')
  }
  return {
    profile,
    maxBodyBytes: draft.maxBodyBytes ?? 1048576,
    maxDepth: draft.maxDepth ?? 64,
    batches: draft.batches ?? false,
    denial: denialOf(draft.denial ?? {}),
    kuadrant: { headersOnly },
  }
}

function denialOf(draft: NonNullable<NonNullable<Draft['mcp']>['denial']>): DenialConfig {
  if (typeof draft === 'string') return denialOf({ default: draft })
  const { default: mode = 'explicit', clients = [], hideLike: { sdk = 'v2', json = false } = {} } = draft
  return { default: mode, clients, hideLike: { sdk, json } }
}

function resolveAddress(text: string, path: Path, check: Check): string {
  const reading = parseAddress(text)
  if (!reading.ok) {
    check.report(path, reading.detail, 'write for example `127.0.0.1:9191`, `[::1]:9191` or `unix:/run/mcp-authz.sock`')
    return text
  }
  const { address } = reading
  if (address.kind === 'tcp') return formatAddress(address)
  return formatAddress({ kind: 'unix', path: check.absolute(address.path) })
}

async function resolveFile(
  file: string,
  path: Path,
  look: (file: string) => Promise<FileReading<unknown>>,
  check: Check,
): Promise<string> {
  const absolute = check.absolute(file)
  const reading = await look(absolute)
  if (!reading.ok) check.report(path, reading.message, reading.mend)
  return absolute
}
