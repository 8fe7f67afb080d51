import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { Subject } from '../../src/identity/subject.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { DecidedResource, ReasonCode } from '../../src/policy/decision.gen.ts'

/** The doors a case goes through. */
export const doors = ['engine', 'opa', 'grpc', 'http', 'cli', 'guard'] as const
export type Door = (typeof doors)[number]

/** One line of the table: who tries what, and what every door must answer. */
export interface Case {
  readonly name: string
  readonly claims: Readonly<Record<string, unknown>>
  readonly attempt: {
    readonly method: string
    readonly params?: Readonly<Record<string, unknown>>
    /** Raw JSON of the params, where a YAML value cannot say it. */
    readonly text?: string
    readonly server?: string
    readonly virtualServer?: string
  }
  /**
   * What an API key is limited to, or what was revoked since: a subject has it, and no claim says it. Through the doors
   * go credentials that are cut down so (credentials.ts).
   */
  readonly cutDown?: CutDown
  readonly want: 'allow' | ReasonCode
  readonly resource?: DecidedResource
  /** Only these doors: what never reaches the policy cannot be asked of the bare engine, nor every shape of AuthZEN. */
  readonly via?: readonly Door[]
}

/** What a credential is cut down by. */
export type CutDown = Pick<Subject, 'withdrawnRoles' | 'limits'>

export interface Table {
  readonly file: string
  readonly profile: 'strict' | 'kuadrant'
  readonly data: Data
  readonly cases: readonly Case[]
}

/** Every table beside this file, but that of credentials. */
export function tables(): Table[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.yaml') && file !== 'credentials.yaml')
    .sort()
    .map((file) => {
      const table = parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Omit<Table, 'file'>
      return { ...table, profile: table.profile ?? 'strict', file }
    })
}

/** The params as JSON text. */
export function paramsText({ params, text }: Case['attempt']): string | undefined {
  return text ?? (params === undefined ? undefined : JSON.stringify(params))
}

/** The JSON-RPC message, as a client would send it. */
export function messageText(attempt: Case['attempt']): string {
  const params = paramsText(attempt)
  const start = `{"jsonrpc":"2.0","id":1,"method":${JSON.stringify(attempt.method)}`
  return params === undefined ? `${start}}` : `${start},"params":${params}}`
}
