// What every measurement asks about: one catalogue, one caller, one call.
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPem } from '../../src/capabilities/key.ts'
import { encodeEnvoyCheck } from './envoy-check.ts'

/** How much there is of everything. */
export const sizes = { servers: 50, toolsPerServer: 20, roles: 5, grants: 5 } as const

/** The call that is measured; `forbidden` differs in the tool alone. */
export const call = {
  server: 'team-07/server',
  tool: 'tool_03',
  visible: 's07_tool_03',
  forbidden: 's07_tool_19',
} as const

/** What one run works with; the files lie in a folder that is removed with the run. */
export interface Workload {
  readonly folder: string
  /** mcp-authz.yaml for `serve`; it names the data file. */
  readonly configFile: string
  readonly dataFile: string
  readonly token: string
  readonly subject: Caller
  /** A CheckRequest as Envoy sends it for the call, and for the forbidden one. */
  readonly allowed: Buffer
  readonly forbidden: Buffer
}

/** Who asks, as the token says it with the keycloak preset's paths followed. */
export interface Caller {
  readonly id: string
  readonly roles: readonly string[]
  readonly grants: Readonly<Record<string, readonly string[]>>
}

const issuer = 'https://sso.example.com/realms/mcp'
const audience = 'mcp-gateway'

const caller: Caller = {
  id: '5f0a1c62-8d3e-4c7b-9b0e-2f6d7a91c3e4',
  roles: ['role-00', 'role-05', 'role-07', 'role-13', 'offline_access'],
  grants: {
    'team-02/server': ['tool:tool_01', 'tool:tool_11'],
    'team-21/server': ['tool:tool_04', 'tool:tool_05'],
    'team-40/server': ['tool:tool_00'],
  },
}

/** Writes catalogue, keys and configuration into the folder, and makes the requests. */
export async function makeWorkload(folder: string): Promise<Workload> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = 'bench'
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
  const config = {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    data: ['catalogue.json'],
    issuers: [{ issuer, jwks: { file: 'jwks.json' }, algorithms: ['ES256'], audiences: [audience] }],
    capabilities: { key: { file: 'capability-key.pem' } },
  }
  const files: Readonly<Record<string, string>> = {
    'catalogue.json': JSON.stringify(catalogue()),
    'jwks.json': JSON.stringify({ keys: [jwk] }),
    'capability-key.pem': generateKeyPem(),
    // YAML is a superset of JSON.
    'mcp-authz.yaml': JSON.stringify(config),
  }
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 })
  const head = encode({ alg: 'ES256', typ: 'JWT', kid })
  const signed = `${head}.${encode(claims())}`
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  const token = `${signed}.${signature.toString('base64url')}`
  return {
    folder,
    configFile: join(folder, 'mcp-authz.yaml'),
    dataFile: join(folder, 'catalogue.json'),
    token,
    subject: caller,
    allowed: encodeEnvoyCheck(token, messageFor(call.visible)),
    forbidden: encodeEnvoyCheck(token, messageFor(call.forbidden)),
  }
}

/** The body of the request. */
function messageFor(name: string): string {
  const args = { city: 'Wellington', units: 'metric', days: 3 }
  return JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name, arguments: args } })
}

function catalogue(): object {
  const tools = numbered('tool_', sizes.toolsPerServer)
  const servers = numbered('', sizes.servers).map((number) => [
    `team-${number}/server`,
    { prefix: `s${number}_`, tools, prompts: ['brief'], resources: [`doc://s${number}/index`] },
  ])
  // Each role gives a quarter of one server's tools by name, and everything of the next server by pattern.
  const roles = numbered('', sizes.servers).map((number, at) => {
    const next = String((at + 1) % sizes.servers).padStart(2, '0')
    const named = tools.slice(0, tools.length / 4).map((tool) => `tool:${tool}`)
    return [`role-${number}`, { [`team-${number}/server`]: named, [`team-${next}/server`]: ['tool:*', 'prompt:*'] }]
  })
  return { servers: Object.fromEntries(servers), roles: Object.fromEntries(roles) }
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(2, '0')}`)
}

function claims(): object {
  const now = Math.floor(Date.now() / 1000)
  const grants = Object.entries(caller.grants).map(([server, roles]) => [server, { roles }])
  return {
    iss: issuer,
    aud: audience,
    sub: caller.id,
    exp: now + 3600,
    iat: now,
    typ: 'Bearer',
    azp: 'desktop',
    realm_access: { roles: caller.roles },
    resource_access: Object.fromEntries(grants),
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
