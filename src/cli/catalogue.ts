import { stringify } from 'yaml'
import { approvedEntry, type Difference, differences } from '../broker/review.ts'
import { createUpstream, type Offer, type Upstream } from '../broker/upstream.ts'
import type { Config, UpstreamConfig } from '../config/config.ts'
import { loadData } from '../config/data.ts'
import { addressFault } from '../identity/key-document.ts'
import { version } from '../version.ts'
import { chooseConfig } from './configuration.ts'
import { type ExitCode, exit, type Terminal, UsageError } from './exit.ts'
import { oneLine } from './printable.ts'

export interface CatalogueOptions {
  readonly config?: string
  readonly check?: true
  readonly json?: true
}

/**
 * Asks servers what they offer and prints it as a data file that approves exactly that, or, with `check`, how it differs
 * from the catalogue: exit code 1 where something is changed or missing.
 * @param servers - `ID=URL`; none: those of `broker.upstreams`
 * @throws {UsageError} for a server that cannot be asked
 */
export async function printCatalogue(
  servers: readonly string[],
  { config: file, check, json }: CatalogueOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { config } = await chooseConfig(file, terminal)
  const data = await loadData(config.dataFiles)
  const offers = await ask(servers.length === 0 ? configured(config) : named(servers, config), terminal)
  if (check !== true) {
    const entries = offers.map(([id, offer]) => [id, approvedEntry(offer, data.servers?.[id])] as const)
    const document = { servers: Object.fromEntries(entries) }
    terminal.out.write(json === true ? `${JSON.stringify(document, null, 2)}\n` : yamlOf(document))
    return exit.ok
  }
  const found = offers.flatMap(([id, offer]) => differences(id, offer, data))
  terminal.out.write(
    json === true ? `${JSON.stringify({ differences: found }, null, 2)}\n` : found.map(lineOf).join(''),
  )
  const bad = found.filter(({ kind }) => kind === 'changed' || kind === 'missing').length
  terminal.err.write(`${bad} of the listed items changed or missing, ${found.length - bad} other differences\n`)
  return bad === 0 ? exit.ok : exit.denied
}

function configured({ broker }: Config): ReadonlyMap<string, UpstreamConfig> {
  const upstreams = Object.entries(broker?.upstreams ?? {})
  if (upstreams.length > 0) return new Map(upstreams)
  throw new UsageError(
    'there is nobody to ask: name servers as ID=URL, or under `broker.upstreams` of the configuration',
  )
}

function named(servers: readonly string[], { insecure }: Config): ReadonlyMap<string, UpstreamConfig> {
  return new Map(
    servers.map((text) => {
      const [id = '', ...rest] = text.split('=')
      const url = rest.join('=')
      if (id === '' || url === '') throw new UsageError(`\`${oneLine(text)}\`: expected ID=URL`)
      const fault = addressFault(url, insecure.httpUpstreams, 'insecure.httpUpstreams')
      if (fault !== undefined) throw new UsageError(`\`${oneLine(id)}\`: ${fault}`)
      return [id, { kind: 'http', url, headers: {}, timeoutSeconds: 60, sessions: 'shared' }]
    }),
  )
}

/** Each is asked once. */
const health = { everySeconds: 3600, timeoutSeconds: 10, maxBackoffSeconds: 3600 }

async function ask(
  configs: ReadonlyMap<string, UpstreamConfig>,
  { err }: Terminal,
): Promise<readonly (readonly [string, Offer])[]> {
  const client = { name: 'mcp-authz', version: version() }
  const onWarning = (text: string): void => void err.write(`${oneLine(text)}\n`)
  const upstreams = [...configs].map(([id, config]) => createUpstream(id, config, { client, health, onWarning }))
  try {
    await Promise.all(upstreams.map(({ first }) => first))
    return upstreams.map((upstream) => [upstream.id, offerOf(upstream)] as const)
  } finally {
    await Promise.all(upstreams.map((upstream) => upstream.close()))
  }
}

function offerOf(upstream: Upstream): Offer {
  const offer = upstream.offered()
  if (offer !== undefined) return offer
  throw new UsageError(`server \`${oneLine(upstream.id)}\` could not be asked what it offers`)
}

function yamlOf(document: object): string {
  const head = `# What these servers offer, with the digests that approve it. Review every line; then name this file last under
# \`data\`: its lists take the place of earlier ones, and prefix, state and everything else stay.
`
  return head + stringify(document, { lineWidth: 0 })
}

function lineOf({ kind, type, name, server, sha256 }: Difference): string {
  const digest = sha256 === undefined ? '' : ` sha256 ${sha256}`
  return `${oneLine(`${kind} ${type}:${name} on ${server}`)}${digest}\n`
}
