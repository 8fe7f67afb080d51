import { startBroker } from '../broker-service.ts'
import { overrideConfig } from '../config/override.ts'
import { createDecisionLog, type DecisionLogOptions } from '../decision-log/log.ts'
import { chooseConfig } from './configuration.ts'
import { type ExitCode, exit, type Terminal } from './exit.ts'
import { untilStopped } from './signals.ts'

/** Options of `broker`; they override the configuration. */
export interface BrokerOptions {
  readonly config?: string
  readonly listen?: string
  readonly http?: string
  readonly enforceCapabilityFiltering?: true
  readonly logLevel: DecisionLogOptions['level']
}

/** `broker`: runs until SIGTERM or SIGINT, then drains; a second signal ends it at once. */
export async function broker(options: BrokerOptions, terminal: Terminal): Promise<ExitCode> {
  const chosen = await chooseConfig(options.config, terminal)
  const { listen, http, enforceCapabilityFiltering: enforce } = options
  const config = overrideConfig(chosen.config, { broker: listen, http, enforce })
  const log = createDecisionLog({ level: options.logLevel })
  for (const warning of config.warnings) log.warning(warning)
  const stopped = untilStopped()
  const service = await startBroker({ config, log })
  terminal.out.write(`ready mcp=${service.mcp} http=${service.http}\n`)
  await stopped
  await service.stop()
  return exit.ok
}
