import type { Carriage } from './carriage.ts'
import { causeOf } from './outage.ts'

/** Where the Redis or Valkey is, and what stands before each of its keys. */
export interface RedisOptions {
  /** `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS, `redis+unix:///path`. */
  readonly url: string
  readonly prefix: string
  /** How entries are carried. Default: as they are, and everybody is believed who can write there. */
  readonly carriage?: Carriage | undefined
}

/** A connection that comes back by itself. While it is away each command rejects at once. */
export type RedisClient = ReturnType<typeof create>

/** Two connections: one that waits for what is new, and one for everything that must not wait. */
export interface RedisConnections {
  readonly waiting: RedisClient
  readonly asking: RedisClient
  /** Resolves once both are there for the first time, or one could not be had. */
  readonly answered: Promise<void>
  /** How often the waiting one was connected: another number, and something may have been missed. */
  generation(): number
  /** What a failure means, without the password, for a log. */
  explain(error: unknown): string
  /** The address without user and password. */
  readonly name: string
  close(): void
}

type Library = typeof import('@redis/client')

// A connection that is silent for so long is given up. The waiting one is never silent for longer than its XREAD, and
// the other one is kept from silence by a ping (a server that hangs answers neither; commands written to it would
// otherwise wait for ever).
const silentMs = 1000
const pingEveryMs = 250

/**
 * Connects in the background, and again whenever a connection is lost.
 * @throws {Error} where the address is none
 */
export async function connectRedis({ url }: RedisOptions): Promise<RedisConnections> {
  const library = await import('@redis/client')
  const name = nameOf(url)
  const { waiting, asking } = createBoth(library, url)
  let generation = 0
  let cause: string | undefined
  const { promise: answered, resolve: setAnswered } = Promise.withResolvers<void>()
  waiting.on('ready', () => {
    generation += 1
  })
  for (const client of [waiting, asking]) {
    // Without a listener an error ends the process. The follower and the callers report what comes of it.
    client.on('error', (error: unknown) => {
      cause = withoutSecrets(causeOf(error), url)
      setAnswered()
    })
    client.on('ready', () => {
      if (waiting.isReady && asking.isReady) setAnswered()
    })
    client.connect().catch(() => undefined)
  }
  return {
    waiting,
    asking,
    name,
    answered,
    generation: () => generation,
    explain: (error) =>
      error instanceof library.ClientOfflineError && cause !== undefined ? cause : withoutSecrets(causeOf(error), url),
    close() {
      setAnswered()
      waiting.destroy()
      asking.destroy()
    },
  }
}

function createBoth(library: Library, url: string): Pick<RedisConnections, 'waiting' | 'asking'> {
  try {
    return { waiting: create(library, url), asking: create(library, url, pingEveryMs) }
  } catch (error) {
    throw new Error(`the address of Redis cannot be used: ${causeOf(error)}`)
  }
}

function create({ createClient }: Library, url: string, pingInterval?: number) {
  return createClient({
    url: url.replace(/^redis\+unix:/, 'unix:'),
    // The older protocol has everything that is used here, and every server and proxy knows it.
    RESP: 2,
    maintNotifications: 'disabled',
    disableClientInfo: true,
    disableOfflineQueue: true,
    ...(pingInterval === undefined ? {} : { pingInterval }),
    socket: {
      connectTimeout: silentMs,
      socketTimeout: silentMs,
      reconnectStrategy: (retries) => Math.min(25 * 2 ** Math.min(retries, 4), 250),
    },
  })
}

function nameOf(url: string): string {
  if (!URL.canParse(url)) throw new Error('the address of Redis is none')
  const { protocol, host, pathname } = new URL(url)
  return protocol === 'redis+unix:' ? `redis+unix://${pathname}` : `${protocol}//${host}`
}

// An older server repeats the arguments of a command that it does not know, and AUTH is one of them.
function withoutSecrets(text: string, url: string): string {
  const { password } = new URL(url)
  if (password === '') return text
  return text.replaceAll(decodeURIComponent(password), '(password)').replaceAll(password, '(password)')
}
