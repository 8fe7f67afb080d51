import { randomUUID } from 'node:crypto'
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  fromJsonSchema,
  type InputRequests,
  inputRequired,
  inputResponse,
  type McpServer,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { textOf } from './conformance-content.ts'

/** What a server that has tasks says under `capabilities`, and its clients in every request (SEP-2663). */
export const tasksExtension: Record<string, Record<string, never>> = { 'io.modelcontextprotocol/tasks': {} }

/** Every task, whoever made it: to know whose they are is left to what stands in front. */
export interface Tasks {
  /** Whether the request is for a server of tasks, by the headers that the SDK holds against the body. */
  isFor(request: Request): boolean
  /** For one request, as the others of `createMcpHandler` are. */
  server(): Server
}

/** Makes the tasks that the tools of the suite run as. */
export function createTasks(): Tasks {
  const tasks = new Map<string, Task>()
  return {
    isFor({ headers }) {
      const method = headers.get('mcp-method')
      return method === 'tools/call' ? toolOf(headers.get('mcp-name')) !== undefined : methods.has(method ?? '')
    },
    server() {
      const server = new Server({ name: 'conformance', version: '1.0.0' }, { capabilities: { tools: {} } })
      // A handler of its own for tools/call is given `content` by the SDK, which has no results that are tasks.
      server.fallbackRequestHandler = async ({ method, params }, ctx) => {
        if (method !== 'tools/call') throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found')
        return called(tasks, { name: String(params?.['name']), args: params?.['arguments'] }, ctx)
      }
      for (const [method, answer] of methods) {
        server.setRequestHandler(method, { params: taskParams }, ({ taskId }, ctx) => {
          needTasks(ctx)
          const task = tasks.get(taskId)
          if (task === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Task not found')
          return answer(task, ctx)
        })
      }
      return server
    },
  }
}

/** Registers the tools that run as tasks, for lists, and for clients of older versions, which have no tasks. */
export function registerTaskTools(server: McpServer): void {
  for (const [name, { properties = {}, atOnce }] of Object.entries(tools)) {
    const inputSchema = fromJsonSchema({ type: 'object', properties })
    server.registerTool(name, { description: `${name}, as a task`, inputSchema }, () => {
      if (atOnce === undefined) throw new Error('the tool runs as a task alone')
      return atOnce
    })
  }
}

type End =
  | { readonly status: 'completed'; readonly result: CallToolResult }
  | { readonly status: 'failed'; readonly error: { readonly code: number; readonly message: string } }

type Answers = Readonly<Record<string, unknown>>

interface TaskTool {
  /** What is asked before there is a task (SEP-2322), and by the task. */
  readonly asksBefore?: InputRequests
  readonly asks?: InputRequests
  /** What a client without tasks gets; absent: it may not call the tool. */
  readonly atOnce?: CallToolResult
  readonly properties?: Readonly<Record<string, { readonly type: 'string' | 'number' }>>
  /** What comes of it, by what was answered before. */
  readonly ends: (before: Answers) => End
}

interface Task {
  readonly id: string
  readonly createdAt: number
  /** When it is done, if nothing is asked then: no timer runs for it. */
  readonly endsAt: number
  readonly end: End
  asks: InputRequests
  updatedAt: number
  isCancelled: boolean
}

function elicit(message: string, key: string, type: 'string' | 'boolean'): InputRequests[string] {
  const properties = type === 'string' ? { [key]: { type } } : { [key]: { type } }
  return inputRequired.elicit({ message, requestedSchema: { type: 'object', properties, required: [key] } })
}

const completed = (text: string, isError = false): End => ({
  status: 'completed',
  result: { content: [textOf(text)], ...(isError ? { isError } : {}) },
})

const tools: Readonly<Record<string, TaskTool>> = {
  slow_compute: {
    atOnce: { content: [textOf('computed')] },
    properties: { seconds: { type: 'number' }, label: { type: 'string' } },
    ends: () => completed('computed'),
  },
  failing_job: { ends: () => completed('the job failed', true) },
  protocol_error_job: { ends: () => ({ status: 'failed', error: { code: -32603, message: 'the job broke' } }) },
  confirm_delete: {
    properties: { filename: { type: 'string' } },
    asks: { confirm: elicit('Delete it?', 'confirm', 'boolean') },
    ends: () => completed('deleted'),
  },
  multi_input: {
    asks: { first: elicit('Your name?', 'name', 'string'), second: elicit('And the other one?', 'name', 'string') },
    ends: () => completed('both came'),
  },
  test_tool_with_task: {
    asksBefore: { user_name: elicit('What is your name?', 'name', 'string') },
    ends: (before) => completed(`Hello: ${JSON.stringify(before)}`),
  },
}

function toolOf(name: string | null): TaskTool | undefined {
  return name !== null && Object.hasOwn(tools, name) ? tools[name] : undefined
}

const taskParams = fromJsonSchema<{ readonly taskId: string }>({
  type: 'object',
  properties: { taskId: { type: 'string' } },
  required: ['taskId'],
})

const methods = new Map<string, (task: Task, ctx: ServerContext) => Result>([
  ['tasks/get', (task) => ({ ...envelopeOf(task), ...stateOf(task) })],
  ['tasks/update', (task, { mcpReq }) => updated(task, mcpReq.inputResponses ?? {})],
  ['tasks/cancel', cancelled],
])

function called(
  tasks: Map<string, Task>,
  { name, args }: { readonly name: string; readonly args: unknown },
  ctx: ServerContext,
): Result {
  const tool = toolOf(name)
  if (tool === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${name} not found`)
  const { asksBefore = {}, asks = {}, atOnce } = tool
  if (atOnce !== undefined && !hasTasks(ctx)) return atOnce
  needTasks(ctx)
  const answers = ctx.mcpReq.inputResponses ?? {}
  const isAnswered = Object.keys(asksBefore).every((key) => inputResponse(answers, key).kind !== 'missing')
  if (!isAnswered) return inputRequired({ inputRequests: asksBefore })
  const seconds = Number(Object(args).seconds ?? 0)
  const now = Date.now()
  const task: Task = {
    id: randomUUID(),
    createdAt: now,
    endsAt: now + seconds * 1000,
    end: tool.ends(answers),
    asks,
    updatedAt: now,
    isCancelled: false,
  }
  tasks.set(task.id, task)
  return { resultType: 'task', ...envelopeOf(task) }
}

/** What every form of a task has. */
function envelopeOf(task: Task): object {
  const { id, createdAt, endsAt, updatedAt } = task
  return {
    taskId: id,
    status: stateOf(task).status,
    createdAt: new Date(createdAt).toISOString(),
    lastUpdatedAt: new Date(Math.max(updatedAt, Math.min(endsAt, Date.now()))).toISOString(),
    ttlMs: 60_000,
    pollIntervalMs: 100,
  }
}

type State =
  | End
  | { readonly status: 'working' | 'cancelled' | 'input_required'; readonly inputRequests?: InputRequests }

function stateOf({ asks, endsAt, end, isCancelled }: Task): State {
  if (isCancelled) return { status: 'cancelled' }
  if (Object.keys(asks).length > 0) return { status: 'input_required', inputRequests: asks }
  return Date.now() < endsAt ? { status: 'working' } : end
}

/** Answers that nobody asked for are let pass, as the extension has it. */
function updated(task: Task, responses: Answers): Result {
  task.asks = Object.fromEntries(Object.entries(task.asks).filter(([key]) => !Object.hasOwn(responses, key)))
  task.updatedAt = Date.now()
  return {}
}

function cancelled(task: Task): Result {
  const { status } = stateOf(task)
  if (status === 'working' || status === 'input_required')
    Object.assign(task, { isCancelled: true, updatedAt: Date.now() })
  return {}
}

function hasTasks({ mcpReq }: ServerContext): boolean {
  const envelope: Readonly<Record<string, unknown>> = { ...mcpReq.envelope }
  const { extensions } = Object(envelope[CLIENT_CAPABILITIES_META_KEY]) as { readonly extensions?: unknown }
  return Object.keys(tasksExtension).every((key) => Object.hasOwn(Object(extensions), key))
}

function needTasks(ctx: ServerContext): void {
  if (hasTasks(ctx)) return
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { extensions: tasksExtension } })
}
