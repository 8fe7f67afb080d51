import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { type ConformanceServer, createConformanceServer, type Listening, listenTo } from './conformance-server.ts'
import { type Findings, revisions, runSuite, withToken } from './conformance-suite.ts'
import { addRoute, envoyConfig } from './envoy-config.ts'
import { type Envoy, envoyProgram, startEnvoy } from './envoy-process.ts'
import { type Installation, install, type RunningService } from './installation.ts'

/** A URI that the suite reads because no server has it: who may read everything may ask for it, too. */
const missing = 'test://nonexistent-resource-for-conformance-testing'
const everything = ['tool:*', 'prompt:*', 'resource:*', 'template:*']

let server: ConformanceServer
let bare: Listening
let installation: Installation
let token: string

beforeAll(async () => {
  server = createConformanceServer()
  bare = await listenTo(server.fetch)
  const data = { servers: { suite: await contentsOf(bare.port) }, roles: { all: { suite: everything } } }
  installation = await install({ data, maxBodyBytes: 1_048_576 })
  token = await installation.token({ roles: ['all'] })
})
afterAll(async () => {
  await server.close()
  await bare.close()
  await installation.remove()
})

/** Everything that the server lists, as a catalogue. */
async function contentsOf(port: number): Promise<object> {
  const client = new Client({ name: 'catalogue', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${port}/mcp`)))
  const { tools } = await client.listTools()
  const { prompts } = await client.listPrompts()
  const { resources } = await client.listResources()
  const { resourceTemplates } = await client.listResourceTemplates()
  await client.close()
  return {
    tools: tools.map(({ name }) => name),
    prompts: prompts.map(({ name }) => name),
    resources: [...resources.map(({ uri }) => uri), missing],
    templates: resourceTemplates.map(({ uriTemplate }) => uriTemplate),
  }
}

const found = new Map<string, Promise<Findings>>()

/** Once for each revision: every way through is held against the same run. */
async function bareFindings(revision: (typeof revisions)[number]): Promise<Findings> {
  const running = found.get(revision) ?? runSuite(bare.port, revision)
  found.set(revision, running)
  return await running
}

async function expectSame(way: string, port: number, revision: (typeof revisions)[number]): Promise<void> {
  const direct = await bareFindings(revision)
  const through = await runSuite(port, revision)
  const counts = Object.groupBy(Object.values(through.statuses), (status) => status)
  const text = Object.entries(counts).map(([status, { length = 0 } = []]) => `${length} ${status}`)
  process.stdout.write(`conformance ${revision}, ${way}: ${text.join(', ')}\n`)
  expect(through.statuses).toEqual(direct.statuses)
  expect(through.exitCode).toBe(0)
}

describe.each(revisions)('the official conformance suite, %s', (revision) => {
  test('passes the server itself, but for its missing tasks extension', { timeout: 120_000 }, async () => {
    const { exitCode, statuses, log } = await bareFindings(revision)
    expect(exitCode, log).toBe(0)
    const failed = Object.keys(statuses).filter((check) => statuses[check] === 'FAILURE')
    expect(failed.filter((check) => !check.startsWith('tasks-'))).toEqual([])
    expect(Object.keys(statuses).length).toBeGreaterThan(75)
  })

  describe('through the guard', () => {
    let guard: Guard
    let guarded: Listening
    let front: Listening
    beforeAll(async () => {
      guard = await createGuard({ config: installation.configFile, server: 'suite' })
      guarded = await listenTo(guard.fetch(server.fetch))
      front = await withToken(guarded.port, token)
    })
    afterAll(async () => {
      await front.close()
      await guarded.close()
      await guard.close()
    })

    test('finds the same for somebody who may use everything', { timeout: 240_000 }, async () => {
      await expectSame('guard', front.port, revision)
    })
  })

  describe.runIf(envoyProgram !== undefined)('through Envoy', () => {
    let service: RunningService
    let envoy: Envoy
    let front: Listening
    beforeAll(async () => {
      service = await installation.start()
      const ports = { authorizers: [service.grpcPort], upstream: bare.port }
      envoy = await startEnvoy((accessLog) =>
        envoyConfig(accessLog, ports, { suite: (manager) => addRoute(manager, '/mcp', { mcp_server: 'suite' }) }),
      )
      front = await withToken(envoy.port('suite'), token)
    })
    afterAll(async () => {
      await front.close()
      await envoy.stop()
      await service.stop()
    })

    test('finds the same for somebody who may use everything', { timeout: 240_000 }, async () => {
      await expectSame('Envoy', front.port, revision)
    })
  })
})
