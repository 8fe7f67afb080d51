import { type Headers, hasHeader, headerOf } from '../mcp/headers.ts'
import type { Read } from '../mcp/reading.ts'
import type { GatewayTokens } from './tokens.ts'

/** `gateway` of the configuration, as far as requests are held against it. */
export interface GateOptions {
  readonly tokens: GatewayTokens
  /** Let an `initialize` with `mcp-init-host` pass where its `router-key` is good. */
  readonly backendInit: boolean
  /** Profile kuadrant: ask requests to the broker for a session of the gateway. */
  readonly sessions: boolean
}

/** What a gateway's own tokens say against a request that was read. */
export interface Gate {
  /** Whether router keys are looked at: where not, the reader refuses `mcp-init-host` (see `DoorKnowledge`). */
  readonly routerKeys: boolean
  /** Never rejects. To be asked last before policy and once for each request, as it spends the router key. */
  faultOf(headers: Headers, reading: Read): Promise<GateFault | undefined>
}

export interface GateFault {
  readonly code: 'header_forbidden' | 'router_key_invalid' | 'session_invalid' | 'state_unavailable'
  /** One lower-case line; holds nothing the client sent. */
  readonly detail: string
}

/** The gate for one request: what an authorizer is to ask, and whether it did. */
export interface Hold {
  readonly precondition: (reading: Read) => Promise<GateFault | undefined>
  /** Whether it was asked and found nothing: an authorizer that allows without asking is not to be obeyed. */
  passed(): boolean
}

/** Holds one request against the gate, when asked to. */
export function holdAgainst(gate: Gate, headers: Headers): Hold {
  let passed = false
  return {
    async precondition(reading) {
      const fault = await gate.faultOf(headers, reading)
      passed = fault === undefined
      return fault
    },
    passed: () => passed,
  }
}

/** Makes the gate of a door. */
export function createGate({ tokens, backendInit, sessions }: GateOptions): Gate {
  return {
    routerKeys: backendInit,
    async faultOf(headers, reading) {
      const hairpin = hasHeader(headers, 'mcp-init-host')
      const fault = hairpin ? await routerKeyFault(headers, tokens, backendInit) : undefined
      if (fault !== undefined || !sessions || !reading.brokerAnswers || opensSession(reading)) return fault
      return await sessionFault(headers, tokens, isSessionless(reading))
    },
  }
}

async function routerKeyFault(
  headers: Headers,
  tokens: GatewayTokens,
  backendInit: boolean,
): Promise<GateFault | undefined> {
  const host = headerOf(headers, 'mcp-init-host')
  const key = headerOf(headers, 'router-key')
  // The reader has refused both already; what a door forgot to tell it must not open anything.
  if (!backendInit || key === undefined) return { code: 'header_forbidden', detail: 'mcp-init-host needs a router-key' }
  if (typeof host !== 'string' || key === null)
    return { code: 'router_key_invalid', detail: 'mcp-init-host and router-key must have one value each' }
  const verdict = await tokens.verifyBackendInit(key, host)
  return verdict.ok ? undefined : verdict
}

async function sessionFault(
  headers: Headers,
  tokens: GatewayTokens,
  sessionless: boolean,
): Promise<GateFault | undefined> {
  const session = headerOf(headers, 'mcp-session-id')
  if (session === undefined && sessionless) return undefined
  if (typeof session !== 'string') return { code: 'session_invalid', detail: 'expected one mcp-session-id' }
  const verdict = await tokens.verifySession(session)
  return verdict.ok ? undefined : verdict
}

function opensSession({ asks, batch }: Read): boolean {
  return !batch && asks[0]?.action === 'initialize'
}

/** From 2026-07-28 on MCP knows no sessions; versions are dates, which sort as text. A request without one is older. */
function isSessionless({ protocolVersion = '' }: Read): boolean {
  return protocolVersion >= '2026-07-28'
}
