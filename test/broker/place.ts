import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { onTestFinished, vi } from 'vitest'
import { createUpstream, type Upstream, type UpstreamOptions } from '../../src/broker/upstream.ts'
import type { HttpUpstreamConfig, StdioUpstreamConfig, UpstreamConfig } from '../../src/config/config.ts'

/** An upstream under test, and all that it said. */
export interface Tested extends Upstream {
  readonly warnings: string[]
  readonly log: string[]
  /** How often it said that something changed. */
  changes(): number
}

export const health = { everySeconds: 0.1, timeoutSeconds: 5, maxBackoffSeconds: 0.5 }

/** Begins with an upstream, which ends with the test. */
export function begin(config: UpstreamConfig, options: Partial<UpstreamOptions> = {}): Tested {
  const warnings: string[] = []
  const log: string[] = []
  let changes = 0
  const upstream = createUpstream('weather', config, {
    client: { name: 'test-broker', version: '1.2.3' },
    health,
    onChange: () => {
      changes += 1
    },
    onWarning: (text) => void warnings.push(text),
    onLog: (line) => void log.push(line),
    ...options,
  })
  onTestFinished(() => upstream.close())
  return { ...upstream, warnings, log, changes: () => changes }
}

export function httpAt(url: string | URL, more: Partial<HttpUpstreamConfig> = {}): HttpUpstreamConfig {
  return { kind: 'http', url: String(url), headers: {}, timeoutSeconds: 10, sessions: 'caller', ...more }
}

/** A server of ours on stdio, of one line of the SDK or the other. */
export function stdioOf(line: 'v1' | 'v2', more: Partial<StdioUpstreamConfig> = {}): StdioUpstreamConfig {
  const script = fileURLToPath(new URL('stdio-server.ts', import.meta.url))
  return { ...program([script, line]), ...more }
}

export function program(args: readonly string[]): StdioUpstreamConfig {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  return { kind: 'stdio', command: process.execPath, args, env: {}, cwd, timeoutSeconds: 30, sessions: 'caller' }
}

/** Listens on loopback until the test ends, or until it is closed. */
export async function listen(listener: RequestListener, port = 0): Promise<Server & { readonly url: string }> {
  const server = createServer(listener)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => shut(server))
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` })
}

/** Ends a server as a crash would: connections break. */
export async function shut(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

/** Waits for something to become so; the limit is there for a test that fails. */
export async function until(condition: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(condition, { timeout: 20_000, interval: 20 })
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The text of a tool's answer. */
export function textOf({ content }: { readonly content: readonly unknown[] }): string {
  return (content[0] as { readonly text: string }).text
}
