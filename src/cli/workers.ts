import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Addresses } from '../service.ts'
import { type ExitCode, exit } from './exit.ts'
import { untilStopped } from './signals.ts'

/** A worker that died is replaced after this many milliseconds, so that one that cannot start does not spin. */
const respawnMs = 1000

/**
 * Runs `count` processes that share both ports; the connections are dealt out among them.
 * @returns once a signal came and every worker has drained; the code of the first worker that could not start
 */
export async function superviseWorkers(
  count: number,
  announce: (addresses: Addresses) => Promise<void>,
): Promise<ExitCode> {
  let stopping = false
  const workers = Array.from({ length: count }, () => cluster.fork())
  const ready = await Promise.all(workers.map(started))
  const failed = ready.find((state) => typeof state === 'number')
  if (failed !== undefined) {
    for (const worker of workers) worker.kill()
    return failed === exit.usage ? exit.usage : exit.internal
  }
  cluster.on('exit', () => {
    if (!stopping) void sleep(respawnMs).then(() => (stopping ? undefined : cluster.fork()))
  })
  await announce(ready[0] as Addresses)
  await untilStopped()
  stopping = true
  const alive = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
  await Promise.all(alive.map(ended))
  return exit.ok
}

/** The addresses a worker listens on, or the code it ended with before it did. */
async function started(worker: Worker): Promise<Addresses | number> {
  return await new Promise((resolve) => {
    worker.once('message', (message: { ready: Addresses }) => resolve(message.ready))
    worker.once('exit', (code: number | null) => resolve(code ?? exit.internal))
  })
}

async function ended(worker: Worker): Promise<void> {
  const gone = once(worker, 'exit')
  worker.process.kill('SIGTERM')
  await gone
}
