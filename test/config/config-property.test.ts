import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problem.ts'
import { makeDirectory } from './workspace.ts'

/** The keys that go beyond the first sections, by section; `''` is the section itself. */
const keys = {
  capabilities: [
    '',
    'key',
    'trusted',
    'bound',
    'whenTooLarge',
    'publishAheadSeconds',
    'enforce',
    'maxBytes',
    'authorizedTools',
  ],
  gateway: ['', 'signingKey', 'backendInit', 'sessions'],
  protectedResource: [
    '',
    'publicHost',
    'name',
    'resource',
    'authorizationServers',
    'bearerMethodsSupported',
    'scopesSupported',
  ],
  state: ['', 'file', 'redis'],
  revocations: ['', 'whenUnknown', 'maxUnknownSeconds', 'follow'],
  issuers: ['', 'backChannelLogout', 'keycloakEvents', 'jwks', 'claims', 'audiences'],
} as const

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.constantFrom(
    '',
    'https://user:pass@[::1]:99999/a"b',
    'redis+unix:',
    'allow',
    'addressed-server',
    '${HOME',
    '\0',
    '.',
  ),
)
const value: fc.Arbitrary<unknown> = fc.oneof(
  text,
  fc.boolean(),
  fc.double(),
  fc.array(fc.oneof(text, fc.jsonValue()), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('url', 'file', 'prefix', '__proto__', 'secret', 'clientId', 'preset'), text),
  fc.jsonValue({ maxDepth: 3 }),
)
const assignment = fc
  .constantFrom(...Object.entries(keys))
  .chain(([section, names]) => fc.tuple(fc.constant(section), fc.constantFrom<string>(...names, 'unknown'), value))

/** A document with these values at their places. */
function documentOf(assignments: readonly (readonly [section: string, name: string, value: unknown])[]): string {
  const sections = new Map<string, unknown>([['issuers', { issuer: 'https://sso.example.com', audiences: ['a'] }]])
  for (const [section, name, said] of assignments) {
    const before = sections.get(section)
    const isOpen = typeof before === 'object' && before !== null && !Array.isArray(before)
    sections.set(section, name === '' ? said : { ...(isOpen ? before : {}), [name]: said })
  }
  const { issuers, ...others } = Object.fromEntries(sections)
  return JSON.stringify({ ...others, issuers: [issuers] })
}

const variable = fc.constantFrom(
  'GATEWAY_SIGNING_KEY',
  'JWT_SESSION_SIGNING_KEY',
  'OAUTH_RESOURCE',
  'OAUTH_RESOURCE_NAME',
  'OAUTH_AUTHORIZATION_SERVERS',
  'OAUTH_BEARER_METHODS_SUPPORTED',
  'OAUTH_SCOPES_SUPPORTED',
)

it('whatever a section holds, a configuration is loaded or refused with places and mends', async () => {
  const directory = await makeDirectory()
  const file = join(directory, 'mcp-authz.yaml')
  const refusals = { count: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.array(assignment, { minLength: 1, maxLength: 4 }),
      fc.dictionary(variable, text, { maxKeys: 2 }),
      async (assignments, env) => {
        await writeFile(file, documentOf(assignments))
        const outcome = await loadConfig(file, { env }).catch((thrown: unknown) => thrown)
        if (!(outcome instanceof Error)) return
        expect(outcome).toBeInstanceOf(ConfigError)
        refusals.count += 1
        for (const { file: named, line, column, message, mend } of (outcome as ConfigError).problems) {
          expect([typeof named, typeof line, typeof column]).toEqual(['string', 'number', 'number'])
          expect(message).not.toBe('')
          expect(mend).not.toBe('')
        }
      },
    ),
    { numRuns: 500 },
  )
  expect(refusals.count).toBeGreaterThan(100)
})
