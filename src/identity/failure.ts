import type { Authentication } from './subject.ts'

/** Why a credential names nobody. */
export type Failure = Extract<Authentication, { ok: false }>

/** A failure; `detail` is one lower-case line that holds nothing the client sent. */
export function failure(code: Failure['code'], detail: string): Failure {
  return { ok: false, code, detail }
}
