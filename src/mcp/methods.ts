/** What a method asks for, and where its name stands. A method without a rule is unknown and denied. */
export type MethodRule =
  /** One item, named by a param. */
  | { readonly kind: 'item'; readonly type: 'tool' | 'prompt' | 'resource'; readonly param: 'name' | 'uri' }
  /** The prompt or resource that `params.ref` names. */
  | { readonly kind: 'completion' }
  /** The resources that `params.notifications.resourceSubscriptions` names. */
  | { readonly kind: 'listen' }
  /** The server as a whole. */
  | { readonly kind: 'server' }

/** What a method of tasks asks for: the task that `params.taskId` names, or the server as a whole. */
export type TaskRule = { readonly kind: 'task' } | { readonly kind: 'server' }

const server = { kind: 'server' } as const
const resource = { kind: 'item', type: 'resource', param: 'uri' } as const

const rules = {
  'tools/call': { kind: 'item', type: 'tool', param: 'name' },
  'prompts/get': { kind: 'item', type: 'prompt', param: 'name' },
  'resources/read': resource,
  'resources/subscribe': resource,
  'completion/complete': { kind: 'completion' },
  'subscriptions/listen': { kind: 'listen' },
  initialize: server,
  ping: server,
  'server/discover': server,
  'tools/list': server,
  'prompts/list': server,
  'resources/list': server,
  'resources/templates/list': server,
  'resources/unsubscribe': server,
  'logging/setLevel': server,
} satisfies Record<string, MethodRule>

const mirrors = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'resources/subscribe': 'uri',
  'resources/unsubscribe': 'uri',
} satisfies Record<string, MirroredParam>

/** A param that the `Mcp-Name` header repeats (SEP-2243, SEP-2663). */
export type MirroredParam = 'name' | 'uri' | 'taskId'

const task = { kind: 'task' } as const

/** The extension that has tasks since 2026-07-28 (SEP-2663). */
export const tasksExtension = 'io.modelcontextprotocol/tasks'

/** Of the core of 2025-11-25, and of the extension. */
const taskRules = {
  'tasks/get': task,
  'tasks/result': task,
  'tasks/update': task,
  'tasks/cancel': task,
  'tasks/list': server,
} satisfies Record<string, TaskRule>

const ruleOfMethod: ReadonlyMap<string, MethodRule> = new Map(Object.entries(rules))
const ruleOfTaskMethod: ReadonlyMap<string, TaskRule> = new Map(Object.entries(taskRules))
const mirrorOfMethod: ReadonlyMap<string, MirroredParam> = new Map(Object.entries(mirrors))

/** The rule of a method; undefined for one that is not known, `tasks/*` among them. Methods are compared exactly. */
export function ruleOf(method: string): MethodRule | undefined {
  return ruleOfMethod.get(method) ?? (/^notifications\/./su.test(method) ? server : undefined)
}

/** Of the tasks of 2025-11-25, and no longer of the extension that came after them (SEP-2663). */
const removedTaskMethods: ReadonlySet<string> = new Set(['tasks/result', 'tasks/list'])

/**
 * The rule of a method of tasks, for doors that know whose each task is.
 * @param modern - whether the request names its version in `_meta`, as those since 2026-07-28 do
 */
export function taskRuleOf(method: string, modern: boolean): TaskRule | undefined {
  return modern && removedTaskMethods.has(method) ? undefined : ruleOfTaskMethod.get(method)
}

/** Which param `Mcp-Name` repeats for a method; undefined where the header has no meaning. */
export function mirroredParamOf(method: string): MirroredParam | undefined {
  return mirrorOfMethod.get(method) ?? (method.startsWith('tasks/') ? 'taskId' : undefined)
}

/** The tools that Kuadrant's broker answers itself. */
export const brokerTools: readonly string[] = ['discover_tools', 'select_tools', 'list_tags', 'filter_tools_by_tags']

/** Every protocol version of MCP that was published, oldest first. */
export const publishedVersions: readonly string[] = [
  '2024-11-05',
  '2025-03-26',
  '2025-06-18',
  '2025-11-25',
  '2026-07-28',
]
