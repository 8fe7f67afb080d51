import type { HideLike } from './denial-options.ts'
import type { Ask, RpcId } from './reading.ts'

/**
 * The message with which `McpServer` of the TypeScript SDK (2.4, 1.32) answers for an item that it does not have, byte
 * for byte. Undefined where no item was asked for. `sdk` is the line that speaks the protocol version of the request.
 */
export function unknownItem({ action, target }: Ask, rpcId: RpcId, sdk: HideLike['sdk']): string | undefined {
  const { type } = target
  if (type === 'server') return undefined
  const name = 'names' in target ? onlyOf(target.names) : target.name
  const error = action === 'completion/complete' ? unknownRef(type, name) : unknown[type](name, sdk)
  return sdk === 'v2' ? errorText(rpcId, error) : textOfV1(rpcId, type, error)
}

interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: object
}

const invalidParams = -32602

const unknown: Readonly<Record<'tool' | 'prompt' | 'resource', (name: string, sdk: HideLike['sdk']) => RpcError>> = {
  tool: (name) => ({ code: invalidParams, message: `Tool ${name} not found` }),
  prompt: (name) => ({ code: invalidParams, message: `Prompt ${name} not found` }),
  resource: (uri, sdk) => (URL.canParse(uri) ? unknownResource(uri, sdk) : unparsableUri(uri, sdk)),
}

function unknownResource(uri: string, sdk: HideLike['sdk']): RpcError {
  return sdk === 'v2'
    ? { code: invalidParams, message: `Resource not found: ${uri}`, data: { uri } }
    : { code: invalidParams, message: `Resource ${new URL(uri)} not found` }
}

function unparsableUri(uri: string, sdk: HideLike['sdk']): RpcError {
  return sdk === 'v2'
    ? { code: invalidParams, message: `Resource URI ${uri} is invalid`, data: { uri, reason: 'invalid_uri' } }
    : { code: -32603, message: 'Invalid URL' }
}

function unknownRef(type: 'tool' | 'prompt' | 'resource', name: string): RpcError {
  return { code: invalidParams, message: `${type === 'prompt' ? 'Prompt' : 'Resource template'} ${name} not found` }
}

/** Of several URIs none is named: which of them is denied stays hidden as well. */
function onlyOf(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : ''
}

/** v1 names the code in the text of its own errors, and makes results of those that a tool has to do with. */
function textOfV1(rpcId: RpcId, type: 'tool' | 'prompt' | 'resource', { code, message }: RpcError): string {
  if (code !== invalidParams) return errorText(rpcId, { code, message })
  const text = `MCP error ${code}: ${message}`
  if (type !== 'tool') return errorText(rpcId, { code, message: text })
  return `{"result":${JSON.stringify({ content: [{ type: 'text', text }], isError: true })},"jsonrpc":"2.0","id":${rpcId.text}}`
}

function errorText(rpcId: RpcId, error: RpcError): string {
  return `{"jsonrpc":"2.0","id":${rpcId.text},"error":${JSON.stringify(error)}}`
}
