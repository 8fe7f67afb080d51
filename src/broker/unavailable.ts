/**
 * Why a server could not be asked: it is switched off; there is no connection, or it broke; the answer took too long;
 * what came was no answer that the protocol knows.
 */
export type Outage = 'disabled' | 'unreachable' | 'timeout' | 'answer'

const words: Readonly<Record<Outage, string>> = {
  disabled: 'is disabled',
  unreachable: 'is not reachable',
  timeout: 'did not answer in time',
  answer: 'gave no valid answer',
}

/** A server could not be asked. The message names its id and nothing else of it. */
export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable'
  readonly server: string
  readonly outage: Outage

  constructor(server: string, outage: Outage, options?: ErrorOptions) {
    super(`server \`${server}\` ${words[outage]}`, options)
    this.server = server
    this.outage = outage
  }
}
