import { readFileSync } from 'node:fs'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { ApiKeyBody } from '../api-keys/api-key.gen.ts'
import type { CapabilityClaim } from '../capabilities/claim.gen.ts'
import type { Data } from '../policy/data.gen.ts'
import type { Decision } from '../policy/decision.gen.ts'
import type { Input } from '../policy/input.gen.ts'
import type { ConfigFile } from './config.gen.ts'

/** What each schema under schemas/ describes. */
export interface SchemaTypes {
  config: ConfigFile
  data: Data
  input: Input
  decision: Decision
  capability_claim: CapabilityClaim
  api_key: ApiKeyBody
}

export type SchemaName = keyof SchemaTypes
export type SchemaError = ErrorObject

/** A type guard; after a call that answered false, `errors` says why, until the next call. */
export type Validator<T> = ValidateFunction<T>

const names: readonly SchemaName[] = ['config', 'data', 'input', 'decision', 'capability_claim', 'api_key']
let compiler: Ajv | undefined

/** The validator of a whole schema of the package. Compiled once. */
export function validatorOf<N extends SchemaName>(name: N): Validator<SchemaTypes[N]>
/**
 * The validator of one of a schema's `definitions`; the caller names the type that was generated for it.
 *
 * @throws TypeError if the schema has no such definition.
 */
export function validatorOf<T>(name: SchemaName, definition: string): Validator<T>
export function validatorOf(name: SchemaName, definition?: string): Validator<unknown> {
  compiler ??= createCompiler()
  const key = definition === undefined ? name : `${name}#/definitions/${definition}`
  const validator = compiler.getSchema(key)
  if (validator === undefined) throw new TypeError(`no schema \`${key}\`; name one of schemas/*.json`)
  return validator as Validator<unknown>
}

function createCompiler(): Ajv {
  // Branches of an anyOf narrow what their parent has typed already, so they repeat no `type`.
  const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, verbose: true, ownProperties: true })
  for (const name of names) {
    const url = new URL(`../../schemas/${name}.json`, import.meta.url)
    ajv.addSchema(JSON.parse(readFileSync(url, 'utf8')), name)
  }
  return ajv
}
