import { type Fault, type Headers, hasHeader, headerOf, mismatch } from './headers.ts'
import type { Message } from './message.ts'
import { brokerTools } from './methods.ts'
import type { Ask, DoorKnowledge, ReadOptions, Target } from './reading.ts'

/** The header that carries the name of each item, by method. */
export const nameHeaders: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'x-mcp-toolname'],
  ['prompts/get', 'x-mcp-promptname'],
  ['resources/read', 'x-mcp-resourceuri'],
  ['resources/subscribe', 'x-mcp-resourceuri'],
  ['resources/unsubscribe', 'x-mcp-resourceuri'],
])

/** What the router's headers and the door say about who answers. */
export interface Routing {
  readonly server?: string
  readonly brokerAnswers: boolean
  /** The broker's own tools are meant where one of their names is: door or router says that the broker answers. */
  readonly toBroker: boolean
}

/** The five headers that only a router may send, on a request with a body where there is no router. */
export function forbiddenFault(headers: Headers): Fault | undefined {
  const five = ['x-mcp-servername', 'x-mcp-method', ...nameHeaders.values()]
  return forbid(headers, five)
}

/**
 * `mcp-init-host` makes a router send the request wherever it says, past the broker and its filters
 * (GHSA-g53w-w6mj-hrpp): only an `initialize` with a `router-key` may have it, where the door looks at router keys.
 */
export function initHostFault(headers: Headers, door: DoorKnowledge, method: string | undefined): Fault | undefined {
  if (!hasHeader(headers, 'mcp-init-host')) return undefined
  const isOpening = method === 'initialize' && hasHeader(headers, 'router-key')
  return isOpening && door.routerKeys === true ? undefined : forbid(headers, ['mcp-init-host'])
}

/** Internal headers that could not be removed in an answer that names no removals. */
export function unremovableFault(headers: Headers, { authorizedTools }: ReadOptions): Fault | undefined {
  const old = authorizedTools === true ? ['x-authorized-tools'] : []
  return forbid(headers, ['x-mcp-authorized', 'x-mcp-authz-filter', 'mcp-init-host', 'router-key', ...old])
}

/** Every one of the router's headers that is present, against one message. Not `x-mcp-servername`: see {@link routingOf}. */
export function routerHeaderFault(headers: Headers, message: Pick<Message, 'method' | 'mirrored'>): Fault | undefined {
  const exempt = message.method === 'initialize' || message.method === 'notifications/initialized'
  const allowed = nameHeaders.get(message.method ?? '')
  const expected = new Map([['x-mcp-method', message.method]])
  for (const header of nameHeaders.values()) expected.set(header, header === allowed ? message.mirrored : undefined)
  for (const [header, value] of expected) {
    const sent = headerOf(headers, header)
    if (sent === undefined || (exempt && sent !== null)) continue
    if (sent !== value) return mismatch(`${header} must equal what the body says`)
  }
  return undefined
}

/** Which server is asked. In profile kuadrant the router's word and the door's own must agree. */
export function routingOf(headers: Headers, door: DoorKnowledge, profile: ReadOptions['profile']): Routing | Fault {
  if (profile === 'strict') {
    const { server, brokerTools: own = false } = door
    return { brokerAnswers: true, toBroker: own && server === undefined, ...(server === undefined ? {} : { server }) }
  }
  const sent = headerOf(headers, 'x-mcp-servername')
  if (sent === null) return mismatch('x-mcp-servername must have one value')
  if (sent !== undefined && door.server !== undefined && sent !== door.server)
    return mismatch('x-mcp-servername must name the server behind this door')
  const said = sent ?? door.server ?? (door.brokerTools === true ? 'mcpBroker' : undefined)
  const toBroker = said === 'mcpBroker'
  // Whoever `mcp-init-host` names answers: an upstream, which the capability token is not for.
  const isOpening = hasHeader(headers, 'mcp-init-host')
  return {
    brokerAnswers: !isOpening && (sent === undefined || toBroker),
    toBroker,
    ...(said === undefined || toBroker ? {} : { server: said }),
  }
}

/** The target of a message, where a tool of the broker's own is a thing of the server as a whole. */
export function routedTarget(target: Target, routing: Routing): Target {
  const isBrokerTool = 'name' in target && target.type === 'tool' && brokerTools.includes(target.name)
  return isBrokerTool && routing.toBroker ? { type: 'server', name: target.name } : target
}

/** The tool of the broker's own that is asked for, which may name others. Reading lets none into a batch. */
export function brokerToolIn(asks: readonly Ask[]): string | undefined {
  for (const { action, target } of asks) {
    if (action === 'tools/call' && target.type === 'server' && target.name !== undefined) return target.name
  }
  return undefined
}

/** Every virtual server that door and header name; null for a header that names more than one. */
export function virtualServersOf(headers: Headers, door: DoorKnowledge): readonly (string | null)[] {
  const named = [door.virtualServer, headerOf(headers, 'x-mcp-virtualserver')]
  return named.filter((name) => name !== undefined)
}

function forbid(headers: Headers, names: readonly string[]): Fault | undefined {
  const found = names.find((name) => hasHeader(headers, name))
  return found === undefined ? undefined : { code: 'header_forbidden', detail: `${found} may come from a router only` }
}
