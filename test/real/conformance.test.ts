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

/**
 * The checks that need `tasks/*`. Envoy's ext_authz sees no answers, so that it cannot know whose a task is, and denies these
 * methods as `method_unknown`. Checks of `tools/call` alone, and of methods that the extension removed, pass all the same.
 */
const deniedInEnvoy = {
  '2025-11-25': [],
  '2026-07-28': [
    'tasks-capability-negotiation:sep-2663-tasks-methods-non-declaring#1',
    'tasks-dispatch-and-envelope:sep-2663-durable-create-strong-consistency#1',
    'tasks-dispatch-and-envelope:sep-2663-tasks-get-invalid-task-id-32602#1',
    'tasks-dispatch-and-envelope:tasks-result-type-complete-on-non-task-responses#1',
    'tasks-lifecycle:sep-2663-cancel-ack-empty-result#1',
    'tasks-lifecycle:sep-2663-tasks-get-status-completed#1',
    'tasks-lifecycle:sep-2663-tasks-get-status-failed#1',
    'tasks-lifecycle:sep-2663-tasks-get-status-working#1',
    'tasks-lifecycle:sep-2663-tool-error-uses-completed-status#1',
    'tasks-lifecycle:tasks-cancel-terminal-idempotent-ack#1',
    'tasks-mrtr-composition:sep-2663-mrtr-synchronous-before-task-creation#1',
    'tasks-mrtr-input:sep-2663-tasks-get-status-input-required#1',
    'tasks-mrtr-input:tasks-mrtr-partial-fulfillment#1',
    'tasks-mrtr-input:tasks-mrtr-tasks-update-resumes#1',
    'tasks-request-headers:sep-2663-routing-headers-accepted-on-tasks-get#1',
    'tasks-request-state-removal:tasks-get-detailed-no-request-state#1',
    'tasks-wire-fields:tasks-no-early-ttl-expiry#1',
    'tasks-wire-fields:tasks-no-related-task-meta-on-inlined-result#1',
  ],
} as const

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

type Revision = (typeof revisions)[number]

const found = new Map<string, Promise<Findings>>()

/** Once for each revision: every way through is held against the same run. */
async function bareFindings(revision: Revision): Promise<Findings> {
  const running = found.get(revision) ?? runSuite(bare.port, revision)
  found.set(revision, running)
  return await running
}

/** How the suite tells of a denial `method_unknown`: by its message, or by its code where it expects another one. */
const ofMethodUnknown = /^the method is not known$|; got -32601\b/

/**
 * The same check by check, but for those that are `denied`: each of them passes bare and fails there, for that reason alone.
 * A check that leaves or joins them is a difference.
 */
async function expectSame(
  way: string,
  { port, revision, denied = [] }: { port: number; revision: Revision; denied?: readonly string[] },
): Promise<void> {
  const direct = await bareFindings(revision)
  const through = await runSuite(port, revision)
  const counts = Object.groupBy(Object.values(through.statuses), (status) => status)
  const text = Object.entries(counts).map(([status, { length = 0 } = []]) => `${length} ${status}`)
  process.stdout.write(`conformance ${revision}, ${way}: ${text.join(', ')}\n`)
  expect(denied.filter((check) => direct.statuses[check] !== 'SUCCESS')).toEqual([])
  expect(denied.filter((check) => !ofMethodUnknown.test(through.errors[check] ?? ''))).toEqual([])
  const failing = Object.fromEntries(denied.map((check) => [check, 'FAILURE']))
  expect(through.statuses).toEqual({ ...direct.statuses, ...failing })
  expect(through.exitCode).toBe(0)
}

describe.each(revisions)('the official conformance suite, %s', (revision) => {
  test('passes the server itself, tasks among the rest', { timeout: 120_000 }, async () => {
    const { exitCode, statuses, log } = await bareFindings(revision)
    expect(exitCode, log).toBe(0)
    const checks = Object.keys(statuses)
    expect(checks.filter((check) => statuses[check] === 'FAILURE')).toEqual([])
    expect(checks.length).toBeGreaterThan(75)
    const ofTasks = checks.filter((check) => check.startsWith('tasks-') && statuses[check] === 'SUCCESS')
    expect(ofTasks).toHaveLength(revision === '2026-07-28' ? 44 : 0)
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
      await expectSame('guard', { port: front.port, revision })
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

    test('finds the same for somebody who may use everything, but for tasks/*', { timeout: 240_000 }, async () => {
      await expectSame('Envoy', { port: front.port, revision, denied: deniedInEnvoy[revision] })
    })
  })
})
