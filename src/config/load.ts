import { dirname, resolve } from 'node:path'
import { resolveBroker } from './broker-section.ts'
import { type Check, startCheck } from './check.ts'
import { type Config, deepFreeze } from './config.ts'
import { type Environment, expand } from './expand.ts'
import { type NamedKey, resolveGateway, resolveRevocations, resolveState } from './gateway-section.ts'
import { checkIssuersDiffer, resolveIssuer } from './issuer.ts'
import { formatPath, type Located, locate, plainOf, without } from './located.ts'
import { ConfigError, type Finding, problemsOf } from './problem.ts'
import { resolveProtectedResource } from './protected-resource-section.ts'
import { validatorOf } from './schema.ts'
import { schemaFindings } from './schema-finding.ts'
import { type Draft, resolveBundle, resolveCapabilities, resolveData, resolveListen, resolveMcp } from './section.ts'
import { parseSource, readSource } from './source.ts'

export interface LoadOptions {
  /** Where `${NAME}` is looked up. */
  readonly env: Environment
  /** The gateway's signing key from the command line, in place of the environment's and the file's. */
  readonly signingKey?: NamedKey | undefined
}

/**
 * Reads, expands, checks and freezes a configuration file.
 *
 * @throws ConfigError with everything that is wrong with the file, not only the first.
 */
export async function loadConfig(file: string, { env, signingKey }: LoadOptions): Promise<Config> {
  const reading = await readSource(file)
  if (!reading.ok) throw new ConfigError([reading.problem])
  const parsing = parseSource(file, reading.text)
  if (!parsing.ok) throw new ConfigError(parsing.problems)
  const { root, findings } = expand(parsing.root, env)
  const absolute = resolve(file)
  return await resolveConfig(root, findings, { file: absolute, directory: dirname(absolute), env, signingKey })
}

/**
 * Checks and freezes a configuration that the program holds as a value, in the shape of the file. `${NAME}` is not
 * expanded in it.
 *
 * @throws ConfigError whose problems have no file, line and column.
 */
export async function parseConfig(value: unknown, directory: string, env: Environment = {}): Promise<Config> {
  return await resolveConfig(locate(value), [], { file: undefined, directory: resolve(directory), env })
}

interface Origin extends Pick<Config, 'file' | 'directory'> {
  readonly env: Environment
  readonly signingKey?: NamedKey | undefined
}

async function resolveConfig(root: Located, earlier: readonly Finding[], origin: Origin): Promise<Config> {
  const validate = validatorOf('config')
  const errors = validate(plainOf(root)) ? [] : (validate.errors ?? [])
  // What could not be expanded is known to be wrong; that it is no number either is no news.
  const known = new Set(earlier.map((finding) => formatPath(finding.path)))
  const shape = schemaFindings(root, errors).filter((finding) => !known.has(formatPath(finding.path)))
  const refused = [...earlier, ...shape].map((finding) => finding.path)
  const meant = shape.flatMap((finding) => (finding.instead === undefined ? [] : [finding.instead]))
  // What the schema refused is left out, so that the rest can be checked all the same.
  const draft = plainOf(without(root, refused)) as Draft
  const check = startCheck(origin.directory, [...refused, ...meant])
  const config = await configOf(draft, origin, check)
  const findings = [...earlier, ...shape, ...check.findings]
  if (findings.length > 0) throw new ConfigError(problemsOf(root, findings))
  return deepFreeze({ ...config, warnings: check.warnings })
}

async function configOf(
  draft: Draft,
  { env, signingKey, ...origin }: Origin,
  check: Check,
): Promise<Omit<Config, 'warnings'>> {
  const insecure = {
    anyAudience: draft.insecure?.anyAudience ?? false,
    httpIssuers: draft.insecure?.httpIssuers ?? false,
    httpUpstreams: draft.insecure?.httpUpstreams ?? false,
    unsignedState: draft.insecure?.unsignedState ?? false,
  }
  warnOf(insecure, check)
  const issuers = draft.issuers ?? []
  checkIssuersDiffer(issuers, check)
  const mcp = resolveMcp(draft.mcp ?? {}, check)
  const capabilities = await resolveCapabilities(
    draft.capabilities ?? {},
    { profile: mcp.profile, allowHttp: insecure.httpIssuers },
    check,
  )
  const gateway = resolveGateway(draft.gateway ?? {}, { env, profile: mcp.profile, signingKey }, check)
  return {
    ...origin,
    listen: resolveListen(draft.listen ?? {}, check),
    bundleFile: await resolveBundle(draft.bundle?.file, check),
    dataFiles: await resolveData(draft.data ?? [], check),
    issuers: await Promise.all(
      issuers.map((issuer, index) => resolveIssuer(issuer, ['issuers', index], insecure, check)),
    ),
    capabilities,
    mcp,
    gateway,
    protectedResource: resolveProtectedResource(draft.protectedResource, { env, issuers }, check),
    state: resolveState(draft.state ?? {}, gateway.signingKey !== undefined || insecure.unsignedState, check),
    revocations: resolveRevocations(draft.revocations ?? {}, { capabilities, allowHttp: insecure.httpIssuers }, check),
    broker: await resolveBroker(draft.broker, { batches: mcp.batches, allowHttp: insecure.httpUpstreams }, check),
    insecure,
  }
}

function warnOf(insecure: Config['insecure'], check: Check): void {
  if (insecure.anyAudience) {
    check.warn('insecure.anyAudience is on: issuers without audiences let in tokens that were made for other services')
  }
  if (insecure.httpIssuers) {
    check.warn('insecure.httpIssuers is on: whoever is on the way to an http address can put in keys of their own')
  }
  if (insecure.httpUpstreams) {
    check.warn(
      'insecure.httpUpstreams is on: whoever is on the way to an http upstream reads what is sent there, credentials too, and can answer in its place',
    )
  }
  if (insecure.unsignedState) {
    check.warn(
      'insecure.unsignedState is on: without a signing key whoever can write to Redis can make API keys that open everything',
    )
  }
}
