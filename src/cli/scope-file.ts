import { resolve } from 'node:path'
import type { ApiKeyScope } from '../api-keys/api-key.gen.ts'
import { scopeFindings } from '../api-keys/scope.ts'
import { type Located, plainOf, valueAt } from '../config/located.ts'
import { ConfigError, type Finding, problemsOf } from '../config/problem.ts'
import { validatorOf } from '../config/schema.ts'
import { schemaFindings } from '../config/schema-finding.ts'
import { maxSourceBytes, parseSource, readSource } from '../config/source.ts'
import { type Terminal, UsageError } from './exit.ts'

/**
 * Reads the scope of an API key from a file of YAML or JSON, or with `-` from standard input.
 * @throws {ConfigError} with everything that is wrong with it
 */
export async function readScope(file: string, terminal: Terminal): Promise<ApiKeyScope> {
  const [name, text] =
    file === '-' ? ['standard input', await pipedText(terminal)] : [file, await textOf(file, terminal)]
  const parsing = parseSource(name, text)
  if (!parsing.ok) throw new ConfigError(parsing.problems)
  const { root } = parsing
  const validate = validatorOf<ApiKeyScope>('api_key', 'scope')
  const value = plainOf(root)
  const findings = validate(value)
    ? scopeFindings(value)
    : schemaFindings(root, validate.errors ?? []).map((finding) => inWordsOfScopes(root, finding))
  if (findings.length > 0) throw new ConfigError(problemsOf(root, findings))
  return value as ApiKeyScope
}

/** What a schema cannot say: that nothing is neither no limit nor one that allows nothing. */
function inWordsOfScopes(root: Located, finding: Finding): Finding {
  const { path } = finding
  if (path.length === 0 && root.kind === 'map') {
    return { path, message: 'expected at least one limit', mend: 'name one, or leave --scope out for no limit' }
  }
  const found = valueAt(root, path)
  if (found?.kind !== 'scalar' || found.value !== null) return finding
  const mend = 'remove the key for no limit, or write `[]` or `{}` to allow nothing'
  return { path, message: 'null is neither no limit nor one', mend }
}

async function textOf(file: string, { cwd }: Terminal): Promise<string> {
  const reading = await readSource(resolve(cwd, file))
  if (!reading.ok) throw new ConfigError([{ ...reading.problem, file }])
  return reading.text
}

async function pipedText({ in: input }: Terminal): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of input ?? []) {
    chunks.push(Buffer.from(chunk))
    length += chunk.length
    if (length > maxSourceBytes) throw new UsageError('--scope -: expected at most 16 MiB')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw new UsageError('--scope -: expected text in UTF-8')
  }
}
