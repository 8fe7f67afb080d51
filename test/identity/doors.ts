import type { Client } from '@grpc/grpc-js'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { capabilityKeyFrom, generateKeyPem } from '../../src/capabilities/key.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { loadEngine } from '../../src/engine.ts'
import { createEnvoyDoor } from '../../src/envoy/server.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'
import { strict } from '../envoy/authorizers.ts'
import { check, connect } from '../envoy/clients.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../envoy/messages.ts'
import { post } from '../guard/requests.ts'
import { nowMs } from './tokens.ts'

/** What a client is told. */
export interface Told {
  /** `allow`, or the reason of the refusal. */
  readonly code: string
  /** HTTP status that the client gets; undefined where the request goes on to the upstream. */
  readonly status: number | undefined
  readonly challenge: string | undefined
}

/** A header as a client sends it. */
export type Sent = readonly (readonly [name: string, value: string])[]

/** Both doors over one authorizer by the clock of `nowMs`: a gRPC server on a socket, and a guarded handler. */
export interface Doors extends AsyncDisposable {
  envoy(headers: Sent, path?: string): Promise<Told>
  /** Rejects where the headers are none that HTTP can carry. */
  guard(headers: Sent, path?: string): Promise<Told>
  readonly authorizer: Authorizer
  /** Every line of the log so far. */
  readonly lines: readonly string[]
  /** How many requests got past the guard. */
  reached(): number
}

const ping = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })

export async function openDoors(issuers: readonly IssuerOptions[]): Promise<Doors> {
  const lines: string[] = []
  const log = createDecisionLog({ level: 'info', destination: { write: (line: string) => lines.push(line) } })
  const engine = await loadEngine({ data: { servers: {} } })
  const key = await capabilityKeyFrom(generateKeyPem())
  const minting = { issuer: 'mcp-authz', audience: 'mcp-broker', lifetimeSeconds: 300, maxBytes: 32768 }
  const authorizer = createAuthorizer({
    authenticator: createAuthenticator({ issuers, now: () => nowMs }),
    engine: () => engine,
    minter: createMinter({ ...minting, profile: 'strict' }, () => key),
    profile: 'strict',
    record: log.decision,
    onFault: log.fault,
    now: () => nowMs,
  })
  const door = await createEnvoyDoor({
    authorizer,
    read: strict,
    address: '127.0.0.1:0',
    onFault: ({ code, cause }) => log.fault(code, String(cause)),
  })
  const client = connect(door.address)
  const guard = await createGuard({ authorizer, onFault: log.fault })
  let reached = 0
  const handler = async (): Promise<Response> => {
    reached += 1
    return Response.json({ jsonrpc: '2.0', id: 1, result: {} })
  }
  return {
    envoy: async (headers, path = '/mcp') => await askEnvoy(client, headers, path),
    guard: async (headers, path = '/mcp') => await askGuard(guard.fetch(handler), headers, path),
    authorizer,
    lines,
    reached: () => reached,
    [Symbol.asyncDispose]: async () => {
      client.close()
      guard.close()
      await door.drain({ deadlineMs: 1000, noticeMs: 0 })
    },
  }
}

async function askEnvoy(client: Client, sent: Sent, path: string): Promise<Told> {
  const all = [['content-type', 'application/json'], [':path', path], ...sent] as const
  const headers = all.map(([key, value]) => ({ key: key.toLowerCase(), raw_value: Buffer.from(value) }))
  const http = { method: 'POST', header_map: { headers }, raw_body: Buffer.from(ping) }
  const { status, denied_response: denied } = decodeCheckResponse(
    await check(client, encodeCheckRequest({ attributes: { request: { http } } })),
  )
  // Envoy lets a request through for status 0 alone, whatever else the answer holds.
  if ((status?.code ?? 0) === 0) return { code: 'allow', status: undefined, challenge: undefined }
  return {
    code: reasonIn(JSON.parse(denied?.body ?? '{}')),
    status: Number(denied?.status.code),
    challenge: denied?.headers?.find(({ header }) => header.key === 'www-authenticate')?.header.value,
  }
}

async function askGuard(guarded: ReturnType<Guard['fetch']>, sent: Sent, path: string): Promise<Told> {
  const template = post(ping)
  const headers = new Headers(template.headers)
  for (const [name, value] of sent) headers.append(name, value)
  const response = await guarded(new Request(new URL(path, template.url), { method: 'POST', headers, body: ping }))
  if (response.ok) return { code: 'allow', status: undefined, challenge: undefined }
  return {
    code: reasonIn(await response.json()),
    status: response.status,
    challenge: response.headers.get('www-authenticate') ?? undefined,
  }
}

function reasonIn(body: unknown): string {
  const { error } = body as { error?: { data?: { reason?: string } } }
  return error?.data?.reason ?? 'no reason'
}
