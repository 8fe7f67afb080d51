// npm run demo: two real MCP servers, mcp-authz's broker, Envoy with mcp-authz in front of it, and people.
import { fileURLToPath } from 'node:url'
import { startBroker } from '../../src/broker-service.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { startService } from '../../src/service.ts'
import { startEnvoy } from './envoy.ts'
import { createIssuer, type Issuer } from './people.ts'
import { openSession, type Session } from './session.ts'
import { tableOf } from './table.ts'

const configFile = fileURLToPath(new URL('mcp-authz.yaml', import.meta.url))

/** What is to be undone, last first. */
const undo: (() => Promise<void> | void)[] = []

async function main(): Promise<void> {
  const issuer = await createIssuer()
  process.env['DEMO_STATE'] = issuer.state
  for (const server of ['everything', 'memory']) process.env[`DEMO_${server.toUpperCase()}`] = programOf(server)
  const broker = await brokerPort()
  const authz = await authorizer(issuer)
  const envoy = await startEnvoy({ authz, mcp: broker, state: issuer.state })
  if (envoy !== undefined) undo.push(envoy.stop)
  const front =
    envoy === undefined ? 'not installed; `npm run tools` brings it' : 'asks mcp-authz before it passes anything on'
  print(`servers   everything, memory: two processes, known to nobody but the broker\n`)
  print(`broker    joins both, and has the guard before it\n`)
  print(`envoy     ${front}\n\n`)
  print(tableOf(await rows(issuer, [envoy?.port, broker])))
}

/** The script of a server that came as an npm package. */
function programOf(server: string): string {
  return fileURLToPath(import.meta.resolve(`@modelcontextprotocol/server-${server}/dist/index.js`))
}

/** What `mcp-authz broker --config examples/demo/mcp-authz.yaml` runs. */
async function brokerPort(): Promise<number> {
  const config = await loadConfig(configFile, { env: process.env })
  const broker = await startBroker({ config, log: createDecisionLog({ level: 'silent' }) })
  undo.push(broker.stop)
  return Number(new URL(broker.mcp).port)
}

/** What `mcp-authz serve --config examples/demo/mcp-authz.yaml` runs. */
async function authorizer({ state }: Issuer): Promise<number> {
  const service = await startService({
    config: await loadConfig(configFile, { env: process.env }),
    capabilityKeyFile: `${state}/capability-key.pem`,
    log: createDecisionLog({ level: 'silent' }),
  })
  undo.push(service.stop)
  return Number(service.grpc.split(':').at(-1))
}

type Question = readonly [what: string, ask: (session: Session) => Promise<string>]

const questions: readonly Question[] = [
  ['sees', (session) => session.counts()],
  ['sees the tools', (session) => session.tools()],
  ['calls everything_echo', (session) => session.call('everything_echo', { message: 'hello' })],
  ['calls everything_get-env', (session) => session.call('everything_get-env', {})],
  ['calls memory_read_graph', (session) => session.call('memory_read_graph', {})],
  ['calls memory_delete_entities', (session) => session.call('memory_delete_entities', { entityNames: [] })],
  ['reads memory://knowledge-graph', (session) => session.read('memory://knowledge-graph')],
]

type Ports = readonly (number | undefined)[]

async function rows(issuer: Issuer, ports: Ports): Promise<string[][]> {
  const bearer = async (subject: string, role: string) => ({
    authorization: `Bearer ${await issuer.token(subject, [role])}`,
  })
  const call = questions.slice(2, 3)
  return [
    ['who', 'does', 'through Envoy', 'at the broker'],
    ...(await rowsOf('alice, explorer', await bearer('alice', 'explorer'), { questions, ports })),
    ...(await rowsOf('bob, archivist', await bearer('bob', 'archivist'), { questions, ports })),
    ...(await rowsOf('carol, no role', await bearer('carol', 'nothing'), { questions: questions.slice(0, 3), ports })),
    ...(await rowsOf('no token', {}, { questions: call, ports })),
    ...(await rowsOf('forged claim', { 'x-mcp-authorized': forged }, { questions: call, ports })),
  ]
}

/** An x-mcp-authorized that nobody signed: Envoy takes it off, the guard does not believe it. */
const forged = [{ alg: 'none' }, { 'allowed-capabilities': '{"tools":{"everything":["echo"]}}' }, '']
  .map((part) => (part === '' ? '' : Buffer.from(JSON.stringify(part)).toString('base64url')))
  .join('.')

async function rowsOf(
  who: string,
  headers: Readonly<Record<string, string>>,
  { questions, ports }: { readonly questions: readonly Question[]; readonly ports: Ports },
): Promise<string[][]> {
  const sessions = await Promise.all(
    ports.map(async (port) => (port === undefined ? undefined : await openSession(port, headers))),
  )
  const table: string[][] = []
  for (const [what, ask] of questions) {
    const answers = await Promise.all(
      sessions.map(async (session) => (session === undefined ? '-' : await ask(session))),
    )
    table.push([who, what, ...answers])
  }
  for (const session of sessions) await session?.close()
  return table
}

function print(text: string): void {
  process.stdout.write(text)
}

async function cleanUp(): Promise<void> {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step()
}

// What was started is ended, also when this is interrupted.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)))
}

try {
  await main()
} finally {
  await cleanUp()
}
