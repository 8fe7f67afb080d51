// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { jwks, makeDirectory, pems } from './workspace.ts'

const minimal = 'issuers:\n  - issuer: https://sso.example.com/realms/mcp\n    audiences: [mcp-gateway]\n'

async function load(
  text: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
  env = {},
): Promise<Config> {
  const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text })
  return await loadConfig(join(directory, 'mcp-authz.yaml'), { env })
}

function jwksConfig(rest: string): string {
  return `issuers:\n  - {issuer: a, audiences: [b], jwks: {file: jwks.json}}\n${rest}`
}

const defaults: Omit<Config, 'file' | 'directory'> = {
  listen: { grpc: '127.0.0.1:9191', http: '127.0.0.1:8181' },
  bundleFile: expect.stringMatching(/\/bundles\/mcp-authz\.tar\.gz$/),
  dataFiles: [],
  issuers: [
    {
      issuer: 'https://sso.example.com/realms/mcp',
      keys: { kind: 'discovery' },
      algorithms: ['RS256', 'ES256'],
      audiences: ['mcp-gateway'],
      clockToleranceSeconds: 5,
      maxLifetimeSeconds: 86400,
      authorizedParties: undefined,
      requiredClaims: [],
      keyAges: { maxAgeMs: 600_000, maxOutageMs: 3_600_000 },
      backChannelLogout: undefined,
      keycloakEvents: undefined,
      claims: {
        subject: 'sub',
        grants: ['resource_access.*.roles'],
        roles: ['realm_access.roles'],
        groups: ['groups'],
        scopes: ['scope'],
        email: 'email',
      },
    },
  ],
  capabilities: {
    keyFile: undefined,
    lifetimeSeconds: 300,
    issuer: 'mcp-authz',
    audience: 'mcp-broker',
    maxBytes: 32768,
    publishAheadSeconds: 60,
    trusted: undefined,
    enforce: true,
    bound: false,
    whenTooLarge: 'deny',
    authorizedTools: false,
  },
  mcp: {
    profile: 'strict',
    maxBodyBytes: 1048576,
    maxDepth: 64,
    batches: false,
    denial: { default: 'explicit', clients: [], hideLike: { sdk: 'v2', json: false } },
    kuadrant: { headersOnly: false },
  },
  gateway: { signingKey: undefined, backendInit: false, sessions: false },
  protectedResource: undefined,
  state: { file: expect.stringMatching(/\/\.mcp-authz\/state\.db$/), named: false, redis: undefined },
  revocations: { whenUnknown: 'deny', maxUnknownSeconds: 5, followUrl: undefined },
  broker: undefined,
  insecure: { anyAudience: false, httpIssuers: false, httpUpstreams: false, unsignedState: false },
  warnings: [],
}

describe('a configuration with nothing but an issuer', () => {
  it('has every default', async () => {
    const config = await load(minimal)
    expect(config).toEqual({ ...defaults, file: join(config.directory, 'mcp-authz.yaml'), directory: config.directory })
  })

  it('has the defaults that the schema documents', async () => {
    const schema = JSON.parse(readFileSync(new URL('../../schemas/config.json', import.meta.url), 'utf8'))
    const { listen, capabilities, mcp, gateway, insecure, issuers, dataFiles, revocations } = await load(minimal)
    const { protectedResource, state } = await load(
      `${minimal}protectedResource: {resource: "https://a/mcp", authorizationServers: []}\nstate: {redis: {url: "redis://a"}}\n`,
    )
    const { broker } = await load(`${minimal}broker: {upstreams: {a: {url: "https://a/mcp"}}}\n`)
    const { timeoutSeconds, sessions } = broker?.upstreams['a'] ?? {}
    expect(defaultsOf(schema)).toEqual({
      listen,
      mcp: { ...mcp, denial: mcp.denial.default },
      insecure,
      data: dataFiles,
      capabilities: without(capabilities, 'keyFile', 'trusted'),
      gateway: without(gateway, 'signingKey'),
      protectedResource: without(protectedResource ?? {}, 'resource', 'authorizationServers'),
      state: { redis: { prefix: state.redis?.prefix } },
      revocations: without(revocations, 'followUrl'),
      broker: { ...without(broker ?? {}, 'allowedHosts', 'upstreams'), sessions },
    })
    expect(defaultsOf(schema.definitions.upstream)).toEqual({ timeoutSeconds })
    const { clockToleranceSeconds, maxLifetimeSeconds, keyAges } = issuers[0] ?? {}
    const events = await load(`${minimal}    keycloakEvents: {clientId: a, clientSecretFile: secret.txt}\n`, {
      'secret.txt': 'secret',
    })
    expect(defaultsOf(schema.definitions.issuer)).toEqual({
      clockToleranceSeconds,
      maxLifetimeSeconds,
      keys: {
        maxAgeSeconds: (keyAges?.maxAgeMs ?? 0) / 1000,
        maxOutageSeconds: (keyAges?.maxOutageMs ?? 0) / 1000,
      },
      keycloakEvents: { intervalMs: events.issuers[0]?.keycloakEvents?.intervalMs },
      claims: { preset: 'keycloak' },
    })
  })

  it('is frozen to its depth', async () => {
    const config = await load(minimal)
    const frozen = (value: unknown): boolean => {
      if (typeof value !== 'object' || value === null) return true
      return Object.isFrozen(value) && Object.values(value).every(frozen)
    }
    expect(frozen(config)).toBe(true)
  })
})

const everything = `
listen: {grpc: "unix:run/grpc.sock", http: "[::1]:\${PORT:-8080}"}
bundle: {file: own.tar.gz}
data: [data/a.yaml, data/b.json]
issuers:
  - issuer: https://\${HOST}/
    jwks: {url: https://sso.example.com/jwks}
    algorithms: [PS256, EdDSA]
    audiences: [a, b]
    clockToleranceSeconds: 0
    maxLifetimeSeconds: 0.5
    authorizedParties: [desk, cli]
    requiredClaims: [jti, iat]
    keys: {maxAgeSeconds: 30, maxOutageSeconds: 90.5}
    claims:
      preset: entra
      grants: [a.*, 'b\\.c.*.d']
      roles: r
      groups: [g, h.i]
      scopes: s
      email: mail
      subject: sub
      virtualServer: azp
  - issuer: any text
    jwks: {file: jwks.json}
    audiences: [a]
    claims: {grants: [], roles: [], groups: [], scopes: []}
    keys: {maxAgeSeconds: 7200}
    authorizedParties: [a]
    backChannelLogout: {audiences: [gateway]}
    keycloakEvents: {url: "https://login.example.com/admin/realms/a", clientId: watcher, clientSecretFile: secret.txt, intervalMs: 50}
  - {issuer: dev, jwks: {secretFile: secret.txt}, audiences: [a]}
capabilities:
  key: {file: key.pem}
  lifetimeSeconds: 60
  issuer: me
  audience: them
  maxBytes: 4096
  publishAheadSeconds: 5
  trusted: {file: public.pem}
  enforce: false
  bound: true
  whenTooLarge: addressed-server
  authorizedTools: false
mcp: {profile: kuadrant, maxBodyBytes: 1, maxDepth: 2, batches: true, denial: explicit, kuadrant: {headersOnly: true}}
insecure: {anyAudience: false}
`
const files = {
  'own.tar.gz': 'bundle',
  'data/a.yaml': '',
  'data/b.json': '{}',
  'jwks.json': jwks.public,
  'secret.txt': `${'s'.repeat(32)}\n`,
  'key.pem': pems.sec1,
  'public.pem': pems.spki,
}

/** The first issuer of `everything`, as it is kept. */
const firstIssuer = {
  issuer: 'https://login.example.com/',
  keys: { kind: 'url', url: 'https://sso.example.com/jwks' },
  algorithms: ['PS256', 'EdDSA'],
  audiences: ['a', 'b'],
  clockToleranceSeconds: 0,
  maxLifetimeSeconds: 0.5,
  authorizedParties: ['desk', 'cli'],
  requiredClaims: ['jti', 'iat'],
  keyAges: { maxAgeMs: 30_000, maxOutageMs: 90_500 },
  backChannelLogout: undefined,
  keycloakEvents: undefined,
  claims: {
    subject: 'sub',
    grants: ['a.*', 'b\\.c.*.d'],
    roles: ['r'],
    groups: ['g', 'h.i'],
    scopes: ['s'],
    email: 'mail',
    virtualServer: 'azp',
  },
}

describe('a configuration with everything', () => {
  it('keeps what it says, with absolute paths', async () => {
    const config = await load(everything, files, { HOST: 'login.example.com' })
    const { directory } = config
    expect(config.listen).toEqual({ grpc: `unix:${directory}/run/grpc.sock`, http: '[::1]:8080' })
    expect(config.bundleFile).toBe(join(directory, 'own.tar.gz'))
    expect(config.dataFiles).toEqual([join(directory, 'data/a.yaml'), join(directory, 'data/b.json')])
    expect(config.issuers).toEqual([
      firstIssuer,
      expect.objectContaining({
        issuer: 'any text',
        keys: { kind: 'jwks', jwks: JSON.parse(jwks.public) },
        keyAges: { maxAgeMs: 7_200_000, maxOutageMs: 7_200_000 },
        claims: { subject: 'sub', grants: [], roles: [], groups: [], scopes: [], email: 'email' },
        backChannelLogout: { audiences: ['gateway'] },
        keycloakEvents: {
          url: 'https://login.example.com/admin/realms/a',
          clientId: 'watcher',
          clientSecret: 's'.repeat(32),
          intervalMs: 50,
        },
      }),
      expect.objectContaining({
        keys: { kind: 'secret', secret: new Uint8Array(32).fill(115) },
        algorithms: ['HS256'],
      }),
    ])
  })

  it('keeps its settings', async () => {
    const { directory, ...config } = await load(everything, files, { HOST: 'login.example.com' })
    expect(config.capabilities).toEqual({
      keyFile: join(directory, 'key.pem'),
      lifetimeSeconds: 60,
      issuer: 'me',
      audience: 'them',
      maxBytes: 4096,
      publishAheadSeconds: 5,
      trusted: { file: join(directory, 'public.pem') },
      enforce: false,
      bound: true,
      whenTooLarge: 'addressed-server',
      authorizedTools: false,
    })
    expect(config.mcp).toEqual({
      profile: 'kuadrant',
      maxBodyBytes: 1,
      maxDepth: 2,
      batches: true,
      denial: { default: 'explicit', clients: [], hideLike: { sdk: 'v2', json: false } },
      kuadrant: { headersOnly: true },
    })
    expect(config.warnings).toEqual([])
  })
})

describe('a configuration file', () => {
  it('may be named by a relative path', async () => {
    const directory = await makeDirectory({ 'mcp-authz.yaml': minimal })
    const config = await loadConfig(relative(process.cwd(), join(directory, 'mcp-authz.yaml')), { env: {} })
    expect(config).toMatchObject({ file: join(directory, 'mcp-authz.yaml'), directory })
  })

  it('may be JSON', async () => {
    const directory = await makeDirectory({
      'mcp-authz.json': JSON.stringify({ issuers: [{ issuer: 'https://a', audiences: ['b'] }] }),
    })
    const config = await loadConfig(join(directory, 'mcp-authz.json'), { env: {} })
    expect(config.issuers[0]?.issuer).toBe('https://a')
  })
})

describe('the files of a configuration', () => {
  it.each(['pkcs8', 'sec1'] as const)('may hold the capability key as %s', async (encoding) => {
    const config = await load(jwksConfig('capabilities: {key: {file: key.pem}}\n'), {
      'jwks.json': jwks.public,
      'key.pem': pems[encoding],
    })
    expect(config.capabilities.keyFile).toBe(join(config.directory, 'key.pem'))
  })

  it('may hold an empty JWK Set', async () => {
    const config = await load(jwksConfig(''), { 'jwks.json': '{"keys": []}' })
    expect(config.issuers[0]?.keys).toEqual({ kind: 'jwks', jwks: { keys: [] } })
  })

  const long = 's'.repeat(64)
  it.each([
    ['no newline', long, long],
    ['one newline', `${long}\n`, long],
    ['a carriage return and a newline', `${long}\r\n`, long],
    ['two newlines', `${long}\n\n`, `${long}\n`],
    ['a carriage return', `${long}\r`, `${long}\r`],
    ['a newline in front', `\n${long}`, `\n${long}`],
    ['a space', `${long} \n`, `${long} `],
  ])('may hold a secret, less one final newline: %s', async (_, content, secret) => {
    const config = await load('issuers: [{issuer: a, audiences: [b], jwks: {secretFile: s}}]', { s: content })
    expect(config.issuers[0]?.keys).toEqual({ kind: 'secret', secret: new Uint8Array(Buffer.from(secret)) })
    expect(config.warnings).toEqual([])
  })

  it('may hold a secret that is no text', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const config = await load('issuers: [{issuer: a, audiences: [b], jwks: {secretFile: s}}]', { s: bytes })
    expect(config.issuers[0]?.keys).toEqual({ kind: 'secret', secret: bytes })
  })
})

describe('warnings', () => {
  it('name every insecure switch that is on', async () => {
    const text =
      'issuers: [{issuer: a, audiences: [], jwks: {url: "http://sso.internal/jwks"}}]\ninsecure: {anyAudience: true, httpIssuers: true}\n'
    const config = await load(text)
    expect(config.issuers[0]).toMatchObject({ audiences: [], keys: { kind: 'url', url: 'http://sso.internal/jwks' } })
    expect(config.warnings).toHaveLength(2)
    expect(config.warnings[0]).toMatch(/^insecure\.anyAudience is on: /)
    expect(config.warnings[1]).toMatch(/^insecure\.httpIssuers is on: /)
  })

  it('name the deprecated header that is read, and what to do instead', async () => {
    const config = await load(
      'issuers: [{issuer: "https://a", audiences: [b]}]\ncapabilities: {authorizedTools: true}\n',
    )
    expect(config.capabilities.authorizedTools).toBe(true)
    expect(config.warnings).toEqual([
      expect.stringMatching(
        /^capabilities\.authorizedTools is on: .*deprecated.*`mcp-authz migrate`.*x-mcp-authorized/,
      ),
    ])
  })

  it.each([
    [31, 'HS256', 32],
    [32, 'HS384', 48],
    [63, 'HS512', 64],
  ])('name a secret of %i bytes for %s, without showing it', async (length, algorithm, needed) => {
    const secret = 'q7'.repeat(64).slice(0, length)
    const text = `issuers: [{issuer: a, audiences: [b], jwks: {secretFile: s}, algorithms: [HS256, ${algorithm}]}]`
    const { warnings } = await load(text, { s: secret })
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(`issuers[0].jwks.secretFile: the secret is shorter than the ${needed} bytes`)
    expect(warnings[0]).not.toContain('q7')
  })
})

describe('addresses of keys', () => {
  it.each([
    'http://localhost:8080/jwks',
    'http://127.0.0.1/jwks',
    'http://127.9.9.9/jwks',
    'http://[::1]:1/jwks',
    'HTTPS://a/jwks',
  ])('may be %s', async (url) => {
    const config = await load(`issuers: [{issuer: a, audiences: [b], jwks: {url: "${url}"}}]`)
    expect(config.issuers[0]?.keys).toEqual({ kind: 'url', url })
  })

  it('may be discovered at an http issuer on this machine', async () => {
    const config = await load('issuers: [{issuer: "http://localhost:8080/realms/mcp", audiences: [b]}]')
    expect(config.issuers[0]?.keys).toEqual({ kind: 'discovery' })
  })
})

function defaultsOf(schema: { properties: Record<string, { default?: unknown; properties?: object }> }): unknown {
  const members = Object.entries(schema.properties).flatMap(([key, member]) => {
    if (member.default !== undefined) return [[key, member.default]]
    if (member.properties === undefined) return []
    const inner = defaultsOf(member as { properties: Record<string, object> }) as object
    return Object.keys(inner).length > 0 ? [[key, inner]] : []
  })
  return Object.fromEntries(members)
}

function without(value: object, ...keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
}
