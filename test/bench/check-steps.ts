// `Check` over loopback gRPC: the service beside two servers that decide nothing.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { check, connect } from '../envoy/clients.ts'
import { type Verify, verifyAllowed, verifyDenied, verifyGenerator, verifySame } from './check-answers.ts'
import { cpuTime, type ServerProcess, startServer } from './children.ts'
import type { Measured, Row, Step } from './figures.ts'
import { createLoadGenerator, type LoadGenerator, type LoadResult } from './ghz.ts'
import type { RunningService } from './service-process.ts'
import type { Workload } from './workload.ts'

/** The steps, and how long the answer is that every contestant gives. */
export interface CheckPart {
  readonly steps: readonly Step[]
  readonly answerBytes: number
}

interface Contestant {
  readonly id: 'service' | 'grpc-js' | 'http2'
  readonly name: string
  readonly pid: number
  readonly address: string
  readonly verify: Verify
}

const groups = {
  one: 'Check over gRPC, 1 in flight (lower is better)',
  many: 'Check over gRPC, 64 in flight over 8 connections (higher is better)',
  cpu: "Check over gRPC, 64 in flight: the server's CPU per request, without the load generator's (lower is better)",
} as const

/**
 * Starts the servers beside the service and tries every one with a real client.
 * @throws Error when a server does not start or gives a wrong answer
 */
export async function checkPart(ghz: string, workload: Workload, service: RunningService): Promise<CheckPart> {
  const { folder, allowed } = workload
  const requestFile = join(folder, 'check-request.bin')
  await writeFile(requestFile, allowed)
  const generator = createLoadGenerator(ghz, requestFile, folder)
  await verifyGenerator(generator, workload)
  const answer = await answerOf(service.grpc, workload)
  const answerFile = join(folder, 'check-response.bin')
  await writeFile(answerFile, answer)
  const same = verifySame(workload, answer)
  const contestants: readonly Contestant[] = [
    {
      id: 'service',
      name: 'mcp-authz serve',
      pid: service.pid,
      address: service.grpc,
      verify: verifyAllowed(workload, service.http),
    },
    { id: 'grpc-js', name: 'no-op grpc-js', verify: same, ...(await floor('grpc-floor.ts', answerFile, folder)) },
    { id: 'http2', name: 'no-op node:http2', verify: same, ...(await floor('http2-floor.ts', answerFile, folder)) },
  ]
  const tellsCpu = (await cpuTime(process.pid)) !== undefined
  return {
    steps: [
      ...contestants.map((contestant) => latencyStep(contestant, generator)),
      ...contestants.map((contestant) => throughputStep(contestant, generator, tellsCpu)),
    ],
    answerBytes: answer.length,
  }
}

/** The service's answer, once it has been seen to say yes and no where it must. */
async function answerOf(address: string, workload: Workload): Promise<Buffer> {
  const client = connect(address)
  try {
    await verifyDenied(workload)(client)
    return await check(client, workload.allowed)
  } finally {
    client.close()
  }
}

async function floor(file: string, answerFile: string, cwd: string): Promise<{ pid: number; address: string }> {
  const program = fileURLToPath(new URL(file, import.meta.url))
  const started: ServerProcess = await startServer(process.execPath, [program, answerFile], {
    ready: /^ready grpc=(?<grpc>\S+)$/,
    cwd,
  })
  return { pid: started.pid, address: started.groups['grpc'] ?? '' }
}

function latencyStep(contestant: Contestant, generator: LoadGenerator): Step {
  const rows = (['p50', 'p99'] as const).map((measure) =>
    rowOf(contestant, { key: `one.${measure}`, group: groups.one, measure, unit: 'µs' }),
  )
  return {
    rows,
    async run(milliseconds) {
      const load = { inFlight: 1, connections: 1, stop: { milliseconds } } as const
      const { result, checkedAnswers } = await loaded(contestant, () => generator.run(contestant.address, load))
      return { values: valuesOf(rows, [result.p50, result.p99]), checkedAnswers }
    },
  }
}

function throughputStep(contestant: Contestant, generator: LoadGenerator, tellsCpu: boolean): Step {
  const rate = rowOf(contestant, { key: 'many.rate', group: groups.many, measure: 'throughput', unit: 'requests/s' })
  const cpu = rowOf(contestant, { key: 'many.cpu', group: groups.cpu, measure: 'CPU', unit: 'µs' })
  const rows = tellsCpu ? [rate, cpu] : [rate]
  return {
    rows,
    async run(milliseconds): Promise<Measured> {
      const before = (await cpuTime(contestant.pid)) ?? 0
      const load = { inFlight: 64, connections: 8, stop: { milliseconds: 1.5 * milliseconds } } as const
      const { result, checkedAnswers } = await loaded(
        contestant,
        () => generator.run(contestant.address, load),
        milliseconds / 20,
      )
      const used = ((await cpuTime(contestant.pid)) ?? 0) - before
      return { values: valuesOf(rows, [result.perSecond, used / result.requests]), checkedAnswers }
    },
  }
}

/** A load, with answers looked at before it, after it, and, where a pause is given, while it lasts. */
async function loaded(
  { address, verify }: Contestant,
  work: () => Promise<LoadResult>,
  pauseMs?: number,
): Promise<{ result: LoadResult; checkedAnswers: number }> {
  const client = connect(address)
  let checkedAnswers = 0
  const look = async (): Promise<void> => {
    await verify(client)
    checkedAnswers += 1
  }
  try {
    await look()
    const over = new AbortController()
    const looking = pauseMs === undefined ? undefined : lookWhile(over.signal, look, pauseMs)
    // Settled together: a wrong answer is not to be lost because the load ended well.
    const [result] = await Promise.all([work().finally(() => over.abort()), looking])
    await look()
    return { result, checkedAnswers }
  } finally {
    client.close()
  }
}

async function lookWhile(over: AbortSignal, look: () => Promise<void>, pauseMs: number): Promise<void> {
  while (!over.aborted) {
    await sleep(pauseMs, undefined, { signal: over }).catch(() => undefined)
    if (!over.aborted) await look()
  }
}

function rowOf(
  { id, name }: Contestant,
  { key, ...rest }: Pick<Row, 'group' | 'measure' | 'unit'> & { readonly key: string },
): Row {
  const others = (['grpc-js', 'http2'] as const).map((peer) => `check.${peer}.${key}`)
  return { ...rest, id: `check.${id}.${key}`, name, peers: id === 'service' ? others : [] }
}

function valuesOf(rows: readonly Row[], values: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(rows.map(({ id }, at) => [id, values[at] ?? Number.NaN]))
}
