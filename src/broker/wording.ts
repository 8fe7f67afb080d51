import type { UpstreamConfig } from '../config/config.ts'

/** What may be shown of text that came from a server or from the attempt to reach it. */
export interface Wording {
  /** The text without the values of headers and variables that the configuration gives the server. */
  redact(text: string): string
  /** The same, at most 200 printable letters on one line. */
  line(text: string): string
  /** What an error says, and the error that caused it, as one line. */
  fault(thrown: unknown): string
}

const maxLetters = 200
/** What is shorter is no secret, and would take other words apart. */
const minSecretLetters = 4

export function wordingOf(config: UpstreamConfig): Wording {
  const secrets = secretsOf(config)
  const redact = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '[redacted]'), text)
  const line = (text: string) => printable(redact(text), maxLetters)
  return { redact, line, fault: (thrown) => line(faultOf(thrown)) }
}

/** One line of what can be printed, cut where it is longer. */
export function printable(text: string, most: number): string {
  const letters = [...text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim()]
  return letters.length <= most ? letters.join('') : `${letters.slice(0, most - 1).join('')}…`
}

/** Longest first, so that no part is replaced in the place of the whole. */
function secretsOf(config: UpstreamConfig): readonly string[] {
  const values =
    config.kind === 'http'
      ? [...Object.values(config.headers).flatMap(partsOf), ...new URL(config.url).searchParams.values()]
      : Object.values(config.env).flatMap((value) => [value, ...value.split(/[\r\n]+/)])
  const forms = values.flatMap((value) => [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
  return [...new Set(forms)].filter((secret) => secret.length >= minSecretLetters).sort((a, b) => b.length - a.length)
}

/** A header's value, the credential after its scheme, and what a Basic credential stands for. */
function partsOf(value: string): readonly string[] {
  const whole = value.trim()
  const [scheme = '', ...rest] = whole.split(/\s+/)
  if (rest.length === 0) return [whole]
  if (scheme.toLowerCase() !== 'basic') return [whole, ...rest]
  const pair = Buffer.from(rest.join(''), 'base64').toString()
  return [whole, ...rest, pair, pair.slice(pair.indexOf(':') + 1)]
}

function faultOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const { status } = thrown as { readonly status?: unknown }
  const said = typeof status === 'number' ? `HTTP ${status}: ${thrown.message}` : thrown.message
  // `fetch failed` says nothing; what it was caused by does, by its code where it tried several addresses.
  const cause = thrown.cause instanceof Error ? thrown.cause : undefined
  if (cause === undefined) return said
  const { code } = cause as { readonly code?: unknown }
  return `${said} (${cause.message === '' ? String(code) : faultOf(cause)})`
}
