import type { InnerTransport } from './carrier.ts'
import type { Door } from './door.ts'
import { periodOf } from './lookout.ts'
import { createSession, type Session, type TransportGuardOptions } from './session.ts'

/** What transports of both SDKs have, for HTTP, stdio or anything else. */
export interface GuardableTransport {
  start(): Promise<void>
  send(message: never, options?: never): Promise<void>
  close(): Promise<void>
}

type OnMessage = (message: unknown, extra?: unknown) => void

/**
 * Puts the guard into a transport: every message that comes is decided before the server gets it, every list that goes
 * is cut. What is returned has everything that the transport has; only what is connected to that is guarded.
 * @throws {TypeError} for a `changesEveryMs` that is none
 */
export function guardTransport<T extends GuardableTransport>(
  door: Door,
  transport: T,
  options: TransportGuardOptions,
): T {
  const changesEveryMs = periodOf(options.changesEveryMs ?? door.changesEveryMs)
  const inner = transport as unknown as InnerTransport
  const session = createSession(door, inner, { ...options, changesEveryMs })
  const assigned = new Map<PropertyKey, unknown>()
  return new Proxy(transport, {
    get(target, key) {
      if (key === 'send') return session.send
      if (assigned.has(key)) return assigned.get(key)
      // The transport's private members are its own alone: its methods and accessors never see the proxy.
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' && !key.toString().startsWith('on') ? value.bind(target) : value
    },
    set(target, key, value: unknown) {
      if (typeof value === 'function' && (key === 'onmessage' || key === 'onclose')) assigned.set(key, value)
      else assigned.delete(key)
      return Reflect.set(target, key, wrapped(session, key, value), target)
    },
  })
}

function wrapped(session: Session, key: PropertyKey, value: unknown): unknown {
  if (typeof value !== 'function') return value
  const call = value as OnMessage
  if (key === 'onmessage') return session.receiver(call)
  if (key !== 'onclose') return value
  return (...parameters: Parameters<OnMessage>) => {
    session.close()
    call(...parameters)
  }
}
