import { readFile } from 'node:fs/promises'
import type { Authorizer } from './authorizer/attempt.ts'
import { createAuthorizer } from './authorizer/authorizer.ts'
import { createDefinitions, type DefinitionBook } from './authorizer/definitions.ts'
import { type Bundle, readBundle } from './bundle/bundle.ts'
import { type CapabilityKey, loadCapabilityKey } from './capabilities/key.ts'
import { createMinter } from './capabilities/mint.ts'
import { publicKeyNamed, remoteKeys, type TrustedKeys } from './capabilities/trusted-keys.ts'
import { type CapabilityVerifier, createCapabilityVerifier } from './capabilities/verify.ts'
import { claimChecks } from './config/claim-checks.ts'
import type { Config } from './config/config.ts'
import { loadData } from './config/data.ts'
import { ConfigError } from './config/problem.ts'
import { followOwnKeys, followTrustedKeys } from './config/watch-key.ts'
import { createCheckedStore } from './engine.ts'
import { createGate, type Gate } from './gateway/gate.ts'
import { createGatewayTokens } from './gateway/tokens.ts'
import { createAuthenticator, type KeyedAuthenticator } from './identity/authenticator.ts'
import { failure } from './identity/failure.ts'
import type { StatementVerification } from './identity/statement.ts'
import type { Authentication, Authenticator, RevocationCheck } from './identity/subject.ts'
import { type Kept, openKept } from './kept.ts'
import type { DenialOptions } from './mcp/denial-options.ts'
import type { ProtectedResource } from './mcp/protected-resource.ts'
import type { ReadOptions } from './mcp/reading.ts'
import type { Data } from './policy/data.gen.ts'
import type { Decision, ReasonCode } from './policy/decision.gen.ts'
import type { Engine } from './policy/engine.ts'
import { textOf } from './policy/errors.ts'
import type { ListTrust } from './revocation/list.ts'
import type { Tally } from './state/ledger.ts'

/** One decision path, put together from a configuration; every door is given the same one. */
export interface Assembly {
  readonly config: Config
  readonly authorizer: Authorizer
  readonly read: ReadOptions
  /** What doors ask of a gateway's own tokens; undefined where there are none. */
  readonly gate: Gate | undefined
  /** What challenges name; undefined where nothing was said of it. */
  readonly protectedResource: ProtectedResource | undefined
  /** How denials look. */
  readonly denials: DenialOptions
  /** The revision that decides now. */
  revision(): string
  /** Whether a checked bundle and every issuer's keys are loaded, and it is known well enough what was revoked. */
  ready(): boolean
  /** Asks issuers for their keys, and others for what they revoked; resolves also where some of it could not be had. */
  load(): Promise<void>
  /** What keeps it from being ready, in words. */
  lacks(): readonly string[]
  /** The data in place. */
  data(): Data
  /** Puts other data in place, or throws a `PolicyError` and leaves what is there. */
  replaceData(data: Data): void
  /** What servers list, held against the data. */
  readonly definitions: DefinitionBook
  /** Revocations, API keys and counts. */
  readonly kept: Kept
  /** Verifies what an issuer says that is no credential. */
  statement(compact: string): Promise<StatementVerification>
  close(): Promise<void>
}

export interface AssemblyOptions {
  /** The key that signs x-mcp-authorized now; absent: nothing is minted. */
  readonly key?: (() => CapabilityKey) | undefined
  /** Believe x-mcp-authorized as a credential, under `capabilities.trusted`: the guard alone. */
  readonly guard?: boolean
  /** Whether the state file is made where it is not there. Default: it is used where it is there. */
  readonly state?: 'create' | 'if-there'
  readonly record?: (decision: Decision) => void
  readonly onFault?: (code: ReasonCode, cause: string) => void
  /** Told one line at a time what the operator should know: issuers whose keys cannot be had. */
  readonly onWarning?: (text: string) => void
}

/**
 * Puts the parts together: bundle and data loaded and tried, identity, authorizer.
 * @throws {ConfigError} for a bundle or data that cannot be used
 */
export async function assemble(config: Config, options: AssemblyOptions = {}): Promise<Assembly> {
  const bundle = await bundleOf(config.bundleFile)
  const store = createCheckedStore()
  let data = await loadData(config.dataFiles)
  store.replace(bundle, data)
  const { onWarning = () => undefined } = options
  const trusted = await trustedKeys(config, options, onWarning)
  const kept = await openKept(config, {
    state: options.state ?? 'if-there',
    trust: listTrustIn(trusted, config),
    onWarning,
  })
  const definitions = createDefinitions({
    data,
    prefixedUris: prefixesUris(config, options),
    ledger: kept.state.ledger,
    put: (changed) => void store.replace(bundle, data, changed),
    onWarning,
  })
  const identity = identityOf(config, kept, onWarning)
  const authorizer = authorizerOf(config, options, { identity, kept, trusted, definitions, engine: store.current })
  const lacks = (): readonly string[] => [
    ...(identity.ready() ? [] : ['the keys of some issuer are not loaded yet']),
    ...((trusted?.ready() ?? true) ? [] : ['the trusted keys of x-mcp-authorized are not loaded yet']),
    ...(kept.revocations.judges() ? [] : ['what was revoked elsewhere is not known yet']),
  ]
  return {
    config,
    authorizer,
    read: readOptionsOf(config),
    gate: gateOf(config, kept.state.tally.once),
    protectedResource: config.protectedResource,
    denials: config.mcp.denial,
    revision: () => store.current()?.revision ?? '',
    ready: () => lacks().length === 0 && store.current() !== undefined,
    lacks,
    load: async () => void (await Promise.all([identity.load(), trusted?.load(), kept.first])),
    statement: (compact) => identity.statement(compact),
    kept,
    data: () => data,
    definitions,
    replaceData(next) {
      const { changed, adopt } = definitions.under(next)
      store.replace(bundle, next, changed)
      data = next
      adopt()
    },
    async close() {
      trusted?.close()
      identity.close()
      definitions.close()
      await kept.close()
    },
  }
}

function identityOf(config: Config, kept: Kept, onWarning: (text: string) => void): KeyedAuthenticator {
  return createAuthenticator({
    issuers: config.issuers,
    revocations: kept.revocations,
    apiKeys: kept.apiKeys,
    allowHttp: config.insecure.httpIssuers,
    onKeysFault: (issuer, detail) => onWarning(`the keys of issuer \`${issuer}\` cannot be had: ${detail}`),
  })
}

interface Means {
  readonly identity: Authenticator
  readonly kept: Kept
  readonly trusted: TrustedKeys | undefined
  readonly definitions: DefinitionBook
  readonly engine: () => Engine | undefined
}

function authorizerOf(
  config: Config,
  options: AssemblyOptions,
  { identity, kept, trusted, definitions, engine }: Means,
): Authorizer {
  const { key, guard = false, record, onFault } = options
  const { profile } = config.mcp
  const trust = guard && trusted !== undefined ? trustIn(trusted, config, kept.revocations) : undefined
  return createAuthorizer({
    ...(record === undefined ? {} : { record }),
    ...(onFault === undefined ? {} : { onFault }),
    admission: kept.admission,
    tasks: kept.state.bindings,
    authenticator: guard ? withCapabilities(identity, trust, profile) : identity,
    definitions,
    prefixedUris: prefixesUris(config, options),
    unenforced: !config.capabilities.enforce,
    engine,
    minter: key === undefined ? undefined : createMinter({ ...config.capabilities, profile }, key),
    profile,
  })
}

/** In a broker's guard a client-visible URI has the server's prefix, as in Kuadrant's. */
function prefixesUris({ mcp }: Config, { guard = false }: AssemblyOptions): boolean {
  return guard && mcp.profile === 'kuadrant'
}

/** Reads the key that signs x-mcp-authorized, with its retired predecessors. @throws {ConfigError} naming the file */
export async function readCapabilityKey(file: string): Promise<CapabilityKey> {
  try {
    return await loadCapabilityKey(file)
  } catch (thrown) {
    const mend = 'make one with `mcp-authz keys generate`'
    throw new ConfigError([
      { file, line: undefined, column: undefined, path: 'capabilities.key.file', message: textOf(thrown), mend },
    ])
  }
}

/** The keys of `capabilities.trusted`; undefined where nothing is believed, or the configuration names no key at all. */
async function trustedKeys(
  { capabilities, insecure, revocations }: Config,
  { guard = false }: AssemblyOptions,
  onWarning: (text: string) => void,
): Promise<TrustedKeys | undefined> {
  if (!guard && revocations.followUrl === undefined) return undefined
  const { trusted, keyFile } = capabilities
  const onRefused = (cause: string): void =>
    onWarning(`the trusted keys of x-mcp-authorized cannot be used, what was there goes on: ${cause}`)
  if (trusted === undefined) return keyFile === undefined ? undefined : await followOwnKeys(keyFile, onRefused)
  if ('file' in trusted) return await followTrustedKeys(trusted.file, onRefused)
  return remoteKeys(trusted.url, {
    now: Date.now,
    fetch: globalThis.fetch,
    allowHttp: insecure.httpIssuers,
    onFault: (detail) => onWarning(`the trusted keys of x-mcp-authorized cannot be had: ${detail}`),
  })
}

/** Whose list of revocations to believe: whose capability tokens are. */
function listTrustIn(keys: TrustedKeys | undefined, { capabilities }: Config): ListTrust | undefined {
  if (keys === undefined) return undefined
  return { issuer: capabilities.issuer, key: (kid) => publicKeyNamed(keys, kid) }
}

function trustIn(keys: TrustedKeys, { capabilities, mcp }: Config, revocations: RevocationCheck): CapabilityVerifier {
  const { issuer, audience, bound, authorizedTools } = capabilities
  return createCapabilityVerifier({
    keys,
    issuer,
    audience,
    bound,
    authorizedTools,
    profile: mcp.profile,
    revocations,
    ...claimChecks(),
  })
}

function readOptionsOf({ mcp, capabilities: { authorizedTools } }: Config): ReadOptions {
  const { profile, maxBodyBytes, maxDepth, batches, kuadrant } = mcp
  return { profile, maxBodyBytes, maxDepth, batches, headersOnly: kuadrant.headersOnly, authorizedTools }
}

function gateOf({ gateway }: Config, once: Tally['once']): Gate | undefined {
  const { signingKey, backendInit, sessions } = gateway
  if (signingKey === undefined || !(backendInit || sessions)) return undefined
  return createGate({ tokens: createGatewayTokens({ signingKey, once }), backendInit, sessions })
}

async function bundleOf(file: string): Promise<Bundle> {
  try {
    return await readBundle(await readFile(file))
  } catch (thrown) {
    throw new ConfigError([
      {
        file,
        line: undefined,
        column: undefined,
        path: 'bundle.file',
        message: textOf(thrown),
        mend: 'build it anew with `npm run bundle`',
      },
    ])
  }
}

function withCapabilities(
  identity: Authenticator,
  verify: CapabilityVerifier | undefined,
  profile: 'strict' | 'kuadrant',
): Authenticator {
  const nobody: Authentication = { ok: true, subject: { id: '', grants: {}, roles: [], capabilities: {} } }
  return {
    async authenticate(credential) {
      const { kind } = credential
      if (kind === 'anonymous') return profile === 'kuadrant' ? nobody : noCredential
      if (kind !== 'capability' && kind !== 'authorized-tools') return await identity.authenticate(credential)
      const { values, session } = credential
      const header = kind === 'capability' ? 'x-mcp-authorized' : 'x-authorized-tools'
      return verify === undefined ? noCredential : await verify({ values, session, header })
    },
  }
}

const noCredential = failure('token_missing', 'no credential that is believed here was presented')
