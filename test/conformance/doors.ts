import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@grpc/grpc-js'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { assemble } from '../../src/assembly.ts'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { generateKeyPem } from '../../src/capabilities/key.ts'
import { run } from '../../src/cli/program.ts'
import type { Config } from '../../src/config/config.ts'
import { loadData } from '../../src/config/data.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { loadEngine } from '../../src/engine.ts'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Authenticator } from '../../src/identity/subject.ts'
import { ruleOf } from '../../src/mcp/methods.ts'
import type { ReadOptions } from '../../src/mcp/reading.ts'
import { readCall } from '../../src/mcp/request.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import type { DecidedResource, Decision } from '../../src/policy/decision.gen.ts'
import type { Engine } from '../../src/policy/engine.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { buildInput } from '../../src/policy/input.ts'
import { type Service, startService } from '../../src/service.ts'
import { check, connect } from '../envoy/clients.ts'
import { encodeCheckRequest, outcomeOf } from '../envoy/messages.ts'
import { type Case, type Door, messageText, paramsText, type Table } from './cases.ts'

/** What a door answered: the first reason, or that it allows. */
export type Answer = string

export interface Doors {
  readonly ask: Readonly<Record<Exclude<Door, 'opa'>, (line: Case) => Promise<Answer>>>
  /** The policy's input for a case, for OPA's own interpreter. */
  input(line: Case): Promise<Input>
  /** A token with these claims that every door accepts. */
  token(claims: Case['claims']): Promise<string>
  /** Sends a body as it is through the doors that read bytes. */
  readonly send: Readonly<Record<'grpc' | 'guard', (body: Uint8Array, token: string) => Promise<Answer>>>
  /** Puts other data in place behind every door, and waits until it is. */
  replaceData(data: Data): Promise<void>
  close(): Promise<void>
}

const read: Omit<ReadOptions, 'profile'> = { maxBodyBytes: 1 << 20, maxDepth: 64, batches: false, headersOnly: false }
const issuer = 'https://sso.example.com/realms/mcp'

/** Opens every door over one configuration that holds the table's data. */
export async function openDoors(table: Table): Promise<Doors> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'))
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const file = await writeConfiguration(directory, table, { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k' })
  const config = await loadConfig(file, { env: {} })
  const keyFile = join(directory, 'key.pem')
  const service = await start(config, keyFile)
  const client = connect(service.grpc)
  let engine = await engineOf(config)
  const assembly = await assemble(config, { guard: true })
  const guards = createGuards(assembly.authorizer, assembly.read)
  const authenticator = createAuthenticator({ issuers: config.issuers })
  const signed = async (claims: Case['claims']): Promise<string> =>
    await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer(issuer)
      .setAudience('mcp-gateway')
      .setExpirationTime('5m')
      .sign(privateKey)
  const input = async (line: Case): Promise<Input> => await inputOf(line, table.profile, authenticator)
  return {
    input,
    ask: {
      engine: async (line) => await askEngine(engine, await input(line)),
      grpc: async (line) => await askGrpc(client, sentBy(line), await signed(line.claims)),
      http: async (line) => await askHttp(service.http, line),
      cli: async (line) => await askCli(file, directory, line),
      guard: async (line) => await guards.ask(sentBy(line), await signed(line.claims)),
    },
    token: signed,
    send: {
      grpc: async (body, token) => await askGrpc(client, { body }, token),
      guard: async (body, token) => await guards.ask({ body }, token),
    },
    async replaceData(data) {
      await replaceFile(join(directory, 'data.json'), JSON.stringify(data))
      engine = await engineOf(config)
      assembly.replaceData(await loadData(config.dataFiles))
      while ((await revisionAt(service.http)) !== engine.revision) await sleep(5)
    },
    async close() {
      client.close()
      authenticator.close()
      assembly.close()
      await service.stop()
      await rm(directory, { recursive: true })
    },
  }
}

async function start(config: Config, capabilityKeyFile: string): Promise<Service> {
  return await startService({ config, capabilityKeyFile, log: createDecisionLog({ level: 'silent' }) })
}

async function writeConfiguration(directory: string, { data, profile }: Table, jwk: object): Promise<string> {
  const config = {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    data: ['data.json'],
    issuers: [{ issuer, jwks: { file: 'jwks.json' }, algorithms: ['ES256'], audiences: ['mcp-gateway'] }],
    capabilities: { key: { file: 'key.pem' } },
    mcp: { profile },
  }
  await writeFile(join(directory, 'mcp-authz.yaml'), JSON.stringify(config))
  await writeFile(join(directory, 'data.json'), JSON.stringify(data))
  await writeFile(join(directory, 'jwks.json'), JSON.stringify({ keys: [jwk] }))
  await writeFile(join(directory, 'key.pem'), generateKeyPem())
  return join(directory, 'mcp-authz.yaml')
}

async function engineOf({ bundleFile, dataFiles }: Config): Promise<Engine> {
  return await loadEngine({ bundle: bundleFile, data: await loadData(dataFiles) })
}

async function inputOf(line: Case, profile: Table['profile'], authenticator: Authenticator): Promise<Input> {
  const authentication = await authenticator.authenticate({ kind: 'claims', claims: line.claims })
  if (!authentication.ok) throw new Error(`${line.name}: the claims name no subject: ${authentication.detail}`)
  const { method, server, virtualServer } = line.attempt
  const text = paramsText(line.attempt)
  const call = text === undefined ? { method } : { method, params: text }
  const reading = readCall(call, { server, virtualServer }, { ...read, profile })
  // A method nobody knows is refused before policy; policy, asked all the same, must refuse it too.
  const ask = reading.ok ? reading.asks[0] : { action: method, target: { type: 'server' as const } }
  if (ask === undefined) throw new Error(`${line.name}: nothing is asked`)
  const virtualServers = virtualServer === undefined ? [] : [virtualServer]
  const subject = { ...authentication.subject, ...line.cutDown }
  return buildInput({ subject, server, virtualServers, profile, action: ask.action, target: ask.target })
}

function askEngine(engine: Engine, input: Input): Answer {
  const { allow, reasons, resource } = engine.decide(input)
  return answerOf(allow, reasons, resource)
}

/** A request as a door that reads bytes gets it. */
interface Sent {
  readonly body: Uint8Array
  readonly server?: string | undefined
  readonly virtualServer?: string | undefined
}

function sentBy({ attempt }: Case): Sent {
  const { server, virtualServer } = attempt
  return { body: Buffer.from(messageText(attempt)), server, virtualServer }
}

async function askGrpc(client: Client, { body, server, virtualServer }: Sent, token: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const request = encodeCheckRequest({
    attributes: {
      request: { http: { method: 'POST', headers, raw_body: Buffer.from(body) } },
      context_extensions: {
        ...(server === undefined ? {} : { mcp_server: server }),
        ...(virtualServer === undefined ? {} : { mcp_virtual_server: virtualServer }),
      },
    },
  })
  return outcomeOf(await check(client, request))
}

async function askHttp(address: string, { claims, attempt }: Case): Promise<Answer> {
  const { server, virtualServer } = attempt
  const response = await fetch(`http://${address}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'identity', id: String(claims['sub'] ?? ''), properties: { claims } },
      action: { name: attempt.method },
      resource: {
        ...evaluatedResource(attempt),
        properties: { server, virtual_server: virtualServer, arguments: attempt.params?.['arguments'] },
      },
    }),
  })
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`)
  const { decision, context } = (await response.json()) as { decision: boolean; context: Pick<Decision, 'reasons'> }
  return answerOf(decision, context.reasons)
}

/** The resource of an AuthZEN evaluation. */
export function evaluatedResource({ method, params = {} }: Case['attempt']): { type: string; id: string } {
  const rule = ruleOf(method)
  if (rule?.kind === 'item') return { type: rule.type, id: String(params[rule.param]) }
  if (rule?.kind !== 'completion') return { type: 'server', id: 'the server' }
  const { type, name, uri } = params['ref'] as { type: string; name?: string; uri?: string }
  return { type: type === 'ref/prompt' ? 'prompt' : 'resource', id: name ?? uri ?? '' }
}

async function askCli(config: string, cwd: string, { claims, attempt }: Case): Promise<Answer> {
  await writeFile(join(cwd, 'claims.json'), JSON.stringify(claims))
  const { method, server, virtualServer } = attempt
  const text = paramsText(attempt)
  const optional = { params: text, server, 'virtual-server': virtualServer }
  const options = Object.entries(optional).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  )
  let out = ''
  const write = (chunk: string): boolean => {
    out += chunk
    return true
  }
  const argv = [
    'node',
    'mcp-authz',
    'check',
    '--config',
    config,
    '--claims',
    'claims.json',
    '--json',
    `--method=${method}`,
  ]
  const code = await run([...argv, ...options], { cwd, env: {}, out: { write }, err: process.stderr })
  const { allow, reasons, resource } = JSON.parse(out) as Decision
  if (code !== (allow ? 0 : 1)) throw new Error(`exit code ${code} beside allow ${allow}`)
  return answerOf(allow, reasons, resource)
}

interface Guards {
  ask(sent: Sent, token: string): Promise<Answer>
}

/** A guard for each server a case says the door knows; the handler behind it says that it was reached. */
function createGuards(authorizer: Authorizer, options: ReadOptions): Guards {
  const guards = new Map<string | undefined, Promise<Guard>>()
  const guardOf = (server: string | undefined): Promise<Guard> => {
    const found =
      guards.get(server) ?? createGuard({ authorizer, read: options, ...(server === undefined ? {} : { server }) })
    guards.set(server, found)
    return found
  }
  return {
    async ask({ body, server, virtualServer }, token) {
      const guard = await guardOf(server)
      let reached = false
      const guarded = guard.fetch(async () => {
        reached = true
        return Response.json({ jsonrpc: '2.0', id: 1, result: {} })
      })
      const headers = new Headers({ 'content-type': 'application/json', authorization: `Bearer ${token}` })
      if (virtualServer !== undefined) headers.set('x-mcp-virtualserver', virtualServer)
      const request = new Request('http://broker.test/mcp', { method: 'POST', headers, body: Buffer.from(body) })
      const response = await guarded(request)
      if (reached !== response.ok) throw new Error(`HTTP ${response.status}, but reached is ${reached}`)
      return response.ok ? 'allow' : await reasonIn(response)
    },
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.next`, text)
  await rename(`${file}.next`, file)
}

/** The revision that decides behind a running service. */
async function revisionAt(address: string): Promise<string> {
  const response = await fetch(`http://${address}/access/v1/evaluation`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      subject: { type: 'identity', id: 'u', properties: { claims: { sub: 'u' } } },
      action: { name: 'ping' },
      resource: { type: 'server', id: 'the server' },
    }),
  })
  const { context } = (await response.json()) as { context: Pick<Decision, 'revision'> }
  return context.revision
}

async function reasonIn(response: Response): Promise<Answer> {
  const { error } = (await response.json()) as { error: string | { data: { reason: string } } }
  return typeof error === 'string' ? error : error.data.reason
}

/** The first reason, or `allow`; with the resource where the door names it. */
function answerOf(allow: boolean, reasons: readonly { readonly code: string }[], resource?: DecidedResource): Answer {
  if (allow !== (reasons.length === 0)) throw new Error('reasons must be empty if and only if it is allowed')
  const answer = allow ? 'allow' : String(reasons[0]?.code)
  return resource === undefined ? answer : `${answer} ${placeOf(resource)}`
}

/** A resource in one line. */
export function placeOf({ type, server = '?', name = '' }: DecidedResource): string {
  return `${type} ${server} ${name}`
}
