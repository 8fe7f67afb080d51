// A real client that reads what comes back: a load generator looks at gRPC's status alone, and a denial is an OK there.
import { type Client, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { methodOf } from '../../src/envoy/service.ts'
import { check } from '../envoy/clients.ts'
import { decodeCheckResponse, headersOf, removals, statusCode } from '../envoy/messages.ts'
import type { LoadGenerator } from './ghz.ts'
import { call, type Workload } from './workload.ts'

/** Asks one server once. @throws Error when the answer is not the right one */
export type Verify = (client: Client) => Promise<void>

/** The right answer of the service: yes to the call, with a capability token that verifies and names the tool. */
export function verifyAllowed({ allowed }: Workload, httpAddress: string): Verify {
  const keys = createRemoteJWKSet(new URL(`http://${httpAddress}/.well-known/jwks.json`))
  return async (client) => {
    const reply = await check(client, allowed)
    expect(statusCode(reply) === 0, 'the call is denied that must be allowed')
    expect(removals(reply).length > 0, 'no header is removed')
    const { payload } = await jwtVerify(headersOf(reply)['x-mcp-authorized'] ?? '', keys, { audience: 'mcp-broker' })
    const { tools } = JSON.parse(String(payload['allowed-capabilities'])) as { tools: Record<string, string[]> }
    expect(tools[call.server]?.includes(call.tool) === true, 'the capability token does not name the tool')
  }
}

/** The service says no where it must. */
export function verifyDenied({ forbidden }: Workload): Verify {
  return async (client) => {
    const reply = await check(client, forbidden)
    const { denied_response: denied } = decodeCheckResponse(reply)
    expect(statusCode(reply) === 7 && denied?.status.code === 403, 'the call is allowed that must be denied')
    expect(denied?.body.includes('"role_missing"') === true, 'the denial does not say `role_missing`')
  }
}

/** The right answer of a floor: these bytes. */
export function verifySame({ allowed }: Workload, answer: Buffer): Verify {
  return async (client) => {
    const reply = await check(client, allowed)
    expect(answer.equals(reply), 'the answer is not the fixed one')
  }
}

/** What the load generator sends is the request, byte for byte. @throws Error when it is not */
export async function verifyGenerator(generator: LoadGenerator, { allowed }: Workload): Promise<void> {
  const seen: Buffer[] = []
  const server = new Server()
  server.addService(
    { Check: methodOf('/envoy.service.auth.v3.Authorization/Check', { responseStream: false }) },
    {
      Check(incoming: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) {
        seen.push(incoming.request)
        reply(null, Buffer.alloc(0))
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  try {
    await generator.run(`127.0.0.1:${port}`, { inFlight: 1, connections: 1, stop: { requests: 2 } })
  } finally {
    server.forceShutdown()
  }
  expect(seen.length === 2 && seen.every((bytes) => bytes.equals(allowed)), 'the load generator sends something else')
}

function expect(right: boolean, otherwise: string): void {
  if (!right) throw new Error(`a wrong answer, so nothing is measured: ${otherwise}`)
}
