import { type Headers, headerOf } from './headers.ts'

const modes = ['explicit', 'hide', 'rpc', 'challenge', 'tool-result', 'coaz'] as const

/** The forms a denial may have; docs/denials.md says what clients make of each. */
export type DenialMode = (typeof modes)[number]

/** `mcp.denial` of the configuration. */
export interface DenialOptions {
  readonly default: DenialMode
  /** The first that matches has its own mode. */
  readonly clients: readonly DenialClient[]
  /** What the MCP server behind this door is, so that `hide` answers as it would. */
  readonly hideLike: HideLike
}

/** Which client, by what it says of itself: that chooses the form of a denial, never whether there is one. */
export interface DenialClient {
  /** Everything that is named must fit. */
  readonly match: ClientMatch
  readonly mode: DenialMode
}

export interface ClientMatch {
  /** `clientInfo.name`: in `_meta` of every request of 2026-07-28, before that in `initialize` alone. */
  readonly clientName?: string | undefined
  /** What User-Agent begins with. */
  readonly userAgent?: string | undefined
  /** The MCP protocol version that the request names. */
  readonly protocolVersion?: string | undefined
}

export interface HideLike {
  /** The line of the TypeScript SDK. v1 does not speak 2026-07-28: there it is always v2. */
  readonly sdk: 'v1' | 'v2'
  /** Whether versions before 2026-07-28 are answered in JSON (`enableJsonResponse`) and not in an event stream. */
  readonly json: boolean
}

/** What an empty configuration says. */
export const explicitDenials: DenialOptions = {
  default: 'explicit',
  clients: [],
  hideLike: { sdk: 'v2', json: false },
}

/**
 * One mode for everybody, or options of which some may be absent, as whole options.
 * @throws {TypeError} for a mode or an SDK that there is not
 */
export function denialOptions(given: DenialMode | Partial<DenialOptions>): DenialOptions {
  const options = { ...explicitDenials, ...(typeof given === 'string' ? { default: given } : given) }
  for (const mode of [options.default, ...options.clients.map((client) => client.mode)]) {
    if (!modes.includes(mode)) throw new TypeError(`expected a denial mode, one of ${modes.join(', ')}`)
  }
  if (!['v1', 'v2'].includes(options.hideLike.sdk)) throw new TypeError('expected `hideLike.sdk` to be v1 or v2')
  return options
}

/** What a request says of the client that sent it. */
export interface ClientSaid {
  readonly headers: Headers
  readonly clientName?: string | undefined
  readonly protocolVersion?: string | undefined
}

/** The mode for the client that sent a request. */
export function modeFor(options: DenialOptions, said: ClientSaid): DenialMode {
  return options.clients.find(({ match }) => fits(match, said))?.mode ?? options.default
}

function fits({ clientName, userAgent, protocolVersion }: ClientMatch, said: ClientSaid): boolean {
  return (
    (clientName === undefined || clientName === said.clientName) &&
    (protocolVersion === undefined || protocolVersion === said.protocolVersion) &&
    (userAgent === undefined || headerOf(said.headers, 'user-agent')?.startsWith(userAgent) === true)
  )
}
