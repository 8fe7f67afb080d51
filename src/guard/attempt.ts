import type { DoorKnowledge, Reading, ReadOptions, Refused } from '../mcp/reading.ts'
import { readCall } from '../mcp/request.ts'
import type { GuardCredential } from './credential.ts'

/** An attempt that no HTTP request carried. */
export interface GuardAttempt {
  readonly credential: GuardCredential
  /** The MCP method. */
  readonly method: string
  /** The method's `params`, as JSON values. */
  readonly params?: Readonly<Record<string, unknown>>
  /** Id of the server that is asked, where the caller knows it; the guard's own by default. */
  readonly server?: string
  /** A virtual server; the guard's own binds as well. */
  readonly virtualServer?: string
  /** IP address of whoever asked, as the caller knows it. */
  readonly address?: string
}

/** Reads an attempt by the rules of a request. Never throws. */
export function readingOf(attempt: GuardAttempt, knows: DoorKnowledge, read: ReadOptions): Reading {
  const { method, server = knows.server, virtualServer } = attempt
  if (knows.server !== undefined && server !== knows.server)
    return refuse('header_mismatch', 'the attempt names another server than the guard', method)
  const params = textOfParams(attempt.params)
  if (params === null) return refuse('body_malformed', 'the params must be JSON values', method)
  const call = { method, ...(params === undefined ? {} : { params }) }
  const reading = readCall(call, { server, virtualServer: knows.virtualServer }, read)
  if (!reading.ok || virtualServer === undefined) return reading
  return { ...reading, virtualServers: [...reading.virtualServers, virtualServer] }
}

/** Null for what JSON cannot say. */
function textOfParams(params: unknown): string | undefined | null {
  if (params === undefined) return undefined
  try {
    return JSON.stringify(params) ?? null
  } catch {
    return null
  }
}

function refuse(code: Refused['code'], detail: string, method: unknown): Refused {
  return { ok: false, code, detail, action: typeof method === 'string' ? method : '' }
}
