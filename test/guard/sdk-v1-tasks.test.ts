import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { expect, it, onTestFinished } from 'vitest'
import { createGuard, type Guard } from '../../src/guard/index.ts'
import { makePlace } from './place.ts'
import { bearer } from './requests.ts'

/** A server without sessions, so that every one of its tasks is open to everybody who knows, or lists, its id. */
function serverOf(taskStore: InMemoryTaskStore): McpServer {
  const capabilities = { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }
  const server = new McpServer({ name: 'tasks', version: '1' }, { capabilities, taskStore })
  server.experimental.tasks.registerToolTask(
    'weather_forecast',
    { execution: { taskSupport: 'required' } },
    {
      async createTask({ taskStore: store }) {
        const task = await store.createTask({ ttl: 60_000, pollInterval: 20 })
        await store.storeTaskResult(task.taskId, 'completed', { content: [{ type: 'text', text: 'sunny' }] })
        return { task }
      },
      getTask: async ({ taskId, taskStore: store }) => await store.getTask(taskId),
      getTaskResult: async ({ taskId, taskStore: store }) => (await store.getTaskResult(taskId)) as { content: [] },
    },
  )
  return server
}

async function connected(guard: Guard, taskStore: InMemoryTaskStore, token: string): Promise<Client> {
  const guarded = guard.fetch(async (request) => {
    const transport = new WebStandardStreamableHTTPServerTransport()
    await serverOf(taskStore).connect(transport)
    return await transport.handleRequest(request)
  })
  const client = new Client({ name: 'test', version: '1' })
  const transport = new StreamableHTTPClientTransport(new URL('http://mcp.test/mcp'), {
    requestInit: { headers: bearer(token) },
    fetch: async (url, init) => await guarded(new Request(url, init)),
  })
  // Their class and their interface differ under exactOptionalPropertyTypes.
  await client.connect(transport as Transport)
  onTestFinished(() => client.close())
  return client
}

it('lets clients of SDK v1 follow their own tasks to the end, and nobody the tasks of others', async () => {
  const place = await makePlace()
  const guard = await createGuard({ config: place.config })
  onTestFinished(async () => {
    await guard.close()
    await place.remove()
  })
  const store = new InMemoryTaskStore()
  const clientOf = async (subject: string): Promise<Client> =>
    await connected(guard, store, await place.token(subject, { roles: ['meteorologist'] }))
  const [alice, bob] = [await clientOf('alice'), await clientOf('bob')]
  await alice.listTools()
  const heard: string[] = []
  let id = ''
  for await (const message of alice.experimental.tasks.callToolStream({ name: 'weather_forecast' })) {
    heard.push(message.type)
    if (message.type === 'taskCreated') id = message.task.taskId
    if (message.type === 'result') expect(message.result).toMatchObject({ content: [{ text: 'sunny' }] })
  }
  expect(heard).toEqual(['taskCreated', 'taskStatus', 'result'])
  const own = async (client: Client): Promise<string[]> =>
    (await client.experimental.tasks.listTasks()).tasks.map(({ taskId }) => taskId)
  expect([await own(alice), await own(bob)]).toEqual([[id], []])
  expect(await alice.experimental.tasks.getTask(id)).toMatchObject({ taskId: id, status: 'completed' })
  for (const act of [
    bob.experimental.tasks.getTask(id),
    bob.experimental.tasks.getTaskResult(id),
    bob.experimental.tasks.cancelTask(id),
  ]) {
    await expect(act).rejects.toThrow('item_unknown')
  }
})
