import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

/** A real MCP server in a process of its own, and our connection to it. */
export interface Upstream {
  /** What its tools and prompts start with, as clients of the broker see them. */
  readonly prefix: string
  readonly client: Client
  readonly pid: number
}

/** Starts a server that came as an npm package, and speaks with it over stdio. */
export async function startUpstream(prefix: string, packageName: string, state: string): Promise<Upstream> {
  const script = fileURLToPath(import.meta.resolve(`${packageName}/dist/index.js`))
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [script],
    env: { MEMORY_FILE_PATH: `${state}/memory.jsonl` },
    stderr: 'ignore',
  })
  const client = new Client({ name: 'demo-broker', version: '1.0.0' })
  await client.connect(transport)
  const { pid } = transport
  if (pid === null) throw new Error(`${packageName} ended before it could be used`)
  process.once('exit', () => kill(pid))
  return { prefix, client, pid }
}

function kill(pid: number): void {
  try {
    process.kill(pid)
  } catch {
    // It has ended by itself.
  }
}
