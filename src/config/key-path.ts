import { dirname, resolve } from 'node:path'
import { type Environment, expand } from './expand.ts'
import { formatPath, plainOf } from './located.ts'
import { ConfigError, problemsOf } from './problem.ts'
import { parseSource, readSource } from './source.ts'

/**
 * Where a configuration says its capability key is, whether or not that file is there yet.
 * @throws ConfigError when the configuration cannot be read, or the path names a variable that is not set
 */
export async function configuredKeyFile(file: string, env: Environment): Promise<string | undefined> {
  const reading = await readSource(file)
  if (!reading.ok) throw new ConfigError([reading.problem])
  const parsing = parseSource(file, reading.text)
  if (!parsing.ok) throw new ConfigError(parsing.problems)
  const { root, findings } = expand(parsing.root, env)
  // Elsewhere in the file a variable may be missing: this command needs no more than the path.
  const unexpanded = findings.filter(({ path }) => formatPath(path) === 'capabilities.key.file')
  if (unexpanded.length > 0) throw new ConfigError(problemsOf(root, unexpanded))
  const config = plainOf(root) as { capabilities?: { key?: { file?: unknown } } } | null
  const named = config?.capabilities?.key?.file
  return typeof named === 'string' && named !== '' ? resolve(dirname(file), named) : undefined
}
