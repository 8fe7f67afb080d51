import { createMcpHandler, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server'
import type { BrokerConfig } from '../config/config.ts'
import type { Guard } from '../guard/index.ts'
import type { ListedDefinitions } from '../mcp/definition.ts'
import type { Data } from '../policy/data.gen.ts'
import type { ChangedDefinitions } from '../policy/engine.ts'
import { createDiscovery } from './discovery.ts'
import { createFederation } from './federation.ts'
import { carried, serverFor } from './serving.ts'
import { type ServerStatus, statusOf } from './status.ts'
import { createUpstream, type Upstream } from './upstream.ts'

/** One MCP endpoint for several servers. */
export interface Broker {
  /** Answers requests that the guard of the options admitted, and refuses all others. */
  fetch(request: Request): Promise<Response>
  /** What is wrong with a request that a browser was lured into; undefined for every other. */
  foreign(request: { readonly host: string | undefined; readonly origin: string | undefined }): string | undefined
  /** Resolves once every enabled server was tried for the first time. */
  readonly first: Promise<void>
  /** Takes other data: servers may have been switched on or off, or renamed. */
  dataChanged(): void
  status(): readonly ServerStatus[]
  /** Whether each server with an upstream is reached, by its id. */
  reached(): Readonly<Record<string, boolean>>
  close(): Promise<void>
}

export interface BrokerOptions {
  readonly config: BrokerConfig
  readonly profile: 'strict' | 'kuadrant'
  readonly guard: Pick<Guard, 'admitted'>
  readonly version: string
  readonly data: () => Data
  /** See `Definitions`. */
  readonly definitions: {
    approved(list: ListedDefinitions): unknown
    changed(): ChangedDefinitions
  }
  /** Bytes; the guard refuses what is longer. */
  readonly maxBodyBytes: number
  readonly onWarning: (text: string) => void
  /** What servers on stdio write to stderr, a line each. */
  readonly onLog: (line: string) => void
}

const name = 'mcp-authz-broker'

/** Connects with the servers and begins to serve them. */
export function createBroker(options: BrokerOptions): Broker {
  const { config, data, definitions, guard, onWarning } = options
  const upstreams = new Map<string, Upstream>()
  const federation = createFederation({
    upstreams,
    data,
    prefixedUris: options.profile === 'kuadrant',
    ownTools: config.discovery,
    observe: (list) => void definitions.approved(list),
  })
  const discovery = config.discovery ? createDiscovery({ federation, data }) : undefined
  const serving = { name, version: options.version, federation, upstreams, discovery }
  const handler = createMcpHandler((context) => serverFor(serving, context), {
    // Its messages repeat arguments and headers of clients. What a client did wrong, the client is told.
    onerror: ({ name: kind, message }) => {
      if (!message.startsWith('Rejected inbound request')) onWarning(`an MCP request could not be answered (${kind})`)
    },
    maxRequestBodySize: options.maxBodyBytes,
  })
  const changed = (): void => {
    federation.refresh()
    handler.notify.toolsChanged()
    handler.notify.promptsChanged()
    handler.notify.resourcesChanged()
  }
  openUpstreams(upstreams, options, changed)
  return {
    async fetch(request) {
      const admitted = guard.admitted(request)
      if (admitted === undefined) throw new TypeError('expected a request that the guard admitted')
      return await handler.fetch(request, { authInfo: carried(admitted) })
    },
    foreign: (request) => foreignTo(config, request),
    first: Promise.all([...upstreams.values()].map((upstream) => upstream.first)).then(() => undefined),
    dataChanged() {
      for (const upstream of upstreams.values()) upstream.setEnabled(isEnabled(data(), upstream.id))
      changed()
    },
    status: () => statusOf({ data, upstreams, federation, changed: () => definitions.changed() }),
    reached: () => Object.fromEntries([...upstreams].map(([id, { state }]) => [id, state().kind === 'ready'])),
    async close() {
      await Promise.all([handler.close(), ...[...upstreams.values()].map((upstream) => upstream.close())])
    },
  }
}

function openUpstreams(
  upstreams: Map<string, Upstream>,
  { config, version, data, onWarning, onLog }: BrokerOptions,
  onChange: () => void,
): void {
  const client = { name, version }
  for (const [id, upstream] of Object.entries(config.upstreams)) {
    const enabled = isEnabled(data(), id)
    const { health } = config
    upstreams.set(id, createUpstream(id, upstream, { client, health, enabled, onChange, onWarning, onLog }))
    if (!isListed(data(), id)) onWarning(`server \`${id}\` has an upstream and is not in the catalogue: nobody sees it`)
  }
}

/** What the catalogue does not have is of use to nobody, and not connected with. */
function isEnabled(data: Data, id: string): boolean {
  return isListed(data, id) && data.servers?.[id]?.state !== 'Disabled'
}

function isListed({ servers = {} }: Data, id: string): boolean {
  return Object.hasOwn(servers, id)
}

const loopback = ['localhost', '127.0.0.1', '[::1]']

/** Other names than the broker's own, under which a page of elsewhere could reach it (DNS rebinding). */
function foreignTo(
  { allowedHosts }: BrokerConfig,
  { host, origin }: Parameters<Broker['foreign']>[0],
): string | undefined {
  const hosts = [...loopback, ...allowedHosts]
  const fault = [validateHostHeader(host, hosts), validateOriginHeader(origin, hosts)].find(({ ok }) => !ok)
  return fault?.ok === false ? fault.message : undefined
}
