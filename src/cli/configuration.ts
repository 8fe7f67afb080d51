import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import type { NamedKey } from '../config/gateway-section.ts'
import { loadConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { developmentConfig } from '../development.ts'
import type { Terminal } from './exit.ts'

/** The configuration a command runs with, and whether it is the embedded default. */
export interface Chosen {
  readonly config: Config
  readonly embedded: boolean
}

/** `--config`, else ./mcp-authz.yaml, else the embedded default. @throws {ConfigError} */
export async function chooseConfig(
  file: string | undefined,
  { env, cwd }: Terminal,
  signingKey?: NamedKey,
): Promise<Chosen> {
  const usual = join(cwd, 'mcp-authz.yaml')
  const named = file === undefined ? (existsSync(usual) ? usual : undefined) : resolve(cwd, file)
  if (named !== undefined) return { config: await loadConfig(named, { env, signingKey }), embedded: false }
  if (signingKey !== undefined) throw unused(signingKey)
  return { config: await developmentConfig(cwd, env), embedded: true }
}

function unused({ from }: NamedKey): ConfigError {
  const message = 'the embedded default has no gateway to sign for'
  const mend = 'name a configuration with --config'
  return new ConfigError([{ file: undefined, line: undefined, column: undefined, path: from, message, mend }])
}
