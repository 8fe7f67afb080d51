import { stat } from 'node:fs/promises'
import { formatAddress, parseAddress } from '../address.ts'
import { addressFault, isLoopback } from '../identity/key-document.ts'
import type { Check } from './check.ts'
import type { UpstreamFile } from './config.gen.ts'
import type { BrokerConfig, HttpUpstreamConfig, StdioUpstreamConfig, UpstreamConfig } from './config.ts'
import type { Path } from './located.ts'
import type { Draft } from './section.ts'

type BrokerDraft = NonNullable<Draft['broker']>

/** What of other sections a broker depends on. */
interface Surroundings {
  /** `mcp.batches`. */
  readonly batches: boolean
  /** `insecure.httpUpstreams`. */
  readonly allowHttp: boolean
}

/** `broker`; undefined where the file says nothing of it. Nothing that is reported shows a value of a header or variable. */
export async function resolveBroker(
  draft: Draft['broker'],
  { batches, allowHttp }: Surroundings,
  check: Check,
): Promise<BrokerConfig | undefined> {
  if (draft === undefined) return undefined
  if (batches) {
    const message = 'expected false beside `broker`, which answers one message at a time'
    check.report(['mcp', 'batches'], message, 'remove it, or remove the section `broker`')
  }
  const { listen, host } = resolveListen(draft.listen ?? '127.0.0.1:8080', check)
  const { health = {}, sessions = 'caller' } = draft
  const upstreams: [string, UpstreamConfig][] = []
  for (const [id, upstream] of Object.entries(draft.upstreams ?? {})) {
    const resolved = await resolveUpstream({ sessions, ...upstream }, ['broker', 'upstreams', id], allowHttp, check)
    if (resolved !== undefined) upstreams.push([id, resolved])
  }
  return {
    listen,
    path: resolvePath(draft.path ?? '/mcp', check),
    discovery: draft.discovery ?? false,
    allowedHosts: resolveHosts(draft.allowedHosts, host, check),
    upstreams: Object.fromEntries(upstreams),
    health: {
      everySeconds: health.everySeconds ?? 30,
      timeoutSeconds: health.timeoutSeconds ?? 5,
      maxBackoffSeconds: health.maxBackoffSeconds ?? 60,
    },
  }
}

/** `host` is as a URL writes it; undefined where the address is none. */
function resolveListen(text: string, check: Check): { readonly listen: string; readonly host: string | undefined } {
  const reading = parseAddress(text)
  const address = reading.ok && reading.address.kind === 'tcp' ? reading.address : undefined
  if (address === undefined) {
    // Other addresses may be sockets as well.
    const detail = reading.ok ? '' : reading.detail.replace(/, (\S+) or unix:PATH$/, ' or $1')
    const message = reading.ok ? 'expected HOST:PORT, no unix socket' : detail
    check.report(['broker', 'listen'], message, 'write it like 127.0.0.1:8080')
    return { listen: text, host: undefined }
  }
  return { listen: formatAddress(address), host: hostOf(formatAddress({ ...address, port: 0 }).slice(0, -2)) }
}

function resolvePath(path: string, check: Check): string {
  const url = URL.canParse(path, 'http://localhost') ? new URL(path, 'http://localhost') : undefined
  if (url === undefined || url.pathname !== path || url.search !== '' || url.hash !== '') {
    check.report(['broker', 'path'], 'expected a path that begins with `/`', 'write it like /mcp')
  } else if (path === '/status' || path.startsWith('/.well-known/')) {
    check.report(['broker', 'path'], 'the broker answers something else there', 'write it like /mcp')
  }
  return path
}

const everywhere: ReadonlySet<string> = new Set(['0.0.0.0', '[::]'])

function resolveHosts(draft: BrokerDraft['allowedHosts'], own: string | undefined, check: Check): readonly string[] {
  if (draft === undefined) {
    if (own !== undefined && everywhere.has(own)) {
      check.warn('broker.allowedHosts is not set: requests for other hosts than those of loopback are refused')
      return []
    }
    return own === undefined || isLoopback(own) ? [] : [own]
  }
  return draft.map((text, index) => {
    const host = hostOf(text)
    if (host !== undefined) return host
    const message = 'expected a host name or address without port'
    check.report(['broker', 'allowedHosts', index], message, 'write it like mcp.example.com or [2001:db8::1]')
    return text
  })
}

/** A host as `URL` writes it, so that it compares with that of a request; undefined where there is more than a host. */
function hostOf(text: string): string | undefined {
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/i.test(text) || !URL.canParse(`http://${text}`)) return undefined
  return new URL(`http://${text}`).hostname
}

type UpstreamDraft = UpstreamFile & { readonly sessions: 'caller' | 'shared' }

async function resolveUpstream(
  draft: UpstreamDraft,
  path: Path,
  allowHttp: boolean,
  check: Check,
): Promise<UpstreamConfig | undefined> {
  const { url, command } = draft
  if (url !== undefined && command !== undefined) {
    check.report(path, 'expected only one of `url`, `command`', 'keep the one you want')
    return undefined
  }
  if (url !== undefined) return resolveHttp({ ...draft, url }, path, allowHttp, check)
  if (command !== undefined) return await resolveStdio({ ...draft, command }, path, check)
  check.report(path, 'expected one of `url`, `command`, found none', 'say where the server is')
  return undefined
}

function resolveHttp(
  draft: UpstreamDraft & { readonly url: string },
  path: Path,
  allowHttp: boolean,
  check: Check,
): HttpUpstreamConfig {
  const { url, headers = {}, timeoutSeconds = 60, sessions } = draft
  refuseKeys(draft, ['args', 'env', 'cwd'], 'command', path, check)
  const fault = addressFault(url, allowHttp || check.isBroken(['insecure']), 'insecure.httpUpstreams')
  if (fault !== undefined) {
    check.report([...path, 'url'], fault, 'write an https address; what is secret belongs in `headers`')
  }
  checkHeaders(headers, [...path, 'headers'], check)
  return { kind: 'http', url, headers, timeoutSeconds, sessions }
}

// What a connection needs for itself (RFC 9110 section 7.6.1), and what the protocol says in headers.
const ownedHeaders =
  /^(?:host|connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|upgrade|expect|accept|content-.*|last-event-id|x-mcp-.*|mcp-.*)$/i

function checkHeaders(headers: Readonly<Record<string, string>>, path: Path, check: Check): void {
  const seen = new Set<string>()
  for (const [name, value] of Object.entries(headers)) {
    const at = [...path, name]
    // RFC 9110 section 5.1 and 5.5, without the line breaks and letters beyond Latin-1 that fetch refuses.
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) {
      check.report(at, 'expected the name of a header', 'write it like authorization')
    } else if (ownedHeaders.test(name)) {
      check.report(at, 'a header that belongs to the connection or to MCP', 'remove it')
    } else if (seen.has(name.toLowerCase())) {
      check.report(at, 'the same header twice, in another case', 'keep one of them')
    } else if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      const message = 'expected one line of printable letters, none beyond Latin-1'
      check.report(at, message, 'look for a line break at the end of the value, or of the variable that it comes from')
    }
    seen.add(name.toLowerCase())
  }
}

async function resolveStdio(
  draft: UpstreamDraft & { readonly command: string },
  path: Path,
  check: Check,
): Promise<StdioUpstreamConfig> {
  const { command, args = [], env = {}, cwd = '.', timeoutSeconds = 60, sessions } = draft
  refuseKeys(draft, ['headers'], 'url', path, check)
  const holdsNul: Path | undefined = [
    { at: [...path, 'command'], text: command },
    ...args.map((text, index) => ({ at: [...path, 'args', index], text })),
    ...Object.entries(env).map(([name, text]) => ({ at: [...path, 'env', name], text: name + text })),
  ].find(({ text }) => text.includes('\0'))?.at
  if (holdsNul !== undefined) check.report(holdsNul, 'expected text without a zero byte', 'remove it')
  for (const name of Object.keys(env)) {
    if (name.includes('=')) check.report([...path, 'env', name], 'expected a name without `=`', 'write it like API_KEY')
  }
  const directory = check.absolute(cwd)
  const isDirectory = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  )
  // A program in a directory that is not there fails as if it were the program that is not.
  if (!isDirectory) check.report([...path, 'cwd'], 'expected a directory', 'make it, or write another one')
  return { kind: 'stdio', command, args, env, cwd: directory, timeoutSeconds, sessions }
}

function refuseKeys(
  draft: UpstreamDraft,
  keys: readonly (keyof UpstreamFile)[],
  owner: string,
  path: Path,
  check: Check,
): void {
  for (const key of keys) {
    if (draft[key] !== undefined) {
      check.report([...path, key], `it goes with \`${owner}\`, which is not here`, `remove it, or write \`${owner}\``)
    }
  }
}
