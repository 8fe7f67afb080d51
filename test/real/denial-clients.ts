import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport as TransportOfV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { type ToolName, toolPath } from '../../tools/paths.ts'
import { killWithThisProcess } from './envoy-process.ts'

/** One session: the tools that are called in it, one after the other. */
export interface Work {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly tools: readonly string[]
}

/** What the caller of one call got; `session dies` stands for everything from there on. */
export interface Seen {
  readonly kind: 'result' | 'tool error' | 'error' | 'session dies'
  readonly class?: string
  readonly code?: number | string | null
  readonly text: string
}

/** A real client: the protocol version it comes to, and what its callers see, for each piece of work. */
export interface DenialClient {
  readonly name: string
  readonly version: string
  run(works: readonly Work[]): Promise<readonly (readonly (Seen | string)[])[]>
}

/** Every client; `undefined` where the Python ones are not installed. */
export const denialClients: readonly DenialClient[] | undefined = withPython()

function withPython(): readonly DenialClient[] | undefined {
  if (toolPath('python-mcp1') === undefined || toolPath('python-mcp2') === undefined) return undefined
  return [
    {
      name: 'TypeScript v2',
      version: '2026-07-28',
      run: async (works) => await inTurn(works, (work) => v2(work, 'auto')),
    },
    {
      name: 'TypeScript v2',
      version: '2025-11-25',
      run: async (works) => await inTurn(works, (work) => v2(work, 'legacy')),
    },
    { name: 'TypeScript v1', version: '2025-11-25', run: async (works) => await inTurn(works, v1) },
    { name: 'Python 2', version: '2026-07-28', run: async (works) => await python('python-mcp2', works, 'auto') },
    { name: 'Python 2', version: '2025-11-25', run: async (works) => await python('python-mcp2', works, 'legacy') },
    { name: 'Python 1', version: '2025-11-25', run: async (works) => await python('python-mcp1', works, 'legacy') },
  ]
}

async function inTurn<T>(works: readonly Work[], run: (work: Work) => Promise<T>): Promise<T[]> {
  const done: T[] = []
  for (const work of works) done.push(await run(work))
  return done
}

async function v2({ url, headers, tools }: Work, mode: 'auto' | 'legacy'): Promise<(Seen | string)[]> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }))
  try {
    return [String(client.getNegotiatedProtocolVersion()), ...(await calls(client, tools))]
  } finally {
    await client.close()
  }
}

async function v1({ url, headers, tools }: Work): Promise<(Seen | string)[]> {
  const client = new ClientV1({ name: 'test', version: '1' })
  const transport = new TransportV1(new URL(url), { requestInit: { headers } })
  await client.connect(transport as TransportOfV1)
  try {
    return [String(transport.protocolVersion), ...(await calls(client, tools))]
  } finally {
    await client.close()
  }
}

interface Caller {
  callTool(params: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
}

async function calls(client: Caller, tools: readonly string[]): Promise<Seen[]> {
  const seen: Seen[] = []
  for (const name of tools) {
    seen.push(await client.callTool({ name, arguments: {} }).then(resultSeen, errorSeen))
  }
  return seen
}

function resultSeen(result: unknown): Seen {
  const { content, isError } = result as { content: readonly { readonly text: string }[]; isError?: boolean }
  return { kind: isError === true ? 'tool error' : 'result', text: String(content[0]?.text) }
}

function errorSeen(thrown: unknown): Seen {
  const error = thrown as Error & { readonly code?: number | string }
  return { kind: 'error', class: error.constructor.name, code: error.code ?? null, text: error.message }
}

const script = fileURLToPath(new URL('denials.py', import.meta.url))

/** All the work in one process: starting one and importing takes longer than the work. */
async function python(sdk: ToolName, works: readonly Work[], mode: string): Promise<(Seen | string)[][]> {
  const folder = fileURLToPath(new URL(`../../.tools/${sdk}`, import.meta.url))
  const child = spawn('python3', [script], {
    env: { PATH: process.env['PATH'], PYTHONPATH: folder },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const unhook = killWithThisProcess(child)
  let said = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    complaints += chunk
  })
  child.stdin.end(works.map((work) => `${JSON.stringify({ ...work, mode })}\n`).join(''))
  await once(child, 'close')
  unhook()
  const lines = said.split('\n').slice(0, -1)
  if (lines.length !== works.length) throw new Error(`python ended early: ${complaints}`)
  return lines.map((line) => JSON.parse(line) as (Seen | string)[])
}
