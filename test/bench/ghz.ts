import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runToEnd } from './children.ts'
import { percentile } from './figures.ts'

/** How hard the load generator works. */
export interface Load {
  readonly inFlight: number
  readonly connections: number
  /** Either for so long, or so many requests. */
  readonly stop: { readonly milliseconds: number } | { readonly requests: number }
}

/** What came of it. Latencies in microseconds. */
export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** The load generator with one request to send. */
export interface LoadGenerator {
  /** @throws Error when any call did not end with gRPC's OK */
  run(address: string, load: Load): Promise<LoadResult>
}

interface Report {
  readonly count: number
  readonly rps: number
  readonly statusCodeDistribution: Readonly<Record<string, number>>
  readonly details: readonly { readonly latency: number }[]
}

const proto = fileURLToPath(new URL('check.proto', import.meta.url))

/** @param requestFile holds the bytes of the CheckRequest */
export function createLoadGenerator(ghz: string, requestFile: string, folder: string): LoadGenerator {
  return {
    async run(address, { inFlight, connections, stop }) {
      const output = join(folder, `ghz-${randomUUID()}.json`)
      const until =
        'requests' in stop
          ? ['-n', String(stop.requests)]
          : ['-z', `${Math.round(stop.milliseconds)}ms`, '--duration-stop', 'wait']
      const asked = ['--insecure', '--proto', proto, '--call', 'envoy.service.auth.v3.Authorization.Check']
      const load = ['-B', requestFile, '-c', String(inFlight), '--connections', String(connections), ...until]
      await runToEnd(ghz, [...asked, ...load, '-O', 'json', '-o', output, address])
      const report = JSON.parse(await readFile(output, 'utf8')) as Report
      await rm(output)
      return resultOf(report)
    },
  }
}

function resultOf({ count, rps, statusCodeDistribution, details }: Report): LoadResult {
  if (count === 0 || statusCodeDistribution['OK'] !== count) {
    throw new Error(`of ${count} calls not all ended OK: ${JSON.stringify(statusCodeDistribution)}`)
  }
  const latencies = details.map(({ latency }) => latency / 1000)
  return { requests: count, perSecond: rps, p50: percentile(latencies, 50), p99: percentile(latencies, 99) }
}
