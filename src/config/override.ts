import { resolve } from 'node:path'
import { formatAddress, parseAddress } from '../address.ts'
import { type Config, deepFreeze } from './config.ts'
import { ConfigError } from './problem.ts'

/** What the command line says over the file. */
export interface Overrides {
  readonly grpc?: string | undefined
  readonly http?: string | undefined
  /** `broker.listen`; nothing where there is no broker. */
  readonly broker?: string | undefined
  /** `--enforce-capability-filtering`. */
  readonly enforce?: true | undefined
  /** Processes that share the ports. */
  readonly workers?: number
}

/** The configuration with the command line's word in place of the file's. @throws ConfigError naming the option */
export function overrideConfig(config: Config, overrides: Overrides): Config {
  const { grpc, http, enforce, workers = 1 } = overrides
  const listen = {
    grpc: grpc === undefined ? config.listen.grpc : checked('--grpc', grpc),
    http: http === undefined ? config.listen.http : checked('--http', http),
  }
  if (workers > 1 && Object.values(listen).some((address) => address.startsWith('unix:'))) {
    throw refused(
      '--workers',
      'several processes cannot share a unix socket',
      'listen on HOST:PORT, or run one process',
    )
  }
  const { capabilities } = config
  const broker = brokerOf(config, overrides.broker)
  return deepFreeze({
    ...config,
    listen,
    broker,
    capabilities: { ...capabilities, enforce: enforce ?? capabilities.enforce },
  })
}

function brokerOf({ broker }: Config, listen: string | undefined): Config['broker'] {
  if (broker === undefined || listen === undefined) return broker
  const address = checked('--listen', listen)
  if (address.startsWith('unix:')) throw refused('--listen', 'expected HOST:PORT', 'write it like 127.0.0.1:8080')
  return { ...broker, listen: address }
}

function checked(option: string, text: string): string {
  const reading = parseAddress(text)
  if (!reading.ok) throw refused(option, reading.detail, 'write it like 127.0.0.1:9191')
  const { address } = reading
  return formatAddress(address.kind === 'unix' ? { kind: 'unix', path: resolve(address.path) } : address)
}

function refused(path: string, message: string, mend: string): ConfigError {
  return new ConfigError([{ file: undefined, line: undefined, column: undefined, path, message, mend }])
}
