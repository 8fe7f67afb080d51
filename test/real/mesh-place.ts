import { afterAll, beforeAll, expect } from 'vitest'
import { type Change, envoyConfig } from './envoy-config.ts'
import { type Envoy, envoyProgram, startEnvoy } from './envoy-process.ts'
import { type Installation, install, type ServiceProcess } from './installation.ts'
import { leaks } from './place.ts'
import { everything, type PlainServer, startPlainServer } from './plain-server.ts'

/** A plain MCP server behind an Envoy that filters lists, and the service as a process of its own. */
export interface Mesh {
  readonly installation: Installation
  readonly service: ServiceProcess
  readonly server: PlainServer
  readonly envoy: Envoy
}

/** What each person may use; the server has more. */
export const seen = {
  alice: {
    tools: ['forecast'],
    prompts: ['brief'],
    resources: ['weather://stations'],
    templates: ['weather://stations/{id}'],
  },
  bob: { tools: ['alerts', 'wipe'], prompts: ['summary'], resources: ['weather://secret'], templates: [] },
} as const

export type Person = keyof typeof seen

const data = {
  servers: { weather: { prefix: 'weather_', ...everything } },
  virtual_servers: { 'team/desk': { tools: ['weather_alerts', 'weather_forecast'] } },
  roles: {
    alice: {
      weather: ['tool:forecast', 'prompt:brief', 'resource:weather://stations', 'template:weather://stations/{id}'],
    },
    bob: { weather: ['tool:alerts', 'tool:wipe', 'prompt:summary', 'resource:weather://secret'] },
  },
}

/** Opens one for the tests of a file. After them no token may stand in a log. */
export function useMesh(listeners: Readonly<Record<string, Change>>): () => Mesh {
  let mesh: Mesh | undefined
  beforeAll(async () => {
    if (envoyProgram !== undefined) mesh = await openMesh(listeners)
  })
  afterAll(async () => {
    if (mesh === undefined) return
    const { installation, envoy, service, server } = mesh
    expect(leaks(installation.secrets(), (await envoy.written()) + service.log())).toEqual([])
    await envoy.stop()
    await Promise.all([service.kill('SIGTERM'), server.close()])
    await installation.remove()
  })
  return () => {
    if (mesh === undefined) throw new Error('the mesh is not open')
    return mesh
  }
}

/** What a person's client sends beside a body. */
export async function headersOf({ installation }: Mesh, person: Person): Promise<Record<string, string>> {
  return { authorization: `Bearer ${await installation.token({ subject: person, roles: [person] })}` }
}

/** Somebody asks for something, by hand; `headers` are further ones. */
export async function ask(mesh: Mesh, asked: Asked): Promise<Response> {
  const { person = 'alice', listener = 'documented', path = '/raw', method = 'tools/list', headers = {} } = asked
  return await fetch(`http://127.0.0.1:${mesh.envoy.port(listener)}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...('authorization' in headers ? {} : await headersOf(mesh, person)),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 'a 1', method, params: asked.params ?? {} }),
  })
}

export interface Asked {
  readonly person?: Person
  readonly listener?: string
  readonly path?: string
  readonly method?: string
  readonly params?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** A whole list, as a server that knows nothing of people answers. */
export const wholeList = {
  jsonrpc: '2.0',
  id: 'a 1',
  result: { tools: everything.tools.map((name) => ({ name, inputSchema: {} })), ttlMs: 9e9, cacheScope: 'public' },
}

/** What stands for an answer that could not be filtered. */
export const unfilterable = {
  jsonrpc: '2.0',
  id: 'a 1',
  error: { code: -32603, message: 'the answer could not be filtered' },
}

async function openMesh(listeners: Readonly<Record<string, Change>>): Promise<Mesh> {
  const installation = await install({ data })
  const service = await installation.spawn()
  const server = await startPlainServer()
  const ports = { authorizers: [service.grpcPort], upstream: server.port }
  const envoy = await startEnvoy((accessLog) => envoyConfig(accessLog, ports, listeners, 'lists'))
  return { installation, service, server, envoy }
}
