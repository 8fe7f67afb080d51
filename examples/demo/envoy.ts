import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'

/** Where `npm run tools` puts it. */
const program = fileURLToPath(new URL('../../.tools/envoy/envoy/_bin/envoy', import.meta.url))
const recommended = fileURLToPath(new URL('../envoy/envoy.yaml', import.meta.url))
const patienceMs = 8000

export interface Envoy {
  /** Of the listener for clients. */
  readonly port: number
  stop(): Promise<void>
}

export interface EnvoyOptions {
  /** Port of the authorizer's gRPC. */
  readonly authz: number
  /** Port of the MCP server. */
  readonly mcp: number
  /** Folder for its files. */
  readonly state: string
}

/** Starts Envoy with examples/envoy/envoy.yaml, on ports of its own; undefined where it is not installed. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy | undefined> {
  if (!existsSync(program)) return undefined
  const config = join(options.state, 'envoy.yaml')
  const adminFile = join(options.state, 'envoy-admin')
  await writeFile(config, await configured(options))
  const flags = ['--disable-hot-restart', '--concurrency', '1', '-l', 'error', '--admin-address-path', adminFile]
  const child = spawn(program, ['-c', config, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const stop = async () => {
    child.kill()
    await ended
    process.off('exit', kill)
  }
  try {
    return { port: await Promise.race([listenerPort(adminFile), ended.then(notStarted)]), stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

/** The file as it is recommended, with other ports. */
async function configured({ authz, mcp }: EnvoyOptions): Promise<string> {
  const document = parseDocument(await readFile(recommended, 'utf8'))
  const port = ['address', 'socket_address', 'port_value']
  const endpoint = ['load_assignment', 'endpoints', 0, 'lb_endpoints', 0, 'endpoint', ...port]
  document.setIn(['admin', ...port], 0)
  document.setIn(['static_resources', 'listeners', 0, ...port], 0)
  document.setIn(['static_resources', 'clusters', 0, ...endpoint], authz)
  document.setIn(['static_resources', 'clusters', 1, ...endpoint], mcp)
  return document.toString()
}

async function listenerPort(adminFile: string): Promise<number> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(25)) {
    const address = await readFile(adminFile, 'utf8').catch(() => '')
    const port = address === '' ? undefined : await readyPort(`http://${address.trim()}`).catch(() => undefined)
    if (port !== undefined) return port
  }
  throw new Error(`envoy was not ready within ${patienceMs} ms`)
}

async function readyPort(admin: string): Promise<number | undefined> {
  const ready = await fetch(`${admin}/ready`)
  if ((await ready.text()).trim() !== 'LIVE') return undefined
  const listeners = (await (await fetch(`${admin}/listeners?format=json`)).json()) as {
    listener_statuses: { local_address: { socket_address: { port_value: number } } }[]
  }
  return listeners.listener_statuses[0]?.local_address.socket_address.port_value
}

function notStarted(): never {
  throw new Error('envoy ended before it was ready')
}
