import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@grpc/grpc-js'
import { expect, onTestFinished } from 'vitest'
import { check, connect } from '../envoy/clients.ts'
import { headersOf, outcomeOf, post } from '../envoy/messages.ts'
import { eventually } from './envoy-process.ts'
import { type Installation, type InstallationOptions, install, program, type ServiceProcess } from './installation.ts'

/** A process of the service with a state file of its own, and a client at its gRPC door. */
export interface ServiceReplica {
  readonly configFile: string
  /** HOST:PORT of the gRPC door. */
  grpc(): string
  /** HOST:PORT of the HTTP door. */
  http(): string
  /** `allow`, or the first reason why the token may not call a tool. */
  ask(token: string): Promise<string>
  /** The x-mcp-authorized that comes with what is allowed. */
  minted(token: string): Promise<string>
  /** Revokes over HTTP, with an API key; resolves with `shared` when it has answered 201. */
  revoke(order: object): Promise<boolean>
  /** Of `/readyz`. */
  readiness(): Promise<number>
  /** For how long it has not been certain that it knows all, as its metrics say. */
  uncertainSeconds(): Promise<number>
  /** SIGKILL. */
  kill(): Promise<void>
  /** After {@link kill}: the same configuration, the same ports. */
  restart(): Promise<void>
}

/** An installation that goes with the test. */
export async function installed(options: InstallationOptions = {}): Promise<Installation> {
  const installation = await install(options)
  onTestFinished(async () => await installation.remove())
  return installation
}

/** Starts a replica, which ends with the test, and makes it an API key that may revoke. */
export async function startReplica(
  installation: Installation,
  name: string,
  sections: Readonly<Record<string, unknown>> = {},
  ...args: readonly string[]
): Promise<ServiceReplica> {
  const state = { file: `${name}.db`, ...(sections['state'] as object | undefined) }
  const configFile = await installation.configure(name, { ...sections, state })
  let service = await installation.spawn(configFile, ...args)
  const grpc = (): string => `127.0.0.1:${service.grpcPort}`
  let client = connect(grpc())
  onTestFinished(async () => await end(service, client))
  const key = await keyFor(configFile, service.http)
  return {
    configFile,
    grpc,
    http: () => service.http,
    ask: async (token) => await askAt(client, token),
    minted: async (token) => headersOf(await check(client, callBy(token)))['x-mcp-authorized'] ?? '',
    revoke: async (order) => await postRevocation(service.http, key, order),
    readiness: async () => (await fetch(`http://${service.http}/readyz`)).status,
    uncertainSeconds: async () => await uncertainSecondsAt(service.http),
    kill: async () => await end(service, client),
    async restart() {
      const addresses = ['--grpc', grpc(), '--http', service.http]
      service = await installation.spawn(configFile, ...args, ...addresses)
      client = connect(grpc())
    },
  }
}

/** `allow`, or the first reason why the token may not call a tool. */
export async function askAt(client: Client, token: string): Promise<string> {
  return outcomeOf(await check(client, callBy(token)))
}

/** What a command of the real program left behind. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command with a configuration. */
export async function command(configFile: string, ...words: readonly string[]): Promise<Ran> {
  return await new Promise((resolve) => {
    const argv = [program, ...words, '--config', configFile]
    const child = execFile(process.execPath, argv, (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }))
  })
}

/** Asks every few milliseconds until the answer is not `allow` any more; when that came, and what it was. */
export async function firstDenial(ask: () => Promise<string>): Promise<{ readonly at: number; readonly code: string }> {
  return await firstBut('allow', ask)
}

/** The same for another answer. */
export async function firstBut(
  answer: string,
  ask: () => Promise<string>,
): Promise<{ readonly at: number; readonly code: string }> {
  const end = performance.now() + 10_000
  while (performance.now() < end) {
    const code = await ask()
    if (code !== answer) return { at: performance.now(), code }
    await sleep(2)
  }
  throw new Error(`for 10 s the answer was ${answer}`)
}

/** Waits until a replica is ready and certain again. */
export async function untilCertain(...replicas: readonly ServiceReplica[]): Promise<void> {
  for (const replica of replicas) {
    await eventually(async () => {
      const certain = (await replica.readiness()) === 200 && (await replica.uncertainSeconds()) === 0
      return certain || undefined
    }, 'the replica is certain')
  }
}

function callBy(token: string): Buffer {
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'weather_forecast' } }
  return post(call, { headers: { authorization: `Bearer ${token}` } })
}

async function end(service: ServiceProcess, client: Client): Promise<void> {
  client.close()
  await service.kill('SIGKILL')
}

/** An API key that may revoke, once the service knows it. */
async function keyFor(configFile: string, http: string): Promise<string> {
  const { out, err } = await command(
    configFile,
    ...['api-keys', 'create', '--sub', 'operator', '--permission', 'revocations:write'],
  )
  if (out === '') throw new Error(`no API key was made: ${err}`)
  const key = out.trim()
  await eventually(async () => ((await postOrder(http, key, {})).status === 400 ? true : undefined), 'the key is known')
  return key
}

async function postOrder(http: string, key: string, order: object): Promise<Response> {
  return await fetch(`http://${http}/admin/v1/revocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(order),
  })
}

async function postRevocation(http: string, key: string, order: object): Promise<boolean> {
  const response = await postOrder(http, key, order)
  const answer = (await response.json()) as { readonly shared: boolean }
  expect([response.status, answer]).toEqual([201, expect.objectContaining({ id: expect.any(String) })])
  return answer.shared
}

async function uncertainSecondsAt(http: string): Promise<number> {
  const text = await (await fetch(`http://${http}/metrics`)).text()
  const [, value] = /^mcp_authz_revocations_uncertain_seconds (\S+)$/m.exec(text) ?? []
  return value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value)
}
