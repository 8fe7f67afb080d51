import { bindTask, type TaskBindings } from '../authorizer/tasks.ts'
import type { Subject } from '../identity/subject.ts'
import { filterSse } from '../mcp/list.ts'
import { isObject, own } from '../mcp/message.ts'
import type { Read, RpcId } from '../mcp/reading.ts'

/** The call whose answer may be a task. */
export interface TaskMaking {
  readonly bindings: TaskBindings
  readonly tool: string
  readonly server: string | undefined
  readonly subject: Subject
  readonly rpcId: RpcId | undefined
  /** Told why a task could not be bound. */
  readonly onUnbound: (thrown: unknown) => void
}

/** What binds the task that may come of a request; undefined where none can. */
export function taskMaking(
  { asks, server, rpcId }: Read,
  rest: Pick<TaskMaking, 'bindings' | 'subject' | 'onUnbound'>,
): TaskMaking | undefined {
  const [ask] = asks
  if (ask?.mayMakeTask !== true || ask.target.type !== 'tool') return undefined
  return { ...rest, tool: ask.target.name, server, rpcId }
}

// A result as long as a guard without tasks would have passed on must not end its stream.
const maxEventBytes = 64 * 1024 * 1024

/**
 * Binds the task that an answer names to whoever called, before the answer leaves; where that fails the client gets an
 * error, since nobody could ever ask for the task. What cannot be read names no task that anybody may ask for.
 */
export async function withBoundTask(response: Response, making: TaskMaking): Promise<Response> {
  if (!response.ok || response.body === null) return response
  const type = (response.headers.get('content-type') ?? '').split(';', 1).join('').trim().toLowerCase()
  if (type === 'text/event-stream') {
    const bound = async (data: string): Promise<string> => ((await isBound(data, making)) ? data : unbound(making))
    return again(response, filterSse(response.body, bound, { maxEventBytes }))
  }
  if (type !== 'application/json') return response
  const bytes = await response.arrayBuffer()
  if (await isBound(new TextDecoder().decode(bytes), making)) return again(response, bytes)
  return new Response(unbound(making), {
    status: 500,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  })
}

/** False: a task is named that could not be bound. */
async function isBound(text: string, making: TaskMaking): Promise<boolean> {
  const task = text.includes('taskId') ? taskIn(text) : undefined
  if (task === undefined) return true
  try {
    const { bindings, tool, server, subject } = making
    await bindTask(bindings, { ...task, tool, server, subject })
    return true
  } catch (thrown) {
    making.onUnbound(thrown)
    return false
  }
}

interface NamedTask {
  readonly id: string
  readonly ttlMs: number | undefined
}

function taskIn(text: string): NamedTask | undefined {
  const message = parsed(text)
  const result = isObject(message) ? own(message, 'result') : undefined
  if (!isObject(result)) return undefined
  // The extension's stands in the result itself, that of 2025-11-25 under a key.
  const task = own(result, 'resultType') === 'task' ? result : own(result, 'task')
  const id = isObject(task) ? own(task, 'taskId') : undefined
  if (!isObject(task) || typeof id !== 'string') return undefined
  const ttl = own(task, 'ttlMs') ?? own(task, 'ttl')
  return { id, ttlMs: typeof ttl === 'number' ? ttl : undefined }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** JSON-RPC 2.0 section 5.1: internal error. */
function unbound({ rpcId }: TaskMaking): string {
  const error = { code: -32603, message: 'the task could not be bound to its caller' }
  return `{"jsonrpc":"2.0","id":${rpcId?.text ?? 'null'},"error":${JSON.stringify(error)}}`
}

function again(response: Response, body: ReadableStream<Uint8Array> | ArrayBuffer): Response {
  const { status, statusText } = response
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  return new Response(body, { status, statusText, headers })
}
