// OPA itself, with the same policies (Rego, not WASM), the same data, the same input.
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Input } from '../../src/policy/input.gen.ts'
import { root } from '../../tools/paths.ts'
import { runToEnd, startSilentServer } from './children.ts'
import type { Workload } from './workload.ts'

/** The peer, in its two forms. */
export interface Opa {
  /** Starts `opa run --server` and waits until it is healthy; HOST:PORT. */
  serve(): Promise<{ readonly pid: number; readonly address: string }>
  /** `opa bench`: microseconds for one decision. @throws Error where the decision is not to allow */
  bench(): Promise<number>
}

const patienceMs = 10_000
const withoutTests = ['--ignore', '*_test.rego']

/** Writes OPA's data as the engine has it: with the index that the policy computes of the catalogue once. */
export async function createOpa(program: string, { folder, dataFile }: Workload, input: Input): Promise<Opa> {
  const policies = join(root, 'policies')
  const dataPath = join(folder, 'opa-data.json')
  const inputPath = join(folder, 'opa-input.json')
  const sources = ['-d', policies, '-d', dataPath, ...withoutTests]
  const mcp = JSON.parse(await readFile(dataFile, 'utf8')) as unknown
  await writeFile(dataPath, JSON.stringify({ mcp }))
  const index = await runToEnd(program, ['eval', ...sources, '-f', 'raw', 'data.mcp.authz.index'])
  await writeFile(dataPath, JSON.stringify({ mcp, mcp_index: JSON.parse(index) as unknown }))
  await writeFile(inputPath, JSON.stringify(input))
  const query = ['-i', inputPath, ...sources, 'data.mcp.authz.decision']
  return {
    serve: async () => await serve(program, [policies, dataPath], folder),
    async bench() {
      const decided = JSON.parse(await runToEnd(program, ['eval', '-f', 'raw', ...query])) as { allow?: unknown }
      if (decided.allow !== true) throw new Error('a wrong answer, so nothing is measured: OPA does not allow')
      const text = await runToEnd(program, ['bench', '-f', 'json', '--metrics=false', '--benchmem=false', ...query])
      const { N: count, T: nanoseconds } = JSON.parse(text) as { readonly N: number; readonly T: number }
      return nanoseconds / count / 1000
    },
  }
}

async function serve(
  program: string,
  files: readonly string[],
  cwd: string,
): Promise<{ readonly pid: number; readonly address: string }> {
  const address = `127.0.0.1:${await freePort()}`
  // It logs nothing and asks nobody for newer versions; the service beside it keeps its decision log.
  const quiet = ['--log-level', 'error', '--skip-version-check', ...withoutTests]
  const { pid } = startSilentServer(program, ['run', '--server', '--addr', address, ...quiet, ...files], cwd)
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    const health = await fetch(`http://${address}/health`).catch(() => undefined)
    await health?.body?.cancel()
    if (health?.ok === true) return { pid, address }
    await sleep(50)
  }
  throw new Error(`\`opa run --server\` was not ready within ${patienceMs / 1000} seconds`)
}

/** OPA does not say which port it took where it may choose. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free on 127.0.0.1')
  return address.port
}
