import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { developmentConfig } from '../development.ts'
import type { Terminal } from './exit.ts'

/** The configuration a command runs with, and whether it is the embedded default. */
export interface Chosen {
  readonly config: Config
  readonly embedded: boolean
}

/** `--config`, else ./mcp-authz.yaml, else the embedded default. @throws {ConfigError} */
export async function chooseConfig(file: string | undefined, { env, cwd }: Terminal): Promise<Chosen> {
  const usual = join(cwd, 'mcp-authz.yaml')
  const named = file === undefined ? (existsSync(usual) ? usual : undefined) : resolve(cwd, file)
  if (named === undefined) return { config: await developmentConfig(cwd, env), embedded: true }
  return { config: await loadConfig(named, { env }), embedded: false }
}
