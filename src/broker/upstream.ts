import type { Implementation, PriorDiscovery } from '@modelcontextprotocol/client'
import type { HealthConfig, UpstreamConfig } from '../config/config.ts'
import { createAccess } from './access.ts'
import { createBell } from './bell.ts'
import { clientOf, type UpstreamClient } from './client.ts'
import { isSessionLost } from './failure.ts'
import { keep, type UpstreamState } from './keeper.ts'
import { type Link, openLink } from './link.ts'
import type { Offer } from './offer.ts'
import { createSessions } from './sessions.ts'
import { createStanding } from './standing.ts'
import { UpstreamUnavailable } from './unavailable.ts'
import { createWarnings } from './warnings.ts'
import { printable, type Wording, wordingOf } from './wording.ts'

export type { CallOptions, UpstreamClient } from './client.ts'
export type { UpstreamState } from './keeper.ts'
export type { Offer } from './offer.ts'
export { type Outage, UpstreamUnavailable } from './unavailable.ts'

/** One of the servers behind the broker. */
export interface Upstream {
  readonly id: string
  /** What it offered when it was last asked; undefined until it was reached, and while it is away or disabled. */
  offered(): Offer | undefined
  state(): UpstreamState
  /** Disabled: disconnects, forgets what it offered, and ends every caller's session. Enabled: connects. */
  setEnabled(enabled: boolean): void
  /**
   * Somebody to ask for a caller; connects first where callers have connections of their own. It stays good for as long
   * as the server is there: a session that ended meanwhile is opened anew.
   *
   * @throws UpstreamUnavailable
   */
  session(caller: string): Promise<UpstreamClient>
  /** Resolves once it was tried for the first time, whether or not it was reached. */
  readonly first: Promise<void>
  /** Ends every connection, session and process. */
  close(): Promise<void>
}

export interface UpstreamOptions {
  /** What the broker calls itself. */
  readonly client: Implementation
  readonly health: HealthConfig
  /** Default: true. */
  readonly enabled?: boolean
  /** Told when `offered()` gives something else than before. */
  readonly onChange?: () => void
  /** Told one line at a time, without secrets of the configuration, once for each outage or flaw. */
  readonly onWarning?: (text: string) => void
  /** What a server on stdio writes to stderr: one line, cut at 1,000 letters, the server's id before it. */
  readonly onLog?: (line: string) => void
  /** Callers with a session of their own at once. Default: 100. */
  readonly maxSessions?: number
  /** How long a session that is not used stays. Default: 5 minutes. */
  readonly idleMs?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** From 0 to 1. */
  readonly random?: () => number
}

const maxSessions = 100
const idleMs = 300_000
const maxLogLetters = 1000
/** Between two looks at a server that says that something changed. */
const leastMs = 250

/** Begins to connect with a server, unless it is not enabled, and stays connected until it is closed. */
export function createUpstream(id: string, config: UpstreamConfig, options: UpstreamOptions): Upstream {
  const { now = Date.now, random = Math.random, onChange = ignore, onWarning = ignore, health } = options
  const wording = wordingOf(config)
  const warnings = createWarnings(id, wording, onWarning)
  const bell = createBell(leastMs)
  const open = opener(id, config, wording, options)
  const { promise: first, resolve: tried } = Promise.withResolvers<void>()
  const { state, presence, setState: onState, setPresence: onPresence } = createStanding(now, warnings, onChange)
  const sessions = createSessions({
    open: (signal) =>
      open({ signal, prior: presence()?.link.prior }).catch((thrown: unknown) => {
        if (!signal.aborted) warnings.flaw(`no session for a caller: ${wording.fault(thrown)}`)
        // What the server says to the broker is not said to whoever asks.
        throw new UpstreamUnavailable(id, 'unreachable', { cause: wording.fault(thrown) })
      }),
    isLost: isSessionLost,
    most: options.maxSessions ?? maxSessions,
    idleMs: options.idleMs ?? idleMs,
  })
  const connection = createSwitch(async (signal) => {
    const onTrouble = seldom(bell.ring, now)
    const keeping = { open: () => open({ signal, onNews: bell.ring, onTrouble }), health, bell, wording, now, random }
    await keep({ ...keeping, onState, onPresence, onTried: tried, onFlaw: warnings.flaw }, signal)
  })
  const access = createAccess(id, config, {
    wording,
    sessions,
    presence,
    isEnabled: connection.isOn,
    onFault: bell.ring,
  })

  function setEnabled(enabled: boolean): void {
    if (!connection.turn(enabled)) return
    onState({ kind: enabled ? 'connecting' : 'disabled' })
    if (enabled) return
    tried()
    onPresence(undefined)
    void sessions.clear()
  }

  if (options.enabled ?? true) setEnabled(true)
  else tried()
  return {
    id,
    first,
    offered: () => presence()?.offer,
    state,
    setEnabled,
    async session(caller) {
      await access.ready(caller)
      return clientOf((method, params, how) => access.request(caller, method, params, how))
    },
    async close() {
      setEnabled(false)
      await Promise.all([connection.end(), sessions.clear()])
    },
  }
}

function ignore(): void {}

/** Leaves out what follows within a second. */
function seldom(run: () => void, now: () => number): () => void {
  let last = Number.NEGATIVE_INFINITY
  return () => {
    if (now() - last < 1000) return
    last = now()
    run()
  }
}

interface Opening {
  readonly signal: AbortSignal
  readonly prior?: PriorDiscovery | undefined
  readonly onNews?: () => void
  readonly onTrouble?: () => void
}

function opener(
  id: string,
  config: UpstreamConfig,
  wording: Wording,
  { client, health, onLog = ignore }: UpstreamOptions,
): (opening: Opening) => Promise<Link> {
  const probeTimeoutMs = health.timeoutSeconds * 1000
  // A program may have to be fetched before it can answer.
  const timeoutMs = config.kind === 'http' ? probeTimeoutMs : config.timeoutSeconds * 1000
  const onLine = (line: string) => onLog(`${id}: ${printable(wording.redact(line), maxLogLetters)}`)
  return async (opening) => await openLink(config, { client, probeTimeoutMs, timeoutMs, onLine, ...opening })
}

/** Something that is on or off, and never on twice. */
interface Switch {
  isOn(): boolean
  /** Whether it was turned: it is as it should be already, or it has ended, otherwise. */
  turn(on: boolean): boolean
  /** Off for good; resolves when nothing of it runs any more. */
  end(): Promise<void>
}

function createSwitch(run: (signal: AbortSignal) => Promise<void>): Switch {
  let ending: AbortController | undefined
  let last = Promise.resolve()
  let isOver = false
  function turn(on: boolean): boolean {
    if (isOver || on === (ending !== undefined)) return false
    ending?.abort()
    const begun = on ? new AbortController() : undefined
    ending = begun
    if (begun !== undefined) last = last.then(() => run(begun.signal))
    return true
  }
  return {
    isOn: () => ending !== undefined,
    turn,
    async end() {
      turn(false)
      isOver = true
      await last
    },
  }
}
