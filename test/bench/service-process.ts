import { fileURLToPath } from 'node:url'
import { startServer } from './children.ts'
import type { Workload } from './workload.ts'

/** The service as a user starts it, in a process of its own. */
export interface RunningService {
  readonly pid: number
  /** HOST:PORT each. */
  readonly grpc: string
  readonly http: string
}

const program = fileURLToPath(new URL('../../bin/mcp-authz.js', import.meta.url))

/** Starts `mcp-authz serve` with its defaults: the decision log is on. @throws Error when it does not get ready */
export async function startServiceProcess({ configFile, folder }: Workload): Promise<RunningService> {
  const { pid, groups } = await startServer(process.execPath, [program, 'serve', '--config', configFile], {
    ready: /^ready grpc=(?<grpc>\S+) http=(?<http>\S+)$/,
    cwd: folder,
  })
  return { pid, grpc: groups['grpc'] ?? '', http: groups['http'] ?? '' }
}
