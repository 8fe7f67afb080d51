import cluster from 'node:cluster'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NamedKey } from '../config/gateway-section.ts'
import { overrideConfig } from '../config/override.ts'
import { createDecisionLog, type DecisionLogOptions } from '../decision-log/log.ts'
import { capabilityKeyFile, developmentToken, stateDirectory } from '../development.ts'
import { type Addresses, type Service, startService } from '../service.ts'
import { chooseConfig } from './configuration.ts'
import { type ExitCode, exit, type Terminal } from './exit.ts'
import { untilStopped } from './signals.ts'
import { superviseWorkers } from './workers.ts'

/** Options of `serve`; they override the configuration. */
export interface ServeOptions {
  readonly config?: string
  readonly grpc?: string
  readonly http?: string
  readonly workers: number
  readonly enforceCapabilityFiltering?: true
  readonly gatewaySigningKey?: string
  /** The old name of the same. */
  readonly sessionSigningKey?: string
  readonly logLevel: DecisionLogOptions['level']
}

/** `serve`: runs until SIGTERM or SIGINT, then drains; a second signal ends it at once. */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<ExitCode> {
  const signing = signingKeyOf(options)
  const chosen = await chooseConfig(options.config, terminal, signing.key)
  const { grpc, http, enforceCapabilityFiltering: enforce } = options
  const config = overrideConfig(chosen.config, { grpc, http, enforce, workers: options.workers })
  const keyFile = await capabilityKeyFile(config, terminal.env)
  const announce = async (addresses: Addresses): Promise<void> => {
    terminal.out.write(`ready grpc=${addresses.grpc} http=${addresses.http}\n`)
    // For people: standard output holds more than the one line only where npm has put its own there already.
    const { out, err, env } = terminal
    if (chosen.embedded) (env['npm_lifecycle_event'] === 'start' ? out : err).write(await hints(terminal))
  }
  if (options.workers > 1 && cluster.isPrimary) return await superviseWorkers(options.workers, announce)
  const log = createDecisionLog({ level: options.logLevel })
  for (const warning of [...signing.warnings, ...config.warnings]) log.warning(warning)
  const stopped = untilStopped()
  const service = await startService({ config, capabilityKeyFile: keyFile, log }).catch((thrown: unknown) => {
    // A worker's channel to its primary would keep a process alive that has nothing to do.
    if (cluster.isWorker) process.channel?.unref()
    throw thrown
  })
  if (cluster.isWorker) process.send?.({ ready: addressesOf(service) })
  else await announce(addressesOf(service))
  await stopped
  await service.stop()
  if (cluster.isWorker) process.disconnect()
  return exit.ok
}

function signingKeyOf({ gatewaySigningKey, sessionSigningKey }: ServeOptions): {
  readonly key?: NamedKey
  readonly warnings: readonly string[]
} {
  const from = gatewaySigningKey === undefined ? '--session-signing-key' : '--gateway-signing-key'
  const text = gatewaySigningKey ?? sessionSigningKey
  if (text === undefined) return { warnings: [] }
  const seen = `${from}: everybody on this host can read a command line; set GATEWAY_SIGNING_KEY instead`
  const old = '--session-signing-key is deprecated: name it --gateway-signing-key'
  return { key: { text, from }, warnings: sessionSigningKey === undefined ? [seen] : [seen, old] }
}

function addressesOf({ grpc, http }: Service): Addresses {
  return { grpc, http }
}

/** Two commands to paste, with the tokens they use. */
async function hints({ cwd, env }: Terminal): Promise<string> {
  const state = stateDirectory(cwd)
  await mkdir(state, { recursive: true, mode: 0o700 })
  const people = [
    { subject: 'alice', roles: ['forecaster'], grants: {} },
    { subject: 'bob', roles: ['reader'], grants: {} },
  ]
  for (const person of people) {
    const token = await developmentToken(cwd, env, person)
    await writeFile(join(state, `${person.subject}.jwt`), `${token}\n`, { mode: 0o600 })
  }
  const command = (name: string): string =>
    `npm run --silent mcp-authz -- check --token-file .mcp-authz/${name}.jwt --method tools/call --params '{"name":"weather_forecast"}'`
  return `
This is the embedded default: a development issuer and an example catalogue, on this machine alone.
Paste these in another terminal, in this folder:

  # allowed: alice has the role forecaster
  ${command('alice')}

  # denied, role_missing: bob has no role for it
  ${command('bob')}

`
}
