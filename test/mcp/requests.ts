import type { DoorKnowledge, HttpRequest, Reading, ReadOptions } from '../../src/mcp/reading.ts'
import { readHttp } from '../../src/mcp/request.ts'

export type HeaderFields = Readonly<Record<string, string | readonly string[]>>

export const strict: ReadOptions = {
  profile: 'strict',
  maxBodyBytes: 65_536,
  maxDepth: 64,
  batches: false,
  headersOnly: false,
}
export const kuadrant: ReadOptions = { ...strict, profile: 'kuadrant' }
export const headersOnly: ReadOptions = { ...kuadrant, headersOnly: true }
export const batches: ReadOptions = { ...strict, batches: true }

export function http(method: string, body: string | Uint8Array, headers: HeaderFields): HttpRequest {
  const fields = Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? [value] : value])
  return {
    method,
    headers: new Map(fields as [string, readonly string[]][]),
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
  }
}

export function post(
  body: string | Uint8Array,
  headers: HeaderFields = {},
  options: ReadOptions = strict,
  door: DoorKnowledge = {},
): Reading {
  return readHttp(http('POST', body, { 'content-type': 'application/json', ...headers }), door, options)
}

/** A request of a method, with id 1. */
export function rpc(method: string, params?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
}

export const toolCall = rpc('tools/call', { name: 'forecast', arguments: {} })

export function outcome(reading: Reading): string {
  return reading.ok ? 'read' : reading.code
}
