import type { RpcId } from '../mcp/reading.ts'

/**
 * What a check tells whoever filters the answer to the same request. It travels in Envoy's dynamic metadata, which
 * clients cannot write; the credential does not, since access logs show metadata. `none`: no list will be answered.
 */
export type ListQuestion = 'none' | ListQuery

export interface ListQuery {
  readonly server: string | undefined
  readonly virtualServers: readonly (string | null)[]
  /** Absent also where it is too long to be carried along. */
  readonly rpcId: RpcId | undefined
  readonly address: string | undefined
  /** See `Filter.brokerTool`. */
  readonly brokerTool: string | undefined
  /** Seconds since the epoch at which the credential ends. */
  readonly expiresAt: number | undefined
}

/** The key in the metadata of the check. */
export const listQuestionKey = 'list_filter'

const maxIdLength = 1024

export function writeListQuestion(question: ListQuestion): string {
  if (question === 'none') return question
  const { server, virtualServers, rpcId, address, brokerTool, expiresAt } = question
  const id = rpcId === undefined || rpcId.text.length > maxIdLength ? undefined : rpcId.text
  return JSON.stringify({ server, virtualServers, id, address, brokerTool, expiresAt })
}

/** Undefined for what {@link writeListQuestion} did not write. */
export function readListQuestion(text: string): ListQuestion | undefined {
  if (text === 'none') return text
  try {
    return checked(JSON.parse(text))
  } catch {
    return undefined
  }
}

function checked(said: unknown): ListQuery | undefined {
  if (typeof said !== 'object' || said === null) return undefined
  const { server, virtualServers, id, address, brokerTool, expiresAt } = said as Readonly<Record<string, unknown>>
  if (!isVirtualServers(virtualServers) || !isOptional('string', [server, id, address, brokerTool])) return undefined
  if (!isOptional('number', [expiresAt])) return undefined
  return {
    server: server as string | undefined,
    virtualServers,
    rpcId: typeof id === 'string' ? { text: id } : undefined,
    address: address as string | undefined,
    brokerTool: brokerTool as string | undefined,
    expiresAt: expiresAt as number | undefined,
  }
}

function isVirtualServers(said: unknown): said is (string | null)[] {
  return Array.isArray(said) && said.every((id) => id === null || typeof id === 'string')
}

function isOptional(type: 'string' | 'number', values: readonly unknown[]): boolean {
  return values.every((value) => value === undefined || (typeof value === type && value !== ''))
}
