import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startEnvoy } from '../../examples/demo/envoy.ts'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { createEnvoyDoor } from '../../src/envoy/server.ts'
import { toolPath } from '../../tools/paths.ts'
import { allow, deny, strict } from '../envoy/authorizers.ts'

/** What a client is answered with, and whether the MCP server was reached. */
interface Answered {
  readonly status: number
  readonly body: unknown
  readonly reached: boolean
}

const ping = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'ping' })

async function upstream(): Promise<{ server: Server; port: number; reached: () => boolean }> {
  let reached = false
  const server = createServer((_, response) => {
    reached = true
    response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { server, port: (server.address() as AddressInfo).port, reached: () => reached }
}

/** Asks an Envoy of examples/envoy/envoy.yaml whose authorizer answers so; undefined: there is none. */
async function ask(authorize: Authorizer['authorize'] | undefined): Promise<Answered> {
  const state = await mkdtemp(join(tmpdir(), 'mcp-authz-envoy-'))
  onTestFinished(() => rm(state, { recursive: true, force: true }))
  const { port: mcp, reached } = await upstream()
  const authz = authorize === undefined ? await freePort() : await doorPort(authorize)
  const envoy = await startEnvoy({ authz, mcp, state })
  if (envoy === undefined) throw new Error('envoy is not installed')
  onTestFinished(envoy.stop)
  const response = await fetch(`http://127.0.0.1:${envoy.port}/mcp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ping,
  })
  return { status: response.status, body: await response.json(), reached: reached() }
}

async function doorPort(authorize: Authorizer['authorize']): Promise<number> {
  const door = await createEnvoyDoor({ authorizer: { authorize } as Authorizer, read: strict, address: '127.0.0.1:0' })
  onTestFinished(() => door.drain({ deadlineMs: 1000 }))
  return Number(door.address.split(':').at(-1))
}

async function freePort(): Promise<number> {
  const { server, port } = await upstream()
  server.close()
  await once(server, 'close')
  return port
}

describe.runIf(toolPath('envoy'))('examples/envoy/envoy.yaml', { timeout: 20_000 }, () => {
  it('passes on what is allowed', async () => {
    expect(await ask(async (attempt) => allow(attempt))).toEqual({ status: 200, body: {}, reached: true })
  })

  it('answers a denial as mcp-authz made it, also one by which it cannot decide', async () => {
    const denied = await ask(async (attempt) => deny('policy_error', attempt))
    expect(denied).toMatchObject({ status: 503, reached: false })
    expect(denied.body).toMatchObject({ id: 7, error: { code: 503, data: { reason: 'policy_error' } } })
  })

  it('passes nothing on where mcp-authz is down, and says so in JSON-RPC', async () => {
    const error = { code: -32603, message: 'authorization is unavailable' }
    const body = { jsonrpc: '2.0', id: null, error }
    expect(await ask(undefined)).toEqual({ status: 503, body, reached: false })
  })
})
