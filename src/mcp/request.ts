import { contentFault, lengthFault, partialFault, unexpectedBodyFault } from './content.ts'
import {
  type Fault,
  type Headers,
  headerOf,
  mcpHeaderFault,
  protocolVersionOf,
  sessionOf,
  unpublishedVersion,
  versionFault,
} from './headers.ts'
import { parseStrictJson, parseStrictText, type StrictJson } from './json.ts'
import { isObject, knowsTasks, type Message, metaVersionOf, own, readMessage } from './message.ts'
import { ruleOf } from './methods.ts'
import type { Ask, DoorKnowledge, HttpRequest, Read, Reading, ReadOptions, Refused, RpcId } from './reading.ts'
import {
  brokerToolIn,
  forbiddenFault,
  initHostFault,
  nameHeaders,
  type Routing,
  routedTarget,
  routerHeaderFault,
  routingOf,
  unremovableFault,
  virtualServersOf,
} from './router-headers.ts'

/** A method and its params, where no HTTP request carried them (command line, AuthZEN). */
export interface Call {
  readonly method: string
  /** JSON text; absent: a message without params. */
  readonly params?: string
}

/**
 * Reads an HTTP request strictly, by the contract's section 7: the first rule that it breaks is the answer. Never
 * throws, whatever the bytes are.
 */
export function readHttp(request: HttpRequest, door: DoorKnowledge, options: ReadOptions): Reading {
  const context = { headers: request.headers, door, options }
  switch (request.method) {
    case 'POST':
      return request.body.byteLength === 0 ? readRouted(context) : readPost(request.body, context)
    case 'GET':
    case 'DELETE':
      return readStream(request.method, request.body.byteLength, context)
    default:
      return refuse({ code: 'method_unknown', detail: 'the HTTP method must be POST, GET or DELETE' })
  }
}

/** Reads a bare call by the same rules as a body. The size limit is on the params' text. */
export function readCall(call: Call, door: DoorKnowledge, options: ReadOptions): Reading {
  const context = { headers: new Map(), door, options }
  const { params } = call
  const { maxBodyBytes, maxDepth } = options
  if (params !== undefined && Buffer.byteLength(params) > maxBodyBytes) return refuse(tooLarge)
  // Read alone first, so that the text cannot end its place in the message and go on after it.
  const alone = params === undefined ? undefined : parseStrictText(params, { maxDepth: maxDepth - 1 })
  if (alone?.ok === false) return refuse(alone)
  const start = `{"jsonrpc":"2.0","id":0,"method":${JSON.stringify(call.method)}`
  const parsed = parseStrictText(params === undefined ? `${start}}` : `${start},"params":${params}}`, { maxDepth })
  return parsed.ok ? readSingle(parsed.value, context) : refuse(parsed)
}

interface Context {
  readonly headers: Headers
  readonly door: DoorKnowledge
  readonly options: ReadOptions
}

const tooLarge: Fault = { code: 'body_too_large', detail: 'the body is over mcp.maxBodyBytes' }

/** More elements than that in a batch are refused. */
const maxBatch = 256

function refuse(fault: Fault, action = ''): Refused {
  return { ok: false, code: fault.code, detail: fault.detail, action }
}

function readStream(action: 'GET' | 'DELETE', bytes: number, { headers, door }: Context): Reading {
  const fault =
    unexpectedBodyFault(headers, bytes) ??
    partialFault(headers) ??
    initHostFault(headers, door, undefined) ??
    mcpHeaderFault(headers, {}) ??
    versionFault(headers, undefined)
  if (fault !== undefined) return refuse(fault, action)
  const protocolVersion = protocolVersionOf(headers, undefined)
  const session = sessionOf(headers)
  return {
    ok: true,
    asks: [{ action, target: { type: 'server' } }],
    batch: false,
    ...(door.server === undefined ? {} : { server: door.server }),
    virtualServers: virtualServersOf(headers, door),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(session === undefined ? {} : { session }),
    brokerAnswers: true,
    withoutRemovals: false,
  }
}

function readPost(body: Uint8Array, context: Context): Reading {
  const { headers, options } = context
  const fault = contentFault(headers) ?? partialFault(headers) ?? lengthFault(headers, body.byteLength)
  if (body.byteLength > options.maxBodyBytes) return refuse(fault ?? tooLarge)
  // Also of what is refused already: whoever sent a request with an id waits for an answer that has it.
  const parsed = parseStrictJson(body, { maxDepth: options.maxDepth, sourceOf: 'id' })
  // Kuadrant's router drops its upstream session at a 404, which is what naming a version leads to.
  const inSession = options.profile === 'kuadrant' || headers.has('mcp-session-id')
  const rpcId = rpcIdOf(parsed, inSession)
  const reading = fault === undefined ? readParsed(parsed, context) : refuse(fault)
  if (rpcId === undefined) return reading
  if (reading.ok) return { ...reading, rpcId: { ...rpcId, ...tasksIn(reading, rpcId, parsed.value) } }
  const unsupportedVersion = unsupportedIn(reading, headers, parsed.value)
  return { ...reading, rpcId: { ...rpcId, ...(unsupportedVersion === undefined ? {} : { unsupportedVersion }) } }
}

function tasksIn({ asks }: Read, { version }: RpcId, body: unknown): Pick<RpcId, 'tasks'> {
  const isOfTasks = asks.some(({ action, task }) => task !== undefined && action.startsWith('tasks/'))
  if (!isOfTasks || !isObject(body)) return {}
  return { tasks: version === undefined || knowsTasks(body) ? 'declared' : 'undeclared' }
}

/** The version that a request was refused for. */
function unsupportedIn({ code }: Refused, headers: Headers, body: unknown): string | undefined {
  if (code !== 'version_unsupported') return undefined
  const reading = readMessage(body)
  return unpublishedVersion(headers, reading.ok ? reading.message.metaVersion : undefined)
}

function readParsed(parsed: StrictJson, context: Context): Reading {
  if (!parsed.ok) return refuse(parsed)
  return Array.isArray(parsed.value) ? readBatch(parsed.value, context) : readSingle(parsed.value, context)
}

function rpcIdOf({ value, source }: Pick<StrictJson, 'value' | 'source'>, inSession: boolean): RpcId | undefined {
  if (!isObject(value) || source === undefined) return undefined
  const isRequest = typeof own(value, 'method') === 'string' && ['string', 'number'].includes(typeof own(value, 'id'))
  if (!isRequest) return undefined
  const { metaVersion: version } = inSession ? {} : metaVersionOf(value)
  return typeof version === 'string' ? { text: source, version } : { text: source }
}

function readSingle(value: unknown, context: Context): Reading {
  const reading = readMessage(value, { tasks: context.door.tasks === true })
  if (!reading.ok) return refuse(reading, reading.action)
  const { clientName } = reading.message
  const settled = settle([reading.message], context, false)
  return clientName === undefined ? settled : { ...settled, clientName }
}

function readBatch(elements: readonly unknown[], context: Context): Reading {
  const isOldEnough = headerOf(context.headers, 'mcp-protocol-version') === '2025-03-26'
  if (!context.options.batches || !isOldEnough)
    return refuse({ code: 'batch_refused', detail: 'the body must be one JSON-RPC message, not an array' })
  if (elements.length === 0 || elements.length > maxBatch || elements.some((element) => Array.isArray(element)))
    return refuse({ code: 'batch_refused', detail: `a batch must hold 1 to ${maxBatch} messages and no batch` })
  const messages: Message[] = []
  for (const element of elements) {
    // The only version with batches has no tasks.
    const reading = readMessage(element)
    if (!reading.ok) return refuse(reading, reading.action)
    messages.push(reading.message)
  }
  return settle(messages, context, true)
}

/** A POST of which only the headers came. Without a router whose word counts there is nothing to decide by. */
function readRouted(context: Context): Reading {
  const { headers, options } = context
  const message = options.profile === 'kuadrant' && options.headersOnly ? routedMessage(headers) : undefined
  if (message === undefined) return refuse({ code: 'body_missing', detail: 'a POST must have a body' })
  // A router that skips what is not JSON lets a client's own copies of its headers through.
  const fault = contentFault(headers) ?? partialFault(headers) ?? unremovableFault(headers, options)
  if (fault !== undefined) return refuse(fault, message.action)
  const reading = settle([message], context, false)
  return reading.ok ? { ...reading, withoutRemovals: true } : reading
}

/** What the router's headers say was asked; undefined where they do not say it. */
function routedMessage(headers: Headers): Message | undefined {
  const method = headerOf(headers, 'x-mcp-method')
  if (method === undefined) return undefined
  // Doubled values survive as names that no header equals, and are refused as disagreement.
  const action = method ?? ''
  const rule = ruleOf(action)
  if (rule === undefined) return { action, method: action }
  const header = nameHeaders.get(action)
  const name = header === undefined ? undefined : headerOf(headers, header)
  const mirrored = name === undefined ? {} : { mirrored: name ?? '' }
  if (rule.kind === 'server') return { action, method: action, target: { type: 'server' }, ...mirrored }
  if (name === undefined || rule.kind !== 'item') return undefined
  return { action, method: action, target: { type: rule.type, name: name ?? '' }, ...mirrored }
}

/** Holds well-formed messages against the headers, then against what is known. */
function settle(messages: readonly Message[], context: Context, batch: boolean): Reading {
  const { headers, door, options } = context
  const first = messages[0]
  const action = !batch && first !== undefined ? first.action : ''
  const fault = initHostFault(headers, door, batch ? undefined : first?.method) ?? headersFault(messages, context)
  if (fault !== undefined) return refuse(fault, action)
  const routing = routingOf(headers, door, options.profile)
  if ('code' in routing) return refuse(routing, action)
  const unpublished = firstFault(messages, (message) => versionFault(headers, message.metaVersion))
  if (unpublished !== undefined) return refuse(unpublished, action)
  const asked = asksOf(messages, routing)
  if ('code' in asked) return refuse(asked, asked.action)
  if (batch && brokerToolIn(asked) !== undefined) return refuse(toolInBatch, action)
  const protocolVersion = protocolVersionOf(headers, first?.metaVersion)
  const session = sessionOf(headers)
  const { server, brokerAnswers } = routing
  return {
    ok: true,
    asks: asked,
    batch,
    ...(server === undefined ? {} : { server }),
    virtualServers: virtualServersOf(headers, door),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(session === undefined ? {} : { session }),
    brokerAnswers,
    withoutRemovals: false,
  } satisfies Read
}

const toolInBatch: Fault = { code: 'batch_refused', detail: "a tool of the broker's own stands in a batch" }

/** What the messages ask for; what is not known is said last. */
function asksOf(
  messages: readonly Message[],
  routing: Routing,
): readonly Ask[] | (Fault & { readonly action: string }) {
  const asks: Ask[] = []
  for (const { action, target, tasks = [], mayMakeTask } of messages) {
    if (target === undefined) return { code: 'method_unknown', detail: 'the method is not known', action }
    const isOfTasksAlone = tasks.length > 0 && target.type === 'server'
    const makes = mayMakeTask === undefined ? {} : { mayMakeTask }
    if (!isOfTasksAlone) asks.push({ action, target: routedTarget(target, routing), ...makes })
    for (const task of tasks) asks.push({ action, target: { type: 'server' }, task })
  }
  return asks
}

function headersFault(messages: readonly Message[], { headers, options }: Context): Fault | undefined {
  const isStrict = options.profile === 'strict'
  const forbidden = isStrict ? forbiddenFault(headers) : undefined
  if (forbidden !== undefined) return forbidden
  return firstFault(
    messages,
    (message) => mcpHeaderFault(headers, message) ?? (isStrict ? undefined : routerHeaderFault(headers, message)),
  )
}

function firstFault(messages: readonly Message[], faultOf: (message: Message) => Fault | undefined): Fault | undefined {
  for (const message of messages) {
    const fault = faultOf(message)
    if (fault !== undefined) return fault
  }
  return undefined
}
