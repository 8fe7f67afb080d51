import { readFile } from 'node:fs/promises'
import type { Client } from '@grpc/grpc-js'
import { type Assembly, assemble } from '../../src/assembly.ts'
import { capabilityKeyFrom } from '../../src/capabilities/key.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createEnvoyDoor, type EnvoyDoor } from '../../src/envoy/server.ts'
import type { Once } from '../../src/gateway/backend-init.ts'
import { createGate } from '../../src/gateway/gate.ts'
import { createGatewayTokens } from '../../src/gateway/tokens.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import type { ReasonCode } from '../../src/policy/decision.gen.ts'
import { check, connect } from '../envoy/clients.ts'
import { decodeCheckResponse, encodeCheckRequest, removals } from '../envoy/messages.ts'
import type { Place } from '../guard/place.ts'
import { signingKey } from './tokens.ts'

/** Header lines; a name that comes twice has two values. */
export type Lines = readonly (readonly [name: string, value: string])[]

/** An HTTP request, as far as the cases differ in it. A message that is undefined is no body. */
export interface Asked {
  readonly method?: string
  readonly message?: unknown
  readonly lines: Lines
}

/** What a door answered. */
export interface Answer {
  /** `allow`, or the first reason. */
  readonly outcome: string
  readonly status: number
  readonly challenge: string | undefined
  /** Names of headers that do not reach whoever is behind the door; what was sent, where it is denied. */
  readonly withheld: (name: string) => boolean
}

/** One replica of the service, with its Envoy door and a guard over the same authorizer. */
export interface Replica {
  readonly grpc: (asked: Asked) => Promise<Answer>
  readonly guard: (asked: Asked) => Promise<Answer>
  /** What went wrong behind a denial. */
  readonly faults: readonly (readonly [ReasonCode, string])[]
  close(): Promise<void>
}

export async function openReplica(place: Place, once: Once | undefined): Promise<Replica> {
  const faults: [ReasonCode, string][] = []
  const config = await loadConfig(place.config, { env: { GATEWAY_SIGNING_KEY: signingKey } })
  const key = await capabilityKeyFrom(await readFile(config.capabilities.keyFile ?? '', 'utf8'))
  const assembly = await assemble(config, { key: () => key, onFault: (code, cause) => faults.push([code, cause]) })
  const { authorizer, read, protectedResource } = assembly
  const { backendInit, sessions } = config.gateway
  const gate = createGate({ tokens: createGatewayTokens({ signingKey, once }), backendInit, sessions })
  const door = await createEnvoyDoor({ authorizer, read, gate, protectedResource, address: '127.0.0.1:0' })
  const client = connect(door.address)
  const guard = await createGuard({ authorizer, read, gate, protectedResource })
  return {
    grpc: async (asked) => await askGrpc(client, asked),
    guard: async (asked) => await askGuard(guard, asked),
    faults,
    close: async () => await close({ client, door, guard, assembly }),
  }
}

async function close({
  client,
  door,
  guard,
  assembly,
}: {
  readonly client: Client
  readonly door: EnvoyDoor
  readonly guard: Guard
  readonly assembly: Assembly
}): Promise<void> {
  client.close()
  guard.close()
  await door.drain({ deadlineMs: 0 })
  await assembly.close()
}

async function askGrpc(client: Client, { method = 'POST', message, lines }: Asked): Promise<Answer> {
  const headers = lines.map(([key, value]) => ({ key, raw_value: Buffer.from(value, 'latin1') }))
  const body = message === undefined ? {} : { raw_body: Buffer.from(JSON.stringify(message)) }
  const http = { method, header_map: { headers }, ...body }
  const bytes = await check(client, encodeCheckRequest({ attributes: { request: { http } } }))
  const { denied_response: denied, dynamic_metadata: metadata } = decodeCheckResponse(bytes)
  const reason = metadata?.fields['reasons']?.listValue?.values?.[0]?.stringValue
  const removed = removals(bytes)
  return {
    outcome: denied === undefined ? 'allow' : String(reason),
    status: denied?.status.code ?? 200,
    challenge: denied?.headers?.find(({ header }) => header.key === 'www-authenticate')?.header.value,
    withheld: (name) => denied !== undefined || removed.includes(name),
  }
}

async function askGuard(guard: Guard, { method = 'POST', message, lines }: Asked): Promise<Answer> {
  const headers = new Headers()
  for (const [name, value] of lines) headers.append(name, value)
  let reached: Request | undefined
  const guarded = guard.fetch(async (request) => {
    reached = request
    return Response.json({ jsonrpc: '2.0', id: 1, result: {} })
  })
  const body = message === undefined ? {} : { body: JSON.stringify(message) }
  const response = await guarded(new Request('http://mcp.test/mcp', { method, headers, ...body }))
  return {
    outcome: reached === undefined ? await reasonIn(response) : 'allow',
    status: response.status,
    challenge: response.headers.get('www-authenticate') ?? undefined,
    withheld: (name) => reached?.headers.has(name) !== true,
  }
}

async function reasonIn(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error: string | { data: { reason: string } } }
  return typeof error === 'string' ? error : error.data.reason
}
