import type { Check } from './check.ts'
import type { ProtectedResourceConfig } from './config.ts'
import type { Environment } from './expand.ts'
import { textOf } from './gateway-section.ts'
import type { IssuerDraft } from './issuer.ts'
import type { Draft } from './section.ts'

/** What is published where nothing was said of it: the defaults of Kuadrant's release note. */
export function undeclaredResource(
  issuers: readonly { readonly issuer?: string | undefined }[],
): ProtectedResourceConfig {
  return {
    name: 'MCP Server',
    resource: undefined,
    authorizationServers: issuers.flatMap(({ issuer = '' }) => (/^https?:\/\//.test(issuer) ? [issuer] : [])),
    bearerMethodsSupported: ['header'],
    scopesSupported: ['basic'],
  }
}

/** `protectedResource`; undefined where neither the file nor the environment says anything of it. */
export function resolveProtectedResource(
  draft: Draft['protectedResource'],
  { env, issuers }: { readonly env: Environment; readonly issuers: readonly IssuerDraft[] },
  check: Check,
): ProtectedResourceConfig | undefined {
  if (draft === undefined && Object.values(variables).every((name) => textOf(env, name) === undefined)) return undefined
  const said = settingsOf(draft ?? {}, env)
  const undeclared = undeclaredResource(issuers)
  checkPublicHost(draft?.publicHost, check)
  checkAddress('resource', said.resource, check)
  for (const server of said.authorizationServers?.value ?? []) {
    checkAddress('authorizationServers', { value: server, from: said.authorizationServers?.from }, check)
  }
  checkMethods(said.bearerMethodsSupported, check)
  const { publicHost } = draft ?? {}
  const resource = said.resource?.value ?? (publicHost === undefined ? undefined : `https://${publicHost}/mcp`)
  if (resource === undefined) {
    check.warn('protectedResource says no address: challenges name no metadata; set publicHost or OAUTH_RESOURCE')
  }
  return {
    name: said.name?.value ?? undeclared.name,
    resource,
    authorizationServers: said.authorizationServers?.value ?? undeclared.authorizationServers,
    bearerMethodsSupported: said.bearerMethodsSupported?.value ?? undeclared.bearerMethodsSupported,
    scopesSupported: scopesOf(said.scopesSupported, check) ?? undeclared.scopesSupported,
  }
}

/** As Kuadrant's controller sets them; lists are parted by commas. */
const variables = {
  name: 'OAUTH_RESOURCE_NAME',
  resource: 'OAUTH_RESOURCE',
  authorizationServers: 'OAUTH_AUTHORIZATION_SERVERS',
  bearerMethodsSupported: 'OAUTH_BEARER_METHODS_SUPPORTED',
  scopesSupported: 'OAUTH_SCOPES_SUPPORTED',
} as const

type Key = keyof typeof variables

/** What was said, and by which variable; undefined: by the file. */
interface Setting<T> {
  readonly value: T
  readonly from: string | undefined
}

function settingsOf(draft: NonNullable<Draft['protectedResource']>, env: Environment) {
  return {
    name: settingOf(textOf(env, variables.name), variables.name, draft.name),
    resource: settingOf(textOf(env, variables.resource), variables.resource, draft.resource),
    authorizationServers: listOf(env, 'authorizationServers', draft.authorizationServers),
    bearerMethodsSupported: listOf(env, 'bearerMethodsSupported', draft.bearerMethodsSupported),
    scopesSupported: listOf(env, 'scopesSupported', draft.scopesSupported),
  }
}

function settingOf<T>(variable: T | undefined, from: string, file: T | undefined): Setting<T> | undefined {
  if (variable !== undefined) return { value: variable, from }
  return file === undefined ? undefined : { value: file, from: undefined }
}

function listOf(
  env: Environment,
  key: Key,
  file: readonly string[] | undefined,
): Setting<readonly string[]> | undefined {
  const names = textOf(env, variables[key])
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  return settingOf(names?.length === 0 ? undefined : names, variables[key], file)
}

function report(key: Key | 'publicHost', from: string | undefined, message: string, mend: string, check: Check): void {
  check.report(['protectedResource', key], from === undefined ? message : `${from}: ${message}`, mend)
}

function checkPublicHost(host: string | undefined, check: Check): void {
  if (host === undefined) return
  const isHost = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.test(host) && URL.canParse(`https://${host}`)
  if (!isHost) report('publicHost', undefined, 'expected HOST or HOST:PORT', 'write it like mcp.example.com', check)
}

// RFC 9728 section 1.2 and RFC 8414 section 2: https, without a fragment. Trials behind plain http are warned about.
function checkAddress(key: 'resource' | 'authorizationServers', said: Setting<string> | undefined, check: Check): void {
  if (said === undefined) return
  const url = URL.canParse(said.value) ? new URL(said.value) : undefined
  const isWeb = url !== undefined && ['https:', 'http:'].includes(url.protocol) && !said.value.includes('#')
  if (!isWeb || url.username !== '' || url.password !== '') {
    const message = 'expected an https address without user, password and fragment'
    report(key, said.from, message, 'write it like https://mcp.example.com/mcp', check)
  } else if (url.protocol === 'http:')
    check.warn(`protectedResource.${key} is not https: clients may refuse it, as they should`)
}

function checkMethods(said: Setting<readonly string[]> | undefined, check: Check): void {
  if (said === undefined || said.value.every((method) => method === 'header')) return
  const mend = 'remove the others: a token in a form or a query is no credential here'
  report('bearerMethodsSupported', said.from, 'expected `header` alone', mend, check)
}

function scopesOf(said: Setting<readonly string[]> | undefined, check: Check): readonly string[] | undefined {
  if (said === undefined) return undefined
  // RFC 6749 section 3.3.
  if (!said.value.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))) {
    const message = 'expected scopes without blanks, quotes, backslashes and letters beyond ASCII'
    report('scopesSupported', said.from, message, 'write one scope per item', check)
  }
  if (!said.value.includes('offline_access')) return said.value
  check.warn('protectedResource.scopesSupported: `offline_access` is between client and issuer, and is not listed')
  return said.value.filter((scope) => scope !== 'offline_access')
}
