// What every process that decides for others has in common: it tells log and metrics, and follows its data files.
import type { Assembly } from './assembly.ts'
import { type DataWatch, watchData } from './config/watch.ts'
import type { DecisionLog } from './decision-log/log.ts'
import type { Metrics } from './decision-log/metrics.ts'
import type { DeprecatedHeader } from './mcp/internal-headers.ts'
import { textOf } from './policy/errors.ts'

/** Where things are told. */
export interface Told {
  readonly log: DecisionLog
  readonly metrics: Metrics
}

/** Tells decisions and faults to both. */
export function tellBoth({ log, metrics }: Told): Pick<DecisionLog, 'decision' | 'fault'> {
  return {
    decision(decision) {
      metrics.decision(decision)
      log.decision(decision)
    },
    fault(code, cause) {
      metrics.fault(code)
      log.fault(code, cause)
    },
  }
}

/** Puts data files in place as they change; `onData` is told after. A bad one is refused, and the old ones go on. */
export function followData(assembly: Assembly, { log, metrics }: Told, onData: () => void = () => {}): DataWatch {
  return watchData(assembly.config.dataFiles, {
    current: assembly.data(),
    onData(data) {
      assembly.replaceData(data)
      onData()
      log.info(`new data is in place, revision ${assembly.revision()}`)
    },
    onError(error) {
      metrics.refusedData()
      log.warning(`the data files cannot be used, revision ${assembly.revision()} goes on: ${textOf(error)}`)
    },
  })
}

const deprecations = {
  envoy: 'a request carries HEADER, which is deprecated: it is removed; this is said once, and counted always',
  guard: 'a request was authenticated by HEADER, which is deprecated; this is said once, and counted always',
} as const

/** Counts requests with a deprecated header; a log is told of the first. */
export function countDeprecated(
  door: keyof typeof deprecations,
  { log, metrics }: Told,
): (header: DeprecatedHeader) => void {
  let isTold = false
  return (header) => {
    metrics.deprecated(header, door)
    if (!isTold) log.warning(deprecations[door].replace('HEADER', header))
    isTold = true
  }
}
