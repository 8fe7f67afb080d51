import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export type Json = Record<string, unknown>

/** The parts of Envoy's configuration that the tests put values into. */
interface EnvoyFile {
  admin: { address: Address }
  static_resources: { listeners: Listener[]; clusters: Cluster[] }
}

interface Address {
  socket_address: { address: string; port_value: number }
}

interface Listener {
  name: string
  address: Address
  filter_chains: { filters: { typed_config: Manager }[] }[]
}

/** The HTTP connection manager of a listener. */
export interface Manager {
  stat_prefix: string
  access_log?: Json[]
  early_header_mutation_extensions?: Json[]
  route_config: { virtual_hosts: { domains: string[]; routes: Route[]; typed_per_filter_config?: Json }[] }
  http_filters: { name: string; typed_config: Json }[]
}

interface Route extends Json {
  match: Json
  typed_per_filter_config?: Json
}

interface Cluster {
  name: string
  health_checks?: Json[]
  load_assignment: { endpoints: { lb_endpoints: Json[] }[] }
}

/** How a listener of the tests differs from the documented one. */
export type Change = (manager: Manager) => void

export interface Ports {
  /** One authorizer each. */
  readonly authorizers: readonly number[]
  readonly upstream: number
}

/** How long Envoy waits for answers here: a machine that is busy with other tests must not look like a service that is gone. */
const patience = '5s'

/** The documented configurations: what is checked, and what is filtered as well. */
const documents = { checks: 'envoy.yaml', lists: 'mesh.yaml' }

/** The documented configuration with the ports of a test: one listener for each change, named as it is. */
export function envoyConfig(
  accessLog: string,
  ports: Ports,
  changes: Readonly<Record<string, Change>>,
  document: keyof typeof documents = 'checks',
): Json {
  const file = fileURLToPath(new URL(`../../examples/envoy/${documents[document]}`, import.meta.url))
  const config = parse(readFileSync(file, 'utf8')) as EnvoyFile
  const { listeners, clusters } = config.static_resources
  const [first] = listeners
  if (first === undefined) throw new Error('the documented configuration has no listener')
  const authorizer = clusterOfAuthorizer(managerOf(first))
  config.admin = { address: address(0) }
  config.static_resources.listeners = Object.entries(changes).map(([name, change]) =>
    listenerOf(first, name, change, accessLog),
  )
  for (const { name, load_assignment, health_checks: healthChecks = [] } of clusters) {
    for (const check of healthChecks) check['timeout'] = patience
    const endpoints = name === authorizer ? ports.authorizers : [ports.upstream]
    load_assignment.endpoints = [{ lb_endpoints: endpoints.map((port) => ({ endpoint: { address: address(port) } })) }]
  }
  return { ...config }
}

/** The settings of the ext_authz filter. */
export function authzOf({ http_filters: filters }: Manager): Json {
  const filter = filters.find(({ typed_config: config }) => String(config['@type']).endsWith('.ExtAuthz'))
  if (filter === undefined) throw new Error('the documented configuration has no ext_authz filter')
  return filter.typed_config
}

/** The settings of the ext_proc filter, where there is one. */
export function processorOf({ http_filters: filters }: Manager): Json | undefined {
  return filters.find(({ typed_config: config }) => String(config['@type']).endsWith('.ExternalProcessor'))
    ?.typed_config
}

/** Routes a path as the first documented route does, with what configuration alone can tell the authorizer. */
export function addRoute({ route_config: { virtual_hosts: hosts } }: Manager, prefix: string, context: Json): void {
  const like = hosts[0]?.routes.at(-1)
  if (like === undefined) throw new Error('the documented configuration has no route')
  hosts[0]?.routes.unshift({
    ...like,
    match: { prefix },
    typed_per_filter_config: {
      'envoy.filters.http.ext_authz': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
        check_settings: { context_extensions: context },
      },
    },
  })
}

function clusterOfAuthorizer(manager: Manager): string {
  const { envoy_grpc: peer } = authzOf(manager)['grpc_service'] as { envoy_grpc: { cluster_name: string } }
  return peer.cluster_name
}

function managerOf(listener: Listener): Manager {
  const manager = listener.filter_chains[0]?.filters.at(-1)?.typed_config
  if (manager === undefined) throw new Error('the documented listener has no filter')
  return manager
}

function listenerOf(documented: Listener, name: string, change: Change, accessLog: string): Listener {
  const listener = { ...structuredClone(documented), name, address: address(0) }
  const manager = managerOf(listener)
  manager.stat_prefix = name
  authzOf(manager)['grpc_service'] = { ...(authzOf(manager)['grpc_service'] as Json), timeout: patience }
  const processor = processorOf(manager)
  if (processor !== undefined) processor['message_timeout'] = patience
  for (const host of manager.route_config.virtual_hosts) host.domains = ['*']
  manager.access_log = [...(manager.access_log ?? []), accessLogTo(accessLog)]
  change(manager)
  return listener
}

function accessLogTo(path: string): Json {
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
    path,
    log_format: {
      json_format: {
        test_id: '%REQ(X-TEST-ID)%',
        status: '%RESPONSE_CODE%',
        decision_id: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:decision_id)%',
        allow: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:allow)%',
        reasons: '%DYNAMIC_METADATA(envoy.filters.http.ext_authz:reasons)%',
      },
    },
  }
  return { name: 'envoy.access_loggers.file', typed_config }
}

function address(port: number): Address {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}
