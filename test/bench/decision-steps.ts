// The decision alone: the WASM engine beside OPA's own evaluator, and both behind HTTP.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bundle, readBundle } from '../../src/bundle/bundle.ts'
import { createStore } from '../../src/bundle/store.ts'
import { loadData } from '../../src/config/data.ts'
import { validatorOf } from '../../src/config/schema.ts'
import type { Capabilities, Verdict } from '../../src/policy/decision.gen.ts'
import type { Engine } from '../../src/policy/engine.ts'
import type { Input } from '../../src/policy/input.gen.ts'
import { committedBundle, revisionOf } from '../../tools/bundle.ts'
import { root } from '../../tools/paths.ts'
import { cpuTime } from './children.ts'
import { evaluationFor, inputFor, verifyAuthzen, verifyDecisions } from './decision-answers.ts'
import { type Measured, percentile, type Row, type Step } from './figures.ts'
import { type Asker, createAsker } from './http-client.ts'
import { createOpa, type Opa } from './opa.ts'
import type { RunningService } from './service-process.ts'
import { call, type Workload } from './workload.ts'

/** The steps, and the sizes of what is asked. */
export interface DecisionPart {
  readonly steps: readonly Step[]
  readonly inputBytes: number
  /** Whether OPA has the very policies that the engine's WASM was compiled from. */
  readonly samePolicies: boolean
}

const groups = {
  bare: 'One decision in process; the WASM engine takes an object, opa bench an input parsed beforehand (lower is better)',
  http: 'One decision over HTTP, AuthZEN beside /v1/data, 1 in flight, the same client (lower is better)',
  cpu: "One decision over HTTP: the server's CPU per request (lower is better)",
} as const

const ids = {
  engine: 'decision.engine',
  bench: 'decision.opa-bench',
  authzen: 'decision.authzen',
  opa: 'decision.opa-server',
} as const

/**
 * Loads the engine, starts OPA's server with the same policies and data, and has all of them decide the same.
 * @throws Error when one of them decides otherwise
 */
export async function decisionPart(
  program: string,
  workload: Workload,
  service: RunningService,
): Promise<DecisionPart> {
  const bundle = await readBundle(await readFile(committedBundle))
  const engine = await loadEngine(bundle, workload.dataFile)
  const input = inputFor(workload, call.visible)
  const opa = await createOpa(program, workload, input)
  const rego = await opa.serve()
  await verifyDecisions(engine, rego.address, workload)
  await verifyAuthzen(service.http, workload)
  const tellsCpu = (await cpuTime(process.pid)) !== undefined
  return {
    steps: [
      engineStep(engine, input),
      benchStep(opa),
      httpStep({
        id: ids.authzen,
        name: 'mcp-authz serve',
        pid: service.pid,
        tellsCpu,
        peers: [ids.opa],
        asker: () => createAsker(service.http, '/access/v1/evaluation', evaluationFor(workload, call.visible)),
        isRight: (answer) => (answer as { decision?: unknown }).decision === true,
      }),
      httpStep({
        id: ids.opa,
        name: 'opa run --server',
        pid: rego.pid,
        tellsCpu,
        peers: [],
        asker: () => createAsker(rego.address, '/v1/data/mcp/authz/decision', { input }),
        isRight: (answer) => (answer as { result?: { allow?: unknown } }).result?.allow === true,
      }),
    ],
    inputBytes: Buffer.byteLength(JSON.stringify(input)),
    samePolicies: bundle.revision === (await revisionOf(join(root, 'policies'))),
  }
}

async function loadEngine(bundle: Bundle, dataFile: string): Promise<Engine> {
  const verdict = validatorOf<Verdict>('decision', 'verdict')
  const capabilities = validatorOf<Capabilities>('decision', 'capabilities')
  const store = createStore({
    verdict: (value): value is Verdict => verdict(value),
    capabilities: (value): value is Capabilities => capabilities(value),
  })
  return store.replace(bundle, await loadData([dataFile]))
}

function engineStep(engine: Engine, input: Input): Step {
  const row: Row = {
    id: ids.engine,
    group: groups.bare,
    name: 'engine.decide (WASM)',
    measure: 'mean',
    unit: 'µs',
    peers: [ids.bench, `${ids.opa}.p50`],
  }
  return {
    rows: [row],
    async run(milliseconds): Promise<Measured> {
      const started = performance.now()
      let decisions = 0
      let allowed = 0
      while (performance.now() - started < milliseconds / 2) {
        for (let at = 0; at < 100; at += 1) if (engine.decide(input).allow) allowed += 1
        decisions += 100
      }
      const elapsed = performance.now() - started
      if (allowed !== decisions) throw new Error('the engine did not allow every time')
      return { values: { [row.id]: (elapsed * 1000) / decisions }, checkedAnswers: allowed }
    },
  }
}

/** Go's evaluator as OPA measures it: the input parsed already, no HTTP. */
function benchStep(opa: Opa): Step {
  const row: Row = {
    id: ids.bench,
    group: groups.bare,
    name: 'opa bench (Go)',
    measure: 'mean',
    unit: 'µs',
    peers: [],
  }
  return {
    rows: [row],
    run: async () => ({ values: { [row.id]: await opa.bench() }, checkedAnswers: 1 }),
  }
}

interface HttpContestant {
  readonly id: string
  readonly name: string
  readonly pid: number
  readonly tellsCpu: boolean
  readonly peers: readonly string[]
  readonly asker: () => Asker
  readonly isRight: (answer: unknown) => boolean
}

function httpStep({ id, name, pid, tellsCpu, peers, asker, isRight }: HttpContestant): Step {
  const rowOf = (measure: 'p50' | 'p99' | 'CPU'): Row => ({
    id: `${id}.${measure}`,
    group: measure === 'CPU' ? groups.cpu : groups.http,
    name,
    measure,
    unit: 'µs',
    peers: peers.map((peer) => `${peer}.${measure}`),
  })
  return {
    rows: [rowOf('p50'), rowOf('p99'), ...(tellsCpu ? [rowOf('CPU')] : [])],
    async run(milliseconds): Promise<Measured> {
      const { ask, close } = asker()
      const before = (await cpuTime(pid)) ?? 0
      const latencies: number[] = []
      const started = performance.now()
      while (performance.now() - started < milliseconds) {
        const sent = performance.now()
        const answer = await ask()
        latencies.push((performance.now() - sent) * 1000)
        if (!isRight(answer)) throw new Error(`${name}: a wrong answer, so nothing is measured`)
      }
      const used = ((await cpuTime(pid)) ?? 0) - before
      close()
      const values = {
        [`${id}.p50`]: percentile(latencies, 50),
        [`${id}.p99`]: percentile(latencies, 99),
        [`${id}.CPU`]: used / latencies.length,
      }
      return { values, checkedAnswers: latencies.length }
    },
  }
}
