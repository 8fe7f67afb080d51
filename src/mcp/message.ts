import { isExactNumber } from './exact-json.ts'
import { type MethodRule, mirroredParamOf, ruleOf, type TaskRule, taskRuleOf, tasksExtension } from './methods.ts'
import type { Target } from './reading.ts'

/** One well-formed JSON-RPC message, before it was compared with any header. */
export interface Message {
  /** The method, or `response`. */
  readonly action: string
  /** The method as it stood in the body; absent for a response. */
  readonly method?: string
  /** Absent: the method is not known. That is said last, after the headers were compared. */
  readonly target?: Target
  /** The ids of the tasks that it asks for. */
  readonly tasks?: readonly string[]
  /** See `Ask.mayMakeTask`. */
  readonly mayMakeTask?: true
  /** What an `Mcp-Name` header has to say; absent where it must not be there. */
  readonly mirrored?: string
  /** `_meta["io.modelcontextprotocol/protocolVersion"]`; absent where it is not there, of any type where it is. */
  readonly metaVersion?: unknown
  /** `clientInfo.name` of `_meta`, or of `initialize`. */
  readonly clientName?: string
}

/** Why a message is refused. */
export interface MessageFault {
  readonly ok: false
  readonly code: 'body_malformed' | 'body_ambiguous'
  readonly detail: string
  /** The method, where it could be read; otherwise empty. */
  readonly action: string
}

export type MessageReading = { readonly ok: true; readonly message: Message } | MessageFault

/**
 * Reads one JSON value as one JSON-RPC 2.0 message of MCP: a request, a notification or a response. The value must
 * come from the strict parser, which has refused keys that stand twice. `tasks`: see `DoorKnowledge.tasks`.
 */
export function readMessage(value: unknown, { tasks = false }: { readonly tasks?: boolean } = {}): MessageReading {
  if (!isObject(value)) return fault('body_malformed', 'a JSON-RPC message must be an object', '')
  const method = own(value, 'method')
  const action = typeof method === 'string' ? method : ''
  const variant = variantFault(value) ?? envelopeFault(value)
  if (variant !== undefined) return fault(...variant, action)
  if (!Object.hasOwn(value, 'method')) return readResponse(value)
  if (Object.hasOwn(value, 'result') || Object.hasOwn(value, 'error'))
    return fault('body_ambiguous', 'a message must be a request or a response, not both', action)
  return readRequest(value, action, tasks)
}

/** Whether a value is a JSON object: neither null nor an array, nor a number that is kept as its source. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)
}

/** An own member of an object; undefined where it has none, which no JSON value is. */
export function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

type Code = MessageFault['code']
type Found = readonly [code: Code, detail: string]

function fault(code: Code, detail: string, action: string): MessageFault {
  return { ok: false, code, detail, action }
}

interface Reserved {
  readonly keys: ReadonlySet<string>
  /** With the flags i and u JavaScript compares by Unicode simple case folding. */
  readonly folded: RegExp
}

function reserve(...keys: readonly string[]): Reserved {
  return { keys: new Set(keys), folded: new RegExp(`^(?:${keys.join('|')})$`, 'iu') }
}

const topKeys = reserve('jsonrpc', 'id', 'method', 'params', 'result', 'error')
const paramsKeys = reserve('name', 'uri', 'ref', 'taskId', 'arguments', '_meta')
const refKeys = reserve('type', 'name', 'uri')
const listenParamsKeys = reserve('notifications')
const listenKeys = reserve('resourceSubscriptions', 'taskIds')

/** Readers that compare keys without case (Go's encoding/json) would see another message than we do. */
function variantFault(message: Readonly<Record<string, unknown>>): Found | undefined {
  if (hasVariant(message, topKeys)) return variantOf('the message')
  const params = own(message, 'params')
  if (!isObject(params)) return undefined
  if (hasVariant(params, paramsKeys)) return variantOf('params')
  if (hasVariant(own(params, 'ref'), refKeys)) return variantOf('params.ref')
  if (own(message, 'method') !== 'subscriptions/listen') return undefined
  if (hasVariant(params, listenParamsKeys)) return variantOf('params')
  return hasVariant(own(params, 'notifications'), listenKeys) ? variantOf('params.notifications') : undefined
}

function hasVariant(value: unknown, reserved: Reserved): boolean {
  return isObject(value) && Object.keys(value).some((key) => reserved.folded.test(key) && !reserved.keys.has(key))
}

function variantOf(place: string): Found {
  return ['body_ambiguous', `a key of ${place} differs from a reserved one in case only; spell it exactly`]
}

function envelopeFault(message: Readonly<Record<string, unknown>>): Found | undefined {
  if (own(message, 'jsonrpc') !== '2.0') return ['body_malformed', 'jsonrpc must be "2.0"']
  if (!['undefined', 'string', 'number'].includes(typeof own(message, 'id')))
    return ['body_malformed', 'id must be a string or a number']
  if (Object.hasOwn(message, 'method') && typeof message['method'] !== 'string')
    return ['body_malformed', 'method must be a string']
  if (Object.hasOwn(message, 'params') && !isObject(message['params']))
    return ['body_malformed', 'params must be an object']
  return undefined
}

function readResponse(message: Readonly<Record<string, unknown>>): MessageReading {
  if (!Object.hasOwn(message, 'id')) return fault('body_malformed', 'a message without method needs an id', '')
  if (Object.hasOwn(message, 'result') === Object.hasOwn(message, 'error'))
    return fault('body_malformed', 'a message without method needs exactly one of result and error', '')
  return { ok: true, message: { action: 'response', target: { type: 'server' }, ...metaVersionOf(message) } }
}

function readRequest(message: Readonly<Record<string, unknown>>, method: string, withTasks: boolean): MessageReading {
  const isModern = metaVersionOf(message).metaVersion !== undefined
  const rule = ruleOf(method) ?? (withTasks ? taskRuleOf(method, isModern) : undefined)
  if (rule !== undefined && rule.kind !== 'server' && !Object.hasOwn(message, 'id'))
    return fault('body_malformed', 'the method needs an id', method)
  const params = paramsOf(message)
  const mirrored = mirroredOf(method, params)
  if (mirrored.wrong && rule !== undefined) return fault('body_malformed', 'the name or uri must be a string', method)
  const wanted = rule === undefined ? undefined : targetOf(rule, params, withTasks)
  const target = typeof wanted === 'string' && isRemoved(method, message) ? undefined : wanted
  if (typeof target === 'string') return fault('body_malformed', target, method)
  return {
    ok: true,
    message: {
      action: method,
      method,
      ...(target === undefined ? {} : { target }),
      ...(rule === undefined || !withTasks ? {} : taskMembersOf(rule, method, params)),
      ...(mirrored.value === undefined ? {} : { mirrored: mirrored.value }),
      ...metaVersionOf(message),
      ...clientNameOf(method, params),
    },
  }
}

/** What a message says of tasks: those it names, and whether it may make one. */
function taskMembersOf(
  rule: MethodRule | TaskRule,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Pick<Message, 'tasks' | 'mayMakeTask'> {
  const tasks = tasksOf(rule, params)
  const mayMake = method === 'tools/call' && allowsTask(params)
  return { ...(tasks.length === 0 ? {} : { tasks }), ...(mayMake ? { mayMakeTask: true } : {}) }
}

/** Removed in 2026-07-28: whoever asks for it in that version without a URI asks for nothing that is known. */
function isRemoved(method: string, message: Readonly<Record<string, unknown>>): boolean {
  return method === 'resources/subscribe' && metaVersionOf(message).metaVersion !== undefined
}

function paramsOf(message: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const params = own(message, 'params')
  return isObject(params) ? params : {}
}

function mirroredOf(method: string, params: Readonly<Record<string, unknown>>): { value?: string; wrong: boolean } {
  const param = mirroredParamOf(method)
  const value = param === undefined ? undefined : own(params, param)
  return typeof value === 'string' ? { value, wrong: false } : { wrong: value !== undefined }
}

/** `_meta["io.modelcontextprotocol/protocolVersion"]` of a message, where it is there. */
export function metaVersionOf(message: Readonly<Record<string, unknown>>): { metaVersion?: unknown } {
  const meta = own(paramsOf(message), '_meta')
  const key = 'io.modelcontextprotocol/protocolVersion'
  return isObject(meta) && Object.hasOwn(meta, key) ? { metaVersion: meta[key] } : {}
}

/** Whether the client of a message says that it knows the extension for tasks. */
export function knowsTasks(message: Readonly<Record<string, unknown>>): boolean {
  return declaresTasks(paramsOf(message))
}

function clientNameOf(method: string, params: Readonly<Record<string, unknown>>): { clientName?: string } {
  const meta = own(params, '_meta')
  const ofMeta = isObject(meta) ? own(meta, 'io.modelcontextprotocol/clientInfo') : undefined
  const info = ofMeta ?? (method === 'initialize' ? own(params, 'clientInfo') : undefined)
  const clientName = isObject(info) ? own(info, 'name') : undefined
  return typeof clientName === 'string' ? { clientName } : {}
}

/** The target, what is wrong with the params, or nothing where they ask for what is not known. */
function targetOf(
  rule: MethodRule | TaskRule,
  params: Readonly<Record<string, unknown>>,
  withTasks: boolean,
): Target | string | undefined {
  switch (rule.kind) {
    case 'item':
      return calledOf(itemOf(rule.type, own(params, rule.param), `params.${rule.param} must be a string`), params)
    case 'completion':
      return completionOf(own(params, 'ref'))
    case 'listen':
      return listenOf(params, withTasks)
    case 'task':
      return typeof own(params, 'taskId') === 'string' ? { type: 'server' } : 'params.taskId must be a string'
    case 'server':
      return { type: 'server' }
  }
}

function itemOf(type: 'tool' | 'prompt' | 'resource', name: unknown, otherwise: string): Target | string {
  return typeof name === 'string' ? { type, name } : otherwise
}

function calledOf(item: Target | string, params: Readonly<Record<string, unknown>>): Target | string {
  if (typeof item === 'string' || (item.type !== 'tool' && item.type !== 'prompt')) return item
  return { ...item, arguments: Object.hasOwn(params, 'arguments') ? params['arguments'] : {} }
}

function completionOf(ref: unknown): Target | string {
  if (!isObject(ref)) return 'params.ref must be an object'
  switch (own(ref, 'type')) {
    case 'ref/prompt':
      return itemOf('prompt', own(ref, 'name'), 'params.ref.name must be a string')
    case 'ref/resource':
      return itemOf('resource', own(ref, 'uri'), 'params.ref.uri must be a string')
    default:
      return 'params.ref.type must be ref/prompt or ref/resource'
  }
}

function listenOf(params: Readonly<Record<string, unknown>>, withTasks: boolean): Target | string | undefined {
  if (!Object.hasOwn(params, 'notifications')) return { type: 'server' }
  const notifications = params['notifications']
  if (!isObject(notifications)) return 'params.notifications must be an object'
  const names = Object.hasOwn(notifications, 'resourceSubscriptions') ? notifications['resourceSubscriptions'] : []
  if (!isStrings(names)) return 'params.notifications.resourceSubscriptions must be an array of strings'
  if (Object.hasOwn(notifications, 'taskIds')) {
    if (!withTasks) return undefined
    if (!isStrings(notifications['taskIds'])) return 'params.notifications.taskIds must be an array of strings'
  }
  return names.length === 0 ? { type: 'server' } : { type: 'resource', names }
}

function tasksOf(rule: MethodRule | TaskRule, params: Readonly<Record<string, unknown>>): readonly string[] {
  const notifications = own(params, 'notifications')
  const listened = isObject(notifications) ? own(notifications, 'taskIds') : undefined
  if (rule.kind === 'listen') return isStrings(listened) ? [...new Set(listened)] : []
  const id = own(params, 'taskId')
  return rule.kind === 'task' && typeof id === 'string' ? [id] : []
}

/** By `params.task` in 2025-11-25, by a capability of the client in the extension (SEP-2663). */
function allowsTask(params: Readonly<Record<string, unknown>>): boolean {
  return Object.hasOwn(params, 'task') || declaresTasks(params)
}

function declaresTasks(params: Readonly<Record<string, unknown>>): boolean {
  const meta = own(params, '_meta')
  const capabilities = isObject(meta) ? own(meta, 'io.modelcontextprotocol/clientCapabilities') : undefined
  const extensions = isObject(capabilities) ? own(capabilities, 'extensions') : undefined
  return isObject(extensions) && Object.hasOwn(extensions, tasksExtension)
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}
