import { dirname, resolve } from 'node:path'
import { type Environment, expand } from './expand.ts'
import { plainOf } from './located.ts'
import { ConfigError } from './problem.ts'
import { parseSource, readSource } from './source.ts'

/**
 * Where a configuration says its capability key is, whether or not that file is there yet.
 * @throws ConfigError when the configuration cannot be read
 */
export async function configuredKeyFile(file: string, env: Environment): Promise<string | undefined> {
  const reading = await readSource(file)
  if (!reading.ok) throw new ConfigError([reading.problem])
  const parsing = parseSource(file, reading.text)
  if (!parsing.ok) throw new ConfigError(parsing.problems)
  const config = plainOf(expand(parsing.root, env).root) as { capabilities?: { key?: { file?: unknown } } } | null
  const named = config?.capabilities?.key?.file
  return typeof named === 'string' && named !== '' ? resolve(dirname(file), named) : undefined
}
