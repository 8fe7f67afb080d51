import { onTestFinished } from 'vitest'
import { type BrokerService, startBroker } from '../../src/broker-service.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Decision } from '../../src/policy/decision.gen.ts'
import { makePlace, type PlaceOptions } from '../guard/place.ts'
import { bearer } from '../guard/requests.ts'

/** A running broker under test, and whoever asks it. */
export interface Serving {
  readonly service: BrokerService
  readonly url: URL
  readonly warnings: readonly string[]
  readonly lines: readonly string[]
  readonly decisions: readonly Decision[]
  /** Headers with a token of somebody with these roles. */
  headers(subject: string, ...roles: readonly string[]): Promise<Record<string, string>>
  writeCatalogue(data: unknown): Promise<void>
  /** What the broker says of itself. */
  status(): Promise<Status>
  operation(path: string): Promise<Response>
  readonly config: string
}

export interface Status {
  readonly revision: string
  readonly ready: boolean
  readonly servers: readonly (Readonly<Record<string, unknown>> & { readonly id: string; readonly reason: string })[]
}

export interface ServingOptions extends PlaceOptions {
  readonly broker: Readonly<Record<string, unknown>>
}

const health = { everySeconds: 1, timeoutSeconds: 2, maxBackoffSeconds: 1 }

/** Starts a broker, which ends with the test; its tests wait for upstreams themselves where these come late. */
export async function serve({ broker, more = {}, ...options }: ServingOptions): Promise<Serving> {
  const section = { listen: '127.0.0.1:0', health, ...broker }
  const listen = { http: '127.0.0.1:0' }
  // The form of a denial that every client hands to its caller.
  const mcp = { denial: 'rpc', ...options.mcp }
  const place = await makePlace({ ...options, mcp, more: { listen, broker: section, insecure: {}, ...more } })
  const warnings: string[] = []
  const lines: string[] = []
  const decisions: Decision[] = []
  const log = {
    warning: (text: string) => void warnings.push(text),
    info: (text: string) => void lines.push(text),
    decision: (decision: Decision) => void decisions.push(decision),
    fault: (code: string, cause: string) => void warnings.push(`${code}: ${cause}`),
  }
  const service = await startBroker({ config: await loadConfig(place.config, { env: {} }), log })
  onTestFinished(async () => {
    await service.stop()
    await place.remove()
  })
  const operation = async (path: string): Promise<Response> => await fetch(`http://${service.http}${path}`)
  return {
    service,
    url: new URL(service.mcp),
    warnings,
    lines,
    decisions,
    headers: async (subject, ...roles) => bearer(await place.token(subject, { roles })),
    writeCatalogue: place.writeCatalogue,
    status: async () => (await (await operation('/status')).json()) as Status,
    operation,
    config: place.config,
  }
}
