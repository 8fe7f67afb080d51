import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Decision, ReasonCode } from '../policy/decision.gen.ts'

/** Counts of what was decided, in the text format of Prometheus. No label ever holds what a client sent. */
export interface Metrics {
  readonly decision: (decision: Decision) => void
  readonly fault: (code: ReasonCode) => void
  /** A data file that could not be used. */
  readonly refusedData: () => void
  /** A capability key that could not be used. */
  readonly refusedKey: () => void
  /** A request with a deprecated header: `guard`: it was authenticated by it; `envoy`: it carried it. */
  readonly deprecated: (header: 'x-authorized-tools', door?: 'guard' | 'envoy') => void
  text(): Promise<string>
  readonly contentType: string
}

/** What is read when somebody asks. */
export interface MetricSources {
  readonly revision: () => string
  readonly ready: () => boolean
  /** Absent: nothing is revoked here. */
  readonly revocations?: () => RevocationFigures
  /** Absent: no lists are filtered here. */
  readonly filtering?: () => number
  /** Whether each server behind the broker is reached, by its id. Absent: there is no broker here. */
  readonly upstreams?: () => Readonly<Record<string, boolean>>
  /** Items that are gone because their definition changed. Absent: nobody looks at definitions here. */
  readonly changedDefinitions?: () => number
}

/** How it stands with what was revoked. */
export interface RevocationFigures {
  readonly inForce: number
  /** Seconds for which it has not been certain that nothing was missed; Infinity: it never was. */
  readonly uncertainSeconds: number
  /** By issuer, the seconds since everything that happened there was last read; Infinity: never yet. */
  readonly feedAgeSeconds: Readonly<Record<string, number>>
}

/** Makes the metrics of one process; under `--workers` each answers for itself. */
export function createMetrics(sources: MetricSources): Metrics {
  const registers = [new Registry()]
  const [registry = new Registry()] = registers
  collectDefaultMetrics({ register: registry })
  const decisions = new Counter({
    name: 'mcp_authz_decisions_total',
    help: 'Decisions, by outcome and first reason (empty where allowed).',
    labelNames: ['allow', 'reason'],
    registers,
  })
  const faults = new Counter({
    name: 'mcp_authz_faults_total',
    help: 'Denials for which this service is to blame, by code.',
    labelNames: ['code'],
    registers,
  })
  const refused = new Counter({
    name: 'mcp_authz_data_refused_total',
    help: 'Data files that changed and could not be used; the earlier data went on.',
    registers,
  })
  const refusedKeys = new Counter({
    name: 'mcp_authz_capability_key_refused_total',
    help: 'Capability keys that changed and could not be used; the earlier key went on.',
    registers,
  })
  const deprecated = new Counter({
    name: 'mcp_authz_deprecated_credentials_total',
    help: 'Requests with a deprecated credential: at the guard those that it authenticated, at Envoy those that carried it.',
    labelNames: ['header', 'door'],
    registers,
  })
  const { revocations, filtering, upstreams, changedDefinitions } = sources
  addGauges(registers, sources)
  if (revocations !== undefined) addRevocationGauges(registers, revocations)
  if (filtering !== undefined) addFilteringGauge(registers, filtering)
  if (upstreams !== undefined) addUpstreamGauge(registers, upstreams)
  if (changedDefinitions !== undefined) addDefinitionGauge(registers, changedDefinitions)
  return {
    decision: ({ allow, reasons }) => decisions.inc({ allow: String(allow), reason: reasons[0]?.code ?? '' }),
    fault: (code) => faults.inc({ code }),
    refusedData: () => refused.inc(),
    refusedKey: () => refusedKeys.inc(),
    deprecated: (header, door = 'guard') => deprecated.inc({ header, door }),
    text: async () => await registry.metrics(),
    contentType: registry.contentType,
  }
}

function addGauges(registers: Registry[], { revision, ready }: MetricSources): void {
  new Gauge({
    name: 'mcp_authz_policy_info',
    help: 'The revision of policy and data that decides now.',
    labelNames: ['revision'],
    registers,
    collect() {
      this.reset()
      this.set({ revision: revision() }, 1)
    },
  })
  new Gauge({
    name: 'mcp_authz_ready',
    help: 'Whether a checked bundle and the keys of every issuer are loaded.',
    registers,
    collect() {
      this.set(ready() ? 1 : 0)
    },
  })
}

function addFilteringGauge(registers: Registry[], filtering: () => number): void {
  new Gauge({
    name: 'mcp_authz_list_filters_open',
    help: 'Streams of external processing that are open, one for each answer whose lists are being filtered.',
    registers,
    collect() {
      this.set(filtering())
    },
  })
}

function addUpstreamGauge(registers: Registry[], upstreams: () => Readonly<Record<string, boolean>>): void {
  new Gauge({
    name: 'mcp_authz_upstream_ready',
    help: 'Whether a server behind the broker is reached and was asked what it offers.',
    labelNames: ['server'],
    registers,
    collect() {
      this.reset()
      for (const [server, isReady] of Object.entries(upstreams())) this.set({ server }, isReady ? 1 : 0)
    },
  })
}

function addDefinitionGauge(registers: Registry[], changed: () => number): void {
  new Gauge({
    name: 'mcp_authz_changed_definitions',
    help: 'Items that are gone because they were listed with a definition that the catalogue does not approve.',
    registers,
    collect() {
      this.set(changed())
    },
  })
}

function addRevocationGauges(registers: Registry[], figures: () => RevocationFigures): void {
  new Gauge({
    name: 'mcp_authz_revocations',
    help: 'Revocations in force.',
    registers,
    collect() {
      this.set(figures().inForce)
    },
  })
  new Gauge({
    name: 'mcp_authz_revocations_uncertain_seconds',
    help: 'For how long it has not been certain that no revocation was missed; 0 when it is.',
    registers,
    collect() {
      this.set(figures().uncertainSeconds)
    },
  })
  new Gauge({
    name: 'mcp_authz_revocation_feed_age_seconds',
    help: "Since an issuer's events were last read whole.",
    labelNames: ['issuer'],
    registers,
    collect() {
      for (const [issuer, age] of Object.entries(figures().feedAgeSeconds)) this.set({ issuer }, age)
    },
  })
}
