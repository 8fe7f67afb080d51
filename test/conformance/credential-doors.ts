import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@grpc/grpc-js'
import { generateKeyPem } from '../../src/capabilities/key.ts'
import { run } from '../../src/cli/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import type { Decision } from '../../src/policy/decision.gen.ts'
import { startService } from '../../src/service.ts'
import { check, connect } from '../envoy/clients.ts'
import { encodeCheckRequest, headersOf, outcomeOf } from '../envoy/messages.ts'
import { messageText, paramsText } from './cases.ts'
import type { CredentialCase, CredentialDoor, CredentialTable } from './credentials.ts'
import { evaluatedResource } from './doors.ts'
import { issuerKeys, type Office, openOffice, type PresentedCredential } from './presented.ts'

/** The first reason, or `allow`; with the scopes that a door names. */
export interface CredentialAnswer {
  readonly code: string
  readonly scopes?: readonly string[]
}

type Ask = (line: CredentialCase, credential: PresentedCredential) => Promise<CredentialAnswer>

export interface CredentialDoors {
  readonly office: Office
  readonly ask: Readonly<Record<CredentialDoor, Ask>>
  /** Waits until every door knows what the office did. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** Opens every door over one configuration, and one state that the office of the table fills. */
export async function openCredentialDoors(table: CredentialTable): Promise<CredentialDoors> {
  const keys = await issuerKeys()
  const { directory, file } = await writeConfiguration(table, keys.jwks)
  const config = await loadConfig(file, { env: {} })
  const log = createDecisionLog({ level: 'silent' })
  const service = await startService({ config, capabilityKeyFile: join(directory, 'key.pem'), log })
  const client = connect(service.grpc)
  const guards = createGuards(file)
  const office = await openOffice(config, keys)
  const ask: CredentialDoors['ask'] = {
    grpc: async (line, credential) => await askGrpc(client, line, credential),
    http: async (line, credential) => await askHttp(service.http, line, credential),
    cli: async (line, credential) => await askCli(file, line, credential),
    guard: async (line, credential) => await guards.ask(line, credential),
  }
  return {
    office,
    ask,
    async settle() {
      const line: CredentialCase = { name: 'the last one', attempt: { method: 'ping' }, want: 'token_revoked' }
      const last = await office.make(line, 'last')
      await office.revoke([{ subject: 'self' }], last)
      for (const one of [ask.grpc, ...(await guards.askers(table))]) {
        while ((await one(line, last)).code !== line.want) await sleep(5)
      }
    },
    async close() {
      client.close()
      await Promise.all([office.close(), guards.close(), service.stop()])
      await rm(directory, { recursive: true })
    },
  }
}

async function writeConfiguration(
  { data, profile, config }: CredentialTable,
  jwks: object,
): Promise<{ readonly directory: string; readonly file: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
  const issuers = config.issuers.map((issuer) => ({ jwks: { file: 'jwks.json' }, algorithms: ['ES256'], ...issuer }))
  const whole = {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    data: ['data.json'],
    capabilities: { key: { file: 'key.pem' } },
    mcp: { profile },
    ...config,
    issuers,
  }
  const files = { 'mcp-authz.yaml': whole, 'data.json': data, 'jwks.json': jwks }
  for (const [name, value] of Object.entries(files)) await writeFile(join(directory, name), JSON.stringify(value))
  await writeFile(join(directory, 'key.pem'), generateKeyPem(), { mode: 0o600 })
  return { directory, file: join(directory, 'mcp-authz.yaml') }
}

/** What a caller sends beside the body. */
function headersBy({ headers }: CredentialCase, { text }: PresentedCredential): Record<string, string> {
  return { 'content-type': 'application/json', authorization: `Bearer ${text}`, ...headers }
}

async function askGrpc(
  client: Client,
  line: CredentialCase,
  credential: PresentedCredential,
): Promise<CredentialAnswer> {
  const { attempt, address } = line
  const { server, virtualServer } = attempt
  const raw_body = Buffer.from(messageText(attempt))
  const request = encodeCheckRequest({
    attributes: {
      ...(address === undefined ? {} : { source: { address: { socket_address: { address } } } }),
      request: { http: { method: 'POST', headers: headersBy(line, credential), raw_body } },
      context_extensions: {
        ...(server === undefined ? {} : { mcp_server: server }),
        ...(virtualServer === undefined ? {} : { mcp_virtual_server: virtualServer }),
      },
    },
  })
  const reply = await check(client, request)
  return answerWith(outcomeOf(reply), headersOf(reply)['www-authenticate'])
}

async function askHttp(
  address: string,
  { attempt }: CredentialCase,
  { text, subject }: PresentedCredential,
): Promise<CredentialAnswer> {
  const { method, server, virtualServer } = attempt
  const response = await fetch(`http://${address}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'identity', id: subject, properties: { token: text } },
      action: { name: method },
      resource: { ...evaluatedResource(attempt), properties: { server, virtual_server: virtualServer } },
    }),
  })
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`)
  const { decision, context } = (await response.json()) as { decision: boolean; context: Pick<Decision, 'reasons'> }
  return answerIn({ allow: decision, ...context })
}

async function askCli(
  config: string,
  { attempt, address }: CredentialCase,
  { text }: PresentedCredential,
): Promise<CredentialAnswer> {
  const { method, server, virtualServer } = attempt
  const optional = { params: paramsText(attempt), server, 'virtual-server': virtualServer, address }
  const options = Object.entries({ config, token: text, method, ...optional }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  )
  let out = ''
  const write = (chunk: string): void => {
    out += chunk
  }
  const terminal = { cwd: '.', env: {}, out: { write }, err: process.stderr }
  await run(['node', 'mcp-authz', 'check', '--json', ...options], terminal)
  return answerIn(JSON.parse(out) as Decision)
}

/** A guard of its own for each server that a case says the door knows, all over one configuration. */
function createGuards(config: string) {
  const guards = new Map<string | undefined, Promise<Guard>>()
  const address = ({ headers }: Request): string | undefined => headers.get('x-test-address') ?? undefined
  const guardOf = (server: string | undefined): Promise<Guard> => {
    const found = guards.get(server) ?? createGuard({ config, address, ...(server === undefined ? {} : { server }) })
    guards.set(server, found)
    return found
  }
  const ask: Ask = async (line, credential) => {
    const guard = await guardOf(line.attempt.server)
    const headers = new Headers(headersBy(line, credential))
    if (line.attempt.virtualServer !== undefined) headers.set('x-mcp-virtualserver', line.attempt.virtualServer)
    if (line.address !== undefined) headers.set('x-test-address', line.address)
    let reached = false
    const guarded = guard.fetch(async () => {
      reached = true
      return Response.json({ jsonrpc: '2.0', id: 1, result: {} })
    })
    const body = messageText(line.attempt)
    const response = await guarded(new Request('http://broker.test/mcp', { method: 'POST', headers, body }))
    if (reached) return { code: 'allow' }
    const { error } = (await response.json()) as { error: { data: { reason: string } } }
    return answerWith(error.data.reason, response.headers.get('www-authenticate') ?? undefined)
  }
  return {
    ask,
    /** Asks each guard that the cases of a table go through. */
    async askers({ cases }: CredentialTable): Promise<readonly Ask[]> {
      const servers = [...new Set(cases.map(({ attempt }) => attempt.server))]
      return servers.map(
        (server): Ask =>
          async (line, credential) => {
            const attempt = { ...line.attempt, ...(server === undefined ? {} : { server }) }
            return await ask({ ...line, attempt }, credential)
          },
      )
    },
    async close() {
      for (const guard of guards.values()) await (await guard).close()
    },
  }
}

/** What a decision says, where the door gives it whole. */
function answerIn({ allow, reasons: [reason] }: Pick<Decision, 'allow' | 'reasons'>): CredentialAnswer {
  if (allow !== (reason === undefined)) throw new Error('reasons must be empty if and only if it is allowed')
  if (reason === undefined) return { code: 'allow' }
  return { code: reason.code, ...(reason.scopes === undefined ? {} : { scopes: reason.scopes }) }
}

/** What a challenge says, where that is all a caller gets: scopes for `insufficient_scope` alone. */
function answerWith(code: string, challenge = ''): CredentialAnswer {
  const [, scopes] = /error="insufficient_scope", scope="([^"]*)"/.exec(challenge) ?? []
  return { code, ...(scopes === undefined ? {} : { scopes: scopes.split(' ') }) }
}
