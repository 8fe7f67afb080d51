import { type DestinationStream, pino } from 'pino'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'

/** Where decisions and faults are written, one JSON line each. Nothing it is given holds a token, a key or a claim. */
export interface DecisionLog {
  readonly decision: (decision: Decision) => void
  /** What went wrong behind a denial for which this service is to blame. */
  readonly fault: (code: ReasonCode, cause: string) => void
  readonly warning: (text: string) => void
  readonly info: (text: string) => void
}

export interface DecisionLogOptions {
  /** `silent` writes nothing, `warn` leaves decisions out. */
  readonly level: 'silent' | 'warn' | 'info'
  /** Default: standard error, since standard output belongs to the `ready` line. */
  readonly destination?: DestinationStream
}

/** Makes the log. */
export function createDecisionLog({ level, destination = pino.destination(2) }: DecisionLogOptions): DecisionLog {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
  return {
    // Field by field: what is not named here is not logged, whatever a decision may hold one day.
    decision({ id, allow, reasons, revision, subject, action, resource }) {
      logger.info({ decision: bounded({ id, allow, reasons, revision, subject, action, resource }) }, 'decision')
    },
    fault: (code, cause) => logger.error({ code, cause }, 'fault'),
    warning: (text) => logger.warn(text),
    info: (text) => logger.info(text),
  }
}

/** Names and methods come from clients, also from those without a credential. Characters. */
const maxTextLength = 512

/** The same with every text cut to a length that nobody can fill a disk with. */
function bounded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) => (typeof part === 'string' ? cut(part) : part)) as T
}

function cut(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength)}... (${text.length} characters)`
}
