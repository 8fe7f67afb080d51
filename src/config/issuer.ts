import { parsePath } from '../identity/claim-path.ts'
import { presets } from '../identity/claims.ts'
import { addressFault } from '../identity/key-document.ts'
import type { ClaimPaths, IssuerOptions, KeycloakEventsOptions, KeysOption } from '../identity/options.ts'
import { realmFault } from '../revocation/feeds/keycloak-admin.ts'
import type { Check } from './check.ts'
import type { IssuerFile } from './config.gen.ts'
import { readJwks, readSecret } from './key-file.ts'
import { formatPath, type Path } from './located.ts'

/** An issuer as it is written; parts that the schema refused are left out. */
export type IssuerDraft = Partial<IssuerFile>

/** What of `insecure` an issuer depends on. */
export interface IssuerLeave {
  readonly anyAudience: boolean
  readonly httpIssuers: boolean
}

/** Fills in and checks one entry of `issuers`, reading its key files. What it returns is of use only without findings. */
export async function resolveIssuer(
  draft: IssuerDraft,
  path: Path,
  leave: IssuerLeave,
  check: Check,
): Promise<IssuerOptions> {
  const algorithms = draft.algorithms ?? (draft.jwks?.secretFile === undefined ? ['RS256', 'ES256'] : ['HS256'])
  checkAlgorithms(draft, [...path, 'algorithms'], check)
  checkSubject(draft, [...path, 'claims', 'subject'], check)
  const audiences = draft.audiences ?? []
  if (audiences.length === 0 && !leave.anyAudience && !check.isBroken(['insecure'])) {
    const mend =
      'name what `aud` of your tokens holds, for example `audiences: [mcp-gateway]`, or set `insecure.anyAudience`'
    check.report([...path, 'audiences'], 'expected at least one audience', mend)
  }
  return {
    issuer: draft.issuer ?? '',
    keys: await resolveKeys(draft, path, leave, algorithms, check),
    algorithms,
    audiences,
    clockToleranceSeconds: draft.clockToleranceSeconds ?? 5,
    maxLifetimeSeconds: draft.maxLifetimeSeconds ?? 86400,
    authorizedParties: draft.authorizedParties,
    requiredClaims: draft.requiredClaims ?? [],
    keyAges: keyAgesOf(draft.keys ?? {}, [...path, 'keys'], check),
    backChannelLogout: draft.backChannelLogout,
    keycloakEvents: await resolveEvents(draft, [...path, 'keycloakEvents'], leave, check),
    claims: resolveClaims(draft.claims ?? {}, [...path, 'claims'], check),
  }
}

/** Reports every issuer whose name an earlier one has. */
export function checkIssuersDiffer(issuers: readonly IssuerDraft[], check: Check): void {
  const first = new Map<string, number>()
  for (const [index, { issuer }] of issuers.entries()) {
    if (issuer === undefined) continue
    const before = first.get(issuer)
    if (before === undefined) first.set(issuer, index)
    else
      check.report(['issuers', index, 'issuer'], `the same issuer as issuers[${before}]`, 'make one entry of the two')
  }
}

function checkAlgorithms(draft: IssuerDraft, path: Path, check: Check): void {
  if (check.isBroken([...path.slice(0, -1), 'jwks'])) return
  const shared = draft.jwks?.secretFile !== undefined
  for (const [index, algorithm] of (draft.algorithms ?? []).entries()) {
    if (algorithm.startsWith('HS') === shared) continue
    const [message, mend] = shared
      ? [`\`${algorithm}\` does not go with \`jwks.secretFile\``, 'use HS256, HS384 or HS512, or name public keys']
      : [`\`${algorithm}\` goes with \`jwks.secretFile\` only`, 'name a `jwks.secretFile`, or remove it']
    check.report([...path, index], message, mend)
  }
}

/** Logout tokens and events name people by `sub` alone. */
function checkSubject({ claims, backChannelLogout, keycloakEvents }: IssuerDraft, path: Path, check: Check): void {
  if (backChannelLogout === undefined && keycloakEvents === undefined) return
  if ((claims?.subject ?? presets[claims?.preset ?? 'keycloak'].subject) === 'sub') return
  const mend = 'remove it, or remove `backChannelLogout` and `keycloakEvents`'
  check.report(path, 'expected `sub`, by which the issuer tells of logouts and events', mend)
}

function keyAgesOf(draft: NonNullable<IssuerDraft['keys']>, path: Path, check: Check): IssuerOptions['keyAges'] {
  const { maxAgeSeconds = 600, maxOutageSeconds = Math.max(3600, maxAgeSeconds) } = draft
  if (maxOutageSeconds < maxAgeSeconds) {
    check.report(
      [...path, 'maxOutageSeconds'],
      'expected no less than maxAgeSeconds',
      'raise it, or lower maxAgeSeconds',
    )
  }
  return { maxAgeMs: maxAgeSeconds * 1000, maxOutageMs: maxOutageSeconds * 1000 }
}

async function resolveEvents(
  { issuer = '', keycloakEvents: draft }: IssuerDraft,
  path: Path,
  leave: IssuerLeave,
  check: Check,
): Promise<KeycloakEventsOptions | undefined> {
  if (draft === undefined) return undefined
  const url = draft.url ?? issuer.replace(/\/realms\/(?=[^/]+\/?$)/, '/admin/realms/').replace(/\/$/, '')
  const fault =
    draft.url === undefined && url === issuer
      ? 'the issuer is no address of a Keycloak realm'
      : (addressFault(url, leave.httpIssuers) ?? realmFault(url))
  const mend = 'write the address of the realm in the admin API, like https://sso.example.com/admin/realms/mcp'
  if (fault !== undefined) check.report(draft.url === undefined ? path : [...path, 'url'], fault, mend)
  const secret = await secretOf(draft.clientSecretFile, [...path, 'clientSecretFile'], check)
  return { url, clientId: draft.clientId ?? '', clientSecret: secret, intervalMs: draft.intervalMs ?? 1000 }
}

async function secretOf(file: string | undefined, path: Path, check: Check): Promise<string> {
  if (file === undefined) return ''
  const reading = await readSecret(check.absolute(file))
  if (reading.ok) return Buffer.from(reading.value).toString('utf8')
  check.report(path, reading.message, reading.mend)
  return ''
}

async function resolveKeys(
  draft: IssuerDraft,
  path: Path,
  leave: IssuerLeave,
  algorithms: readonly string[],
  check: Check,
): Promise<KeysOption> {
  const allowHttp = leave.httpIssuers || check.isBroken(['insecure'])
  const at = [...path, 'jwks']
  const { file, url, secretFile } = draft.jwks ?? {}
  if (file !== undefined) return { kind: 'jwks', jwks: await jwksFrom(file, [...at, 'file'], check) }
  if (url !== undefined) return urlKeys(url, [...at, 'url'], allowHttp, check)
  if (secretFile !== undefined) {
    return { kind: 'secret', secret: await secretFrom(secretFile, [...at, 'secretFile'], algorithms, check) }
  }
  return discoveryKeys(draft, path, allowHttp, check)
}

function urlKeys(url: string, path: Path, allowHttp: boolean, check: Check): KeysOption {
  const fault = addressFault(url, allowHttp)
  if (fault !== undefined) check.report(path, fault, 'write an https address')
  return { kind: 'url', url }
}

function discoveryKeys(draft: IssuerDraft, path: Path, allowHttp: boolean, check: Check): KeysOption {
  const fault = draft.issuer === undefined ? undefined : addressFault(draft.issuer, allowHttp)
  if (fault !== undefined && !check.isBroken([...path, 'jwks'])) {
    const message = `without \`jwks\` the issuer is where OIDC discovery begins: ${fault}`
    check.report([...path, 'issuer'], message, 'say where its keys are with `jwks`, or write an https address')
  }
  return { kind: 'discovery' }
}

async function jwksFrom(file: string, path: Path, check: Check): Promise<unknown> {
  const reading = await readJwks(check.absolute(file))
  if (reading.ok) return reading.value
  check.report(path, reading.message, reading.mend)
  return undefined
}

async function secretFrom(file: string, path: Path, algorithms: readonly string[], check: Check): Promise<Uint8Array> {
  const reading = await readSecret(check.absolute(file))
  if (!reading.ok) {
    check.report(path, reading.message, reading.mend)
    return new Uint8Array()
  }
  // RFC 7518 section 3.2: a key of the same size as the hash output, or larger.
  const needed = Math.max(
    0,
    ...algorithms.filter((name) => name.startsWith('HS')).map((name) => Number(name.slice(2)) / 8),
  )
  if (reading.value.length < needed) {
    check.warn(
      `${formatPath(path)}: the secret is shorter than the ${needed} bytes its algorithm wants; use a longer one`,
    )
  }
  return reading.value
}

function resolveClaims(draft: NonNullable<IssuerDraft['claims']>, path: Path, check: Check): ClaimPaths {
  const preset: ClaimPaths = presets[draft.preset ?? 'keycloak']
  const virtualServer = draft.virtualServer ?? preset.virtualServer
  checkPaths(draft.grants, [...path, 'grants'], true, check)
  checkPaths(draft.roles, [...path, 'roles'], false, check)
  checkPaths(draft.groups, [...path, 'groups'], false, check)
  checkPaths(draft.scopes, [...path, 'scopes'], false, check)
  checkPaths(draft.email, [...path, 'email'], false, check)
  checkPaths(draft.subject, [...path, 'subject'], false, check)
  checkPaths(draft.virtualServer, [...path, 'virtualServer'], false, check)
  return {
    subject: draft.subject ?? preset.subject,
    grants: listOf(draft.grants) ?? preset.grants,
    roles: listOf(draft.roles) ?? preset.roles,
    groups: listOf(draft.groups) ?? preset.groups ?? [],
    scopes: listOf(draft.scopes) ?? preset.scopes ?? [],
    email: draft.email ?? preset.email ?? 'email',
    ...(virtualServer === undefined ? {} : { virtualServer }),
  }
}

function checkPaths(paths: string | readonly string[] | undefined, at: Path, wildcard: boolean, check: Check): void {
  for (const [index, text] of (listOf(paths) ?? []).entries()) {
    const parsing = parsePath(text, { wildcard })
    if (parsing.ok) continue
    const mend = wildcard
      ? 'write names joined by dots, such as `resource_access.*.roles`'
      : 'write names joined by dots'
    check.report(Array.isArray(paths) ? [...at, index] : at, parsing.detail, mend)
  }
}

function listOf(paths: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof paths === 'string' ? [paths] : paths
}
