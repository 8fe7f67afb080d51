// AuthZEN Authorization API 1.0: https://openid.net/specs/authorization-api-1_0.html
import type { Attempt } from '../authorizer/attempt.ts'
import type { Credential } from '../identity/subject.ts'
import { isObject } from '../mcp/message.ts'
import type { DoorKnowledge, Reading, ReadOptions } from '../mcp/reading.ts'
import { readCall } from '../mcp/request.ts'
import type { Decision } from '../policy/decision.gen.ts'
import { paramsOf } from './params.ts'
import type { Trust } from './permits.ts'

/** One evaluation as it came in; which fields it may have is section 6 of the specification. */
export type EvaluationRequest = Readonly<Record<string, unknown>>

export type EvaluationReading =
  | { readonly ok: true; readonly attempt: Attempt }
  /** The call itself is wrong: an HTTP error, never a decision. */
  | { readonly ok: false; readonly status: number; readonly message: string }

/**
 * Reads one evaluation into an attempt. What is wrong with the call is an HTTP error; what is wrong with what it asks
 * about is a denial, with the same code as through every other door.
 * @param trust whether the caller may present claims it has verified itself
 */
export function readEvaluation(request: EvaluationRequest, trust: Trust, options: ReadOptions): EvaluationReading {
  const fields = requiredFields(request)
  if (typeof fields === 'string') return { ok: false, status: 400, message: fields }
  const credential = credentialOf(fields.subject['properties'], trust)
  if ('status' in credential) return { ok: false, ...credential }
  const reading = readingOf(fields, options)
  return { ok: true, attempt: { credential, reading, subjectId: fields.subjectId } }
}

/** Whether a document holds claims anywhere, so that it matters whether the caller may present some. */
export function bringsClaims({ evaluations, ...single }: EvaluationRequest): boolean {
  return [single, ...(Array.isArray(evaluations) ? evaluations : [])].some(
    (each: unknown) =>
      isObject(each) &&
      isObject(each['subject']) &&
      isObject(each['subject']['properties']) &&
      each['subject']['properties']['claims'] !== undefined,
  )
}

/** The answer to one evaluation. */
export function evaluationOf({ allow, id, revision, reasons, conditions }: Decision): object {
  return { decision: allow, context: { id, revision, reasons, ...(conditions === undefined ? {} : { conditions }) } }
}

interface Fields {
  readonly subject: EvaluationRequest
  readonly subjectId: string
  readonly method: string
  readonly type: string
  readonly id: string
  readonly properties: EvaluationRequest
}

function requiredFields(request: EvaluationRequest): Fields | string {
  const { subject, action, resource } = request
  if (!isObject(subject) || typeof subject['type'] !== 'string' || typeof subject['id'] !== 'string') {
    return 'expected `subject` to be an object with the strings `type` and `id`'
  }
  if (!isObject(action) || typeof action['name'] !== 'string') {
    return 'expected `action` to be an object with the string `name`'
  }
  if (!isObject(resource) || typeof resource['type'] !== 'string' || typeof resource['id'] !== 'string') {
    return 'expected `resource` to be an object with the strings `type` and `id`'
  }
  const properties = resource['properties'] ?? {}
  if (!isObject(properties)) return 'expected `resource.properties` to be an object'
  const [type, id] = [resource['type'], resource['id']]
  return { subject, subjectId: subject['id'], method: action['name'], type, id, properties }
}

function credentialOf(properties: unknown, trust: Trust): Credential | { status: number; message: string } {
  if (properties === undefined) return { kind: 'authorization', values: [] }
  if (!isObject(properties)) return { status: 400, message: 'expected `subject.properties` to be an object' }
  const { token, claims } = properties
  if (token !== undefined && claims !== undefined) {
    return {
      status: 400,
      message: 'expected one of `subject.properties.token` and `subject.properties.claims`, not both',
    }
  }
  if (typeof token === 'string') return { kind: 'token', token }
  if (token !== undefined) return { status: 400, message: 'expected `subject.properties.token` to be a string' }
  if (claims === undefined) return { kind: 'authorization', values: [] }
  if (!isObject(claims)) return { status: 400, message: 'expected `subject.properties.claims` to be an object' }
  if (!trust.ok) return { status: trust.status, message: trust.message }
  return { kind: 'claims', claims }
}

function readingOf({ method, type, id, properties }: Fields, options: ReadOptions): Reading {
  const { server, virtual_server: virtualServer } = properties
  const strings = [server, virtualServer].every((value) => value === undefined || typeof value === 'string')
  const params = paramsOf(method, { type, id, args: properties['arguments'] })
  if (!strings || params === undefined) {
    return {
      ok: false,
      code: 'body_malformed',
      detail: 'the resource is not of the type the method wants',
      action: method,
    }
  }
  const door = { server, virtualServer } as DoorKnowledge
  return readCall({ method, params: JSON.stringify(params) }, door, options)
}
