import type { CredentialFacts, Subject } from '../identity/subject.ts'
import type { LedgerEntry } from '../state/ledger.ts'
import type { ApiKeyBody, ApiKeyScope } from './api-key.gen.ts'
import { type Gate, gateOf } from './scope.ts'

/** Whether a value has the form of `schemas/api_key.json`. */
export type IsApiKeyBody = (value: unknown) => value is ApiKeyBody

/** A key as it is known here, ready to be asked. */
export interface ApiKey {
  readonly id: string
  readonly body: ApiKeyBody
  readonly gate: Gate
  /** Whom it acts as, with nothing taken away by revocations. */
  readonly subject: Subject
  readonly facts: CredentialFacts
}

/** Reads what a ledger gave. @throws {Error} for what is no key that is understood here: it opens nothing then */
export function apiKeyOf({ id, body }: LedgerEntry, isBody: IsApiKeyBody): ApiKey {
  if (!isBody(body)) throw new TypeError('it has not the form of a key')
  const facts: CredentialFacts = Object.freeze({ subject: body.subject, apiKey: id, issuedAt: body.createdAt })
  return { id, body, gate: gateOf(body.scope), subject: Object.freeze({ ...subjectOf(id, body), facts }), facts }
}

/** The entry of a key. */
export function ledgerEntryOf(id: string, body: ApiKeyBody): LedgerEntry {
  const { expiresAt } = body
  return { id, type: 'api-key', ...(expiresAt === undefined ? {} : { until: expiresAt }), body: { ...body } }
}

/** No OAuth scopes: they limit tokens, and a key has limits of its own. */
function subjectOf(id: string, body: ApiKeyBody): Subject {
  const { subject, roles, grants, groups, scope, expiresAt } = body
  const limits = scope === undefined ? undefined : limitsOf(scope)
  return deepFrozen({
    id: subject,
    roles,
    grants,
    groups,
    ...(limits === undefined ? {} : { limits }),
    apiKey: id,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  })
}

function limitsOf({ virtualServers, capabilities }: ApiKeyScope): Subject['limits'] {
  if (virtualServers === undefined && capabilities === undefined) return undefined
  return {
    ...(virtualServers === undefined ? {} : { virtualServers }),
    ...(capabilities === undefined ? {} : { capabilities }),
  }
}

/** A copy that nobody can change, as it is handed out again and again. JSON keeps `__proto__` a name like any other. */
function deepFrozen<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_name, part: unknown) => Object.freeze(part)) as T
}
