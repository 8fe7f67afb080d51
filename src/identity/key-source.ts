import { addressFault, discoverKeys, discoveryAddress, type FetchOptions, fetchDocument } from './key-document.ts'
import { type KeySet, readKeySet } from './keys.ts'
import type { IssuerOptions, KeysOption } from './options.ts'

/** Where the current keys of one issuer are had. Nothing here rejects. */
export interface KeySource {
  /** The set to verify with now; undefined: the keys cannot be had. The same object as long as the keys are the same. */
  current(): Promise<KeySet | undefined>
  /**
   * The set after looking again, at most once a second, because the key that is wanted was not in it; undefined where
   * that could not be looked for.
   */
  renewed(holds: (set: KeySet) => boolean): Promise<KeySet | undefined>
  /** Whether there is a set that may be used. Asking also renews an old one, so that a probe keeps an idle service ready. */
  ready(): boolean
  /** Fetches the keys, unless they are here. */
  load(): Promise<void>
  /** Ends what is under way; no keys are had from then on. */
  close(): void
}

export interface KeySourceOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly fetch: typeof globalThis.fetch
  /** Also fetch over plain http from other hosts than this one. */
  readonly allowHttp: boolean
  /** How long one attempt may take, in milliseconds; 5000 by default. */
  readonly timeoutMs?: number
  /** Told why the keys could not be fetched, once for each cause until they can be again; for a log. */
  readonly onFault?: ((detail: string) => void) | undefined
}

/**
 * How old a set may become, in milliseconds, where the issuer's options do not say: while the issuer answers, being
 * renewed from half of that on; and while it does not.
 */
export const defaultKeyAges = { maxAgeMs: 10 * 60_000, maxOutageMs: 60 * 60_000 } as const

const retryAfterMs = 1000
/** For how long after a failure requests no longer wait for the next attempt, in milliseconds. */
const failureHoldsMs = 30_000
const defaultTimeoutMs = 5000

/** Whose keys, and where they are. */
export type KeyOwner = Pick<IssuerOptions, 'issuer' | 'keys' | 'keyAges'>

/**
 * Opens the key source of one issuer.
 * @throws TypeError when the issuer's keys cannot be used whatever happens: no JWK Set, a refused address, an empty secret
 */
export function createKeySource(issuer: KeyOwner, options: KeySourceOptions): KeySource {
  const { keys } = issuer
  if (keys.kind === 'secret') return fixedSource(secretSet(issuer.issuer, keys.secret))
  if (keys.kind === 'jwks') return fixedSource(staticSet(issuer.issuer, keys.jwks))
  const address = keys.kind === 'url' ? keys.url : discoveryAddress(issuer.issuer)
  const fault = addressFault(address, options.allowHttp)
  if (fault !== undefined) throw new TypeError(`keys of issuer \`${issuer.issuer}\`: ${fault}`)
  const ages = issuer.keyAges ?? defaultKeyAges
  return new RemoteSource((signal) => fetchKeys(issuer.issuer, keys, { ...options, signal }), ages, options)
}

type KeyAges = NonNullable<IssuerOptions['keyAges']>

type Fetched =
  | { readonly ok: true; readonly set: KeySet; readonly text: string }
  | { readonly ok: false; readonly detail: string }

class RemoteSource implements KeySource {
  readonly #fetchKeys: (signal: AbortSignal) => Promise<Fetched>
  readonly #maxAgeMs: number
  readonly #maxOutageMs: number
  readonly #now: () => number
  readonly #timeoutMs: number
  readonly #onFault: (detail: string) => void
  #told: string | undefined
  readonly #closing = new AbortController()
  #loaded: { readonly set: KeySet; readonly text: string; readonly at: number } | undefined
  #underWay: Promise<void> | undefined
  #triedAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #renewedAt = Number.NEGATIVE_INFINITY

  constructor(fetchKeys: (signal: AbortSignal) => Promise<Fetched>, ages: KeyAges, options: KeySourceOptions) {
    this.#fetchKeys = fetchKeys
    this.#maxAgeMs = ages.maxAgeMs
    this.#maxOutageMs = ages.maxOutageMs
    this.#now = options.now
    this.#timeoutMs = options.timeoutMs ?? defaultTimeoutMs
    this.#onFault = options.onFault ?? (() => undefined)
  }

  async current(): Promise<KeySet | undefined> {
    const attempt = this.#renewIfDue()
    const age = this.#age()
    if (age >= this.#maxAgeMs && !this.#mayServeWithoutWaiting(age)) await attempt
    return this.#usable()
  }

  async renewed(holds: (set: KeySet) => boolean): Promise<KeySet | undefined> {
    // What is under way may have been answered before the key was published: it stands for looking again only if it fails.
    const joined = this.#underWay
    await joined
    const set = this.#usable()
    if (set !== undefined && holds(set)) return set
    if (joined !== undefined && this.#since(this.#failedAt) < retryAfterMs) return undefined
    if (this.#since(this.#renewedAt) >= retryAfterMs) {
      this.#renewedAt = this.#now()
      void this.#attempt()
    }
    await this.#underWay
    const found = this.#usable()
    // Of an issuer that does not answer nobody can say that it has no such key.
    const isOut = this.#failedAt !== Number.NEGATIVE_INFINITY
    return isOut && found !== undefined && !holds(found) ? undefined : found
  }

  ready(): boolean {
    void this.#renewIfDue()
    return this.#usable() !== undefined
  }

  async load(): Promise<void> {
    await this.current()
  }

  close(): void {
    this.#closing.abort()
    this.#loaded = undefined
  }

  #renewIfDue(): Promise<void> | undefined {
    const due = this.#age() >= this.#maxAgeMs / 2 && this.#since(this.#triedAt) >= retryAfterMs
    return due ? this.#attempt() : this.#underWay
  }

  /** In a known outage nobody waits: the set is served, and the next attempt goes on beside it. */
  #mayServeWithoutWaiting(age: number): boolean {
    return age < this.#maxOutageMs && this.#since(this.#failedAt) < failureHoldsMs
  }

  #usable(): KeySet | undefined {
    return this.#age() < this.#maxOutageMs ? this.#loaded?.set : undefined
  }

  #age(): number {
    return this.#loaded === undefined ? Number.POSITIVE_INFINITY : this.#since(this.#loaded.at)
  }

  /** A clock that was set back must not make keys younger. */
  #since(time: number): number {
    return Math.abs(this.#now() - time)
  }

  #attempt(): Promise<void> {
    this.#underWay ??= this.#fetchOnce().finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #fetchOnce(): Promise<void> {
    const at = this.#now()
    this.#triedAt = at
    const fetched = await this.#fetchKeys(AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#timeoutMs)]))
    if (this.#closing.signal.aborted) return
    if (!fetched.ok) {
      this.#failedAt = this.#now()
      this.#tell(fetched.detail)
    } else {
      this.#failedAt = Number.NEGATIVE_INFINITY
      this.#told = undefined
      const same = this.#loaded?.text === fetched.text ? this.#loaded.set : undefined
      this.#loaded = { set: same ?? fetched.set, text: fetched.text, at }
    }
  }

  #tell(detail: string): void {
    if (detail === this.#told) return
    this.#told = detail
    try {
      this.#onFault(detail)
    } catch {
      // Keys are fetched whatever becomes of the log.
    }
  }
}

async function fetchKeys(issuer: string, keys: KeysOption, options: FetchOptions): Promise<Fetched> {
  const document = keys.kind === 'url' ? await fetchDocument(keys.url, options) : await discoverKeys(issuer, options)
  if (!document.ok) return document
  const reading = readKeySet(document.value)
  return reading.ok ? { ok: true, set: reading.set, text: document.text } : reading
}

function fixedSource(set: KeySet): KeySource {
  return {
    current: async () => set,
    renewed: async () => set,
    ready: () => true,
    load: async () => undefined,
    close: () => undefined,
  }
}

function staticSet(issuer: string, jwks: unknown): KeySet {
  const reading = readKeySet(jwks)
  if (!reading.ok) throw new TypeError(`keys of issuer \`${issuer}\`: ${reading.detail}`)
  return reading.set
}

function secretSet(issuer: string, secret: Uint8Array): KeySet {
  if (secret.byteLength === 0) throw new TypeError(`keys of issuer \`${issuer}\`: expected a secret that is not empty`)
  return { kind: 'secret', secret: new Uint8Array(secret) }
}
