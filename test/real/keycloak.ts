import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { toolPath } from '../../tools/paths.ts'
import { collect, eventually, killWithThisProcess } from './envoy-process.ts'

/** Keycloak's program; undefined where `npm run tools` has not installed it. */
export const keycloakProgram = toolPath('keycloak')

if (keycloakProgram === undefined) {
  process.stdout.write('real Keycloak is left out: it is not installed, run `npm run tools -- --only keycloak`\n')
}

/** A running Keycloak with the realm of keycloak/mcp-realm.json, on a database of its own. */
export interface Keycloak {
  /** The exact `iss` of the realm. */
  readonly issuer: string
  /** Asks the admin API below the realm; an answer without a body is undefined. Throws for a status that is no success. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>
  /** The id of what a list of the admin API holds under a name. */
  idOf(path: '/users' | '/clients' | '/groups', name: string): Promise<string>
  /** What the realm's token endpoint gives for these parameters. */
  token(parameters: Readonly<Record<string, string>>): Promise<Tokens>
  /** Tells an address on this host of the sessions of `mcp-cli` that end, from now on. */
  tellLogouts(url: string): Promise<void>
  /** Posts a form to an endpoint below `protocol/openid-connect`, and returns the status. */
  post(endpoint: string, form: Readonly<Record<string, string>>): Promise<number>
  /** Ends it without a word, as a machine that is gone. */
  stop(): Promise<void>
}

export interface Tokens {
  readonly access_token: string
  readonly refresh_token?: string
  readonly id_token?: string
}

/** A first start on a busy machine took 30 s. */
const patienceMs = 90_000

/** What Java is told for a server that is small and soon ready: no second compiler stage, no second collector. */
const javaOptions = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-Xms128m',
  '-Xmx512m',
  '-Dfile.encoding=UTF-8',
  ...['util', 'util.concurrent', 'security', 'lang'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`),
  '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
]

/** Starts one on a port of its own; resolves when the realm answers. */
export async function startKeycloak(): Promise<Keycloak> {
  if (keycloakProgram === undefined) throw new Error('keycloak is not installed')
  const home = await ownHome(dirname(dirname(keycloakProgram)))
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const server = ['--optimized', '--cache=local', '--http-enabled=true', '--http-host=127.0.0.1', '--log-level=warn']
  const args = [
    ...javaOptions,
    `-Dkc.home.dir=${home}`,
    ...['-cp', join(home, 'lib/quarkus-run.jar'), 'io.quarkus.bootstrap.runner.QuarkusEntryPoint', 'start'],
    ...[...server, `--http-port=${port}`, `--hostname=${base}`],
  ]
  const child = spawn('sh', ['-c', untilStdinEnds, 'sh', 'java', ...args])
  const unhook = killWithThisProcess(child)
  const log = collect(child)
  const issuer = `${base}/realms/mcp`
  const stop = async (): Promise<void> => {
    await ended(child)
    unhook()
    await rm(home, { recursive: true, force: true })
  }
  try {
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
        return await fetch(`${issuer}/protocol/openid-connect/certs`).then(
          ({ ok }) => ok || undefined,
          () => undefined,
        )
      },
      'keycloak is ready',
      patienceMs,
    )
  } catch (thrown) {
    await stop()
    throw new Error(`keycloak did not start: ${log()}`, { cause: thrown })
  }
  return { issuer, ...clientOf(base), stop }
}

/**
 * Runs what follows until it ends, or until standard input does: that happens whatever this process dies of, and what is
 * left behind would be 300 MB. A background job of a shell has no standard input, hence the other descriptor.
 */
const untilStdinEnds = 'exec 3<&0; "$@" 3<&- & pid=$!; { read -r _ <&3; kill -KILL $pid; } 2>/dev/null & wait $pid'

/** The installed one is read alone: what a server writes is its own. */
async function ownHome(installed: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'mcp-authz-keycloak-'))
  for (const name of ['conf', 'lib', 'providers', 'themes']) await symlink(join(installed, name), join(home, name))
  await cp(join(installed, 'data'), join(home, 'data'), { recursive: true })
  return home
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.stdin?.end()
  await gone
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** For how long a token of the administrator is used, in milliseconds: half of its life. */
const adminTokenMs = 30_000

type Client = Pick<Keycloak, 'admin' | 'idOf' | 'token' | 'tellLogouts' | 'post'>

function clientOf(base: string): Client {
  const token = async (realm: string, parameters: Readonly<Record<string, string>>): Promise<Tokens> => {
    const response = await postForm(`${base}/realms/${realm}/protocol/openid-connect/token`, parameters)
    return (await bodyOf(response)) as Tokens
  }
  let bearer: { readonly token: string; readonly until: number } | undefined
  const adminToken = async (): Promise<string> => {
    if (bearer === undefined || performance.now() > bearer.until) {
      const administrator = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: 'admin' }
      const { access_token: given } = await token('master', administrator)
      bearer = { token: given, until: performance.now() + adminTokenMs }
    }
    return bearer.token
  }
  const admin = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const headers = { authorization: `Bearer ${await adminToken()}`, 'content-type': 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    return await bodyOf(await fetch(`${base}/admin/realms/mcp${path}`, { method, headers, ...sent }))
  }
  const idOf: Client['idOf'] = async (path, name) => {
    const all = (await admin('GET', path)) as readonly Readonly<Record<string, string>>[]
    const found = all.find((each) => [each['username'], each['clientId'], each['name']].includes(name))
    if (found?.['id'] === undefined) throw new Error(`there is no \`${name}\` in ${path}`)
    return found['id']
  }
  return {
    admin,
    idOf,
    token: async (parameters) => await token('mcp', parameters),
    async tellLogouts(url) {
      const path = `/clients/${await idOf('/clients', 'mcp-cli')}`
      const client = (await admin('GET', path)) as { readonly attributes: object }
      const told = { 'backchannel.logout.url': url, 'backchannel.logout.session.required': 'true' }
      await admin('PUT', path, { ...client, attributes: { ...client.attributes, ...told } })
    },
    post: async (endpoint, form) => {
      const response = await postForm(`${base}/realms/mcp/protocol/openid-connect/${endpoint}`, form)
      await response.body?.cancel()
      return response.status
    },
  }
}

async function postForm(url: string, form: Readonly<Record<string, string>>): Promise<Response> {
  return await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
}

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text()
  if (!response.ok) throw new Error(`keycloak answered ${response.status}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}
