import type { Subject } from '../identity/subject.ts'
import type { Read } from '../mcp/reading.ts'
import type { DecidedResource, Decision } from '../policy/decision.gen.ts'
import type { Engine } from '../policy/engine.ts'
import { buildInput } from '../policy/input.ts'
import { callerOf, digestOf } from './caller.ts'
import { denial, type Known } from './decision.ts'
import type { Scope } from './verdicts.ts'

/** Where it is kept whose task is whose. Implemented by src/state. */
export interface TaskBindings {
  /** Binds a value until `until` (seconds since the epoch), unless one is there; the value that is there then. */
  bind(key: string, value: string, until: number): Promise<string>
  bound(keys: readonly string[]): Promise<readonly (string | undefined)[]>
}

/** A task that an allowed call made. */
export interface MadeTask {
  readonly id: string
  /** Id of the server, where the door knows it. */
  readonly server: string | undefined
  /** The tool as the call named it. */
  readonly tool: string
  readonly subject: Subject
  /** Milliseconds for which its maker says that it is kept; undefined: it does not say, or without end. */
  readonly ttlMs: number | undefined
}

/** Binds a task to whoever made it. @throws {Error} where that cannot be kept, or the id is bound to others already */
export async function bindTask(bindings: TaskBindings, { id, server, tool, subject, ttlMs }: MadeTask): Promise<void> {
  const owner = callerOf(subject)
  if (owner === undefined) throw new Error('whoever has no name of their own cannot own a task')
  const value = JSON.stringify([owner, tool])
  const there = await bindings.bind(keyOf(server, id), value, Date.now() / 1000 + secondsOf(ttlMs))
  if (there !== value) throw new Error('a task of that id exists already, and was made by another call')
}

/**
 * The tools of those ids that are tasks of the subject: it made them, and their tool is still listed to it. Everything
 * else is as if it did not exist.
 * @throws {Error} where that cannot be known
 */
export async function ownTasks(
  bindings: TaskBindings,
  { engine, scope, server }: { readonly engine: Engine; readonly scope: Scope; readonly server: string | undefined },
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const owner = callerOf(scope.subject)
  const values = owner === undefined ? [] : await bindings.bound(ids.map((id) => keyOf(server, id)))
  const tools = new Map<string, string>()
  for (const [at, id] of ids.entries()) {
    const task = read(values[at])
    if (task !== undefined && task.owner === owner) tools.set(id, task.tool)
  }
  if (tools.size === 0) return tools
  const target = { type: 'tool', names: [...new Set(tools.values())] } as const
  const listed = new Set(engine.visible(buildInput({ ...scope, server, action: 'tools/call', target })))
  return new Map([...tools].filter(([, tool]) => listed.has(tool)))
}

/** The ids of the tasks that a request asks for. */
export function tasksIn({ asks }: Read): readonly string[] {
  return asks.flatMap(({ task }) => (task === undefined ? [] : [task]))
}

/** Whether a request is one of the methods of tasks. */
export function isOfTasks({ asks }: Read): boolean {
  return asks.some(({ action }) => action.startsWith('tasks/'))
}

/** The request as policy knows it, which has no tasks: what lists them or asks for one needs the server as a whole. */
export function withoutTasks(reading: Read): Read {
  const asks = reading.asks.map(({ action, target }) =>
    action.startsWith('tasks/') ? { action: 'tools/list', target } : { action, target },
  )
  return { ...reading, asks }
}

/** What policy decided of a request for tasks, which are `own` or not there. */
export function decidedOfTasks(
  decision: Decision,
  { reading, named, own }: { readonly reading: Read; readonly named: Known; readonly own: ReadonlyMap<string, string> },
): Decision {
  const said = isOfTasks(reading) ? { ...decision, action: named.action } : decision
  if (!decision.allow) return said
  const ids = tasksIn(reading)
  if (ids.some((id) => !own.has(id))) return denial('item_unknown', named)
  const [tool] = own.values()
  return reading.asks.length === 1 && tool !== undefined ? { ...said, resource: toolOf(tool, named) } : said
}

function toolOf(name: string, { resource }: Known): DecidedResource {
  return { ...(resource.server === undefined ? {} : { server: resource.server }), type: 'tool', name }
}

function keyOf(server: string | undefined, id: string): string {
  return `task:${digestOf([server ?? null, id])}`
}

const hour = 3600
const month = 30 * 24 * hour

/** A server may change its mind and keep a task for longer, but not for ever. */
function secondsOf(ttlMs = Number.POSITIVE_INFINITY): number {
  return Math.min(Math.max(ttlMs / 1000, 24 * hour), month)
}

function read(value: string | undefined): { readonly owner: string; readonly tool: string } | undefined {
  if (value === undefined) return undefined
  const [owner, tool]: readonly unknown[] = JSON.parse(value)
  return typeof owner === 'string' && typeof tool === 'string' ? { owner, tool } : undefined
}
