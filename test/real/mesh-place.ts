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

async function openMesh(listeners: Readonly<Record<string, Change>>): Promise<Mesh> {
  const installation = await install({ data })
  const service = await installation.spawn()
  const server = await startPlainServer()
  const ports = { authorizers: [service.grpcPort], upstream: server.port }
  const envoy = await startEnvoy((accessLog) => envoyConfig(accessLog, ports, listeners, 'lists'))
  return { installation, service, server, envoy }
}
