import { isJSONRPCErrorResponse, ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/client'
import { streamEnded } from './http-transport.ts'
import { isPlainObject } from './plain-object.ts'
import { type Outage, UpstreamUnavailable } from './unavailable.ts'
import type { Wording } from './wording.ts'

/**
 * What a request that failed is answered with: the server's own JSON-RPC error as a `ProtocolError` with its code, message
 * and data, the configured secrets redacted; the reason of a signal that was aborted; otherwise `UpstreamUnavailable`.
 */
export function failureOf(thrown: unknown, id: string, wording: Wording, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (thrown instanceof UpstreamUnavailable) return thrown
  const answered = serverError(thrown)
  if (answered !== undefined) return redacted(answered, wording)
  return new UpstreamUnavailable(id, outageOf(thrown), { cause: wording.fault(thrown) })
}

/** Whether the session that a request was made in is no more. */
export function isSessionLost(thrown: unknown): boolean {
  return isPlainObject(thrown) && thrown['status'] === 404
}

function outageOf(thrown: unknown): Outage {
  if (!(thrown instanceof SdkError)) return 'unreachable'
  if (thrown.code === SdkErrorCode.RequestTimeout) return 'timeout'
  const { InvalidResult, UnsupportedResultType, ClientHttpUnexpectedContent } = SdkErrorCode
  const isNoAnswer = [InvalidResult, UnsupportedResultType, ClientHttpUnexpectedContent].includes(thrown.code)
  return isNoAnswer ? 'answer' : 'unreachable'
}

function serverError(thrown: unknown): ProtocolError | undefined {
  if (thrown instanceof ProtocolError) return thrown.data === streamEnded ? undefined : thrown
  // Before 2026-07-28 the SDK does not read the body of a status that is no success.
  const data = isPlainObject(thrown) ? thrown['data'] : undefined
  const text = isPlainObject(data) ? data['text'] : undefined
  if (typeof text !== 'string') return undefined
  try {
    const body: unknown = JSON.parse(text)
    // One without an id speaks of the connection, not of the request.
    if (!isJSONRPCErrorResponse(body) || body.id === undefined) return undefined
    return ProtocolError.fromError(body.error.code, body.error.message, body.error.data)
  } catch {
    return undefined
  }
}

function redacted(error: ProtocolError, { redact }: Wording): ProtocolError {
  const message = redact(error.message)
  const data = redactedValue(error.data, redact)
  const isSame = message === error.message && JSON.stringify(data) === JSON.stringify(error.data)
  return isSame ? error : new ProtocolError(error.code, message, data)
}

function redactedValue(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => redactedValue(item, redact))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [redact(key), redactedValue(member, redact)]))
}
