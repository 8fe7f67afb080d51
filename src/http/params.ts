import { type MethodRule, ruleOf } from '../mcp/methods.ts'

/** An AuthZEN resource: its type, id, and the arguments of a tool or prompt. */
export interface EvaluatedResource {
  readonly type: string
  readonly id: string
  readonly args: unknown
}

/**
 * The params a JSON-RPC request for the same thing would carry, so that every door is read by one reader.
 * Undefined where the resource is not of a type the method wants; a method nobody knows wants none in particular.
 */
export function paramsOf(method: string, resource: EvaluatedResource): Record<string, unknown> | undefined {
  const rule = ruleOf(method)
  return rule === undefined ? {} : paramsOfRule(rule, resource)
}

function paramsOfRule(rule: MethodRule, resource: EvaluatedResource): Record<string, unknown> | undefined {
  const { type, id, args } = resource
  switch (rule.kind) {
    case 'server':
      return type === 'server' ? {} : undefined
    case 'item':
      return type === rule.type ? { [rule.param]: id, ...(args === undefined ? {} : { arguments: args }) } : undefined
    case 'completion':
      return completionParams(resource)
    case 'listen':
      return listenParams(resource)
    default:
      return rule satisfies never
  }
}

function completionParams({ type, id }: EvaluatedResource): Record<string, unknown> | undefined {
  if (type === 'prompt') return { ref: { type: 'ref/prompt', name: id } }
  return type === 'resource' || type === 'template' ? { ref: { type: 'ref/resource', uri: id } } : undefined
}

function listenParams({ type, id }: EvaluatedResource): Record<string, unknown> | undefined {
  if (type === 'server') return {}
  return type === 'resource' ? { notifications: { resourceSubscriptions: [id] } } : undefined
}
