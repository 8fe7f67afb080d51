// The in-process guard around a handler of the SDK, beside the same handler bare: a list of a thousand tools, and a call.
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { createGuard } from '../../src/guard/index.ts'
import { type Measured, percentile, type Row, type Step } from './figures.ts'
import { call, sizes, type Workload } from './workload.ts'

/** The steps, and what ends the guard. */
export interface GuardPart {
  readonly steps: readonly Step[]
  /** Of the list as the bare handler answers it. */
  readonly listBytes: number
  close(): Promise<void>
}

const groups = {
  list: 'tools/list of 1,000 tools in process, through the guard and bare, the answer read whole (lower is better)',
  call: 'tools/call in process, through the guard and bare, the answer read whole (lower is better)',
} as const

type Handler = (request: Request) => Promise<Response>

/**
 * Makes a guard and a handler of the SDK that it stands before.
 * @throws Error when one of them answers otherwise than it should
 */
export async function guardPart({ configFile, token }: Workload): Promise<GuardPart> {
  const tools = everyTool()
  const handler = createMcpHandler(() => serverOf(tools))
  const guard = await createGuard({ config: configFile })
  const ways = {
    guard: guard.fetch((request) => handler.fetch(request)),
    bare: (request) => handler.fetch(request),
  } satisfies Record<string, Handler>
  const list = { method: 'tools/list', params: {} }
  const use = { method: 'tools/call', params: { name: call.visible, arguments: { city: 'Wellington' } } }
  const request = (asked: typeof list | typeof use) => requestOf(asked, token)
  const shown = await listed(ways.guard, request(list))
  const all = await listed(ways.bare, request(list))
  const isCut = shown.includes(call.visible) && !shown.includes(call.forbidden) && shown.length < all.length
  if (!isCut || all.length !== sizes.servers * sizes.toolsPerServer) throw new Error('the guard does not cut the list')
  const body = await (await ways.bare(request(list))).text()
  return {
    steps: [
      step('list', { way: ways.guard, name: 'guard', right: `"${call.visible}"`, make: () => request(list) }),
      step('list', { way: ways.bare, name: 'bare', right: `"${call.forbidden}"`, make: () => request(list) }),
      step('call', { way: ways.guard, name: 'guard', right: 'sunny', make: () => request(use) }),
      step('call', { way: ways.bare, name: 'bare', right: 'sunny', make: () => request(use) }),
    ],
    listBytes: Buffer.byteLength(body),
    async close() {
      await handler.close()
      await guard.close()
    },
  }
}

function everyTool(): readonly { readonly name: string; readonly inputSchema: { readonly type: 'object' } }[] {
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => String(at).padStart(2, '0'))
  const properties = { city: { type: 'string', description: 'Where' }, days: { type: 'integer', minimum: 1 } }
  return numbers(sizes.servers).flatMap((server) =>
    numbers(sizes.toolsPerServer).map((tool) => ({
      name: `s${server}_tool_${tool}`,
      description: `Tool ${tool} of server ${server}: says what the weather will be.`,
      inputSchema: { type: 'object', properties, required: ['city'] },
    })),
  )
}

/** With low-level handlers: what an SDK does to register a thousand tools anew for each request is not measured. */
function serverOf(tools: ReturnType<typeof everyTool>): Server {
  const server = new Server({ name: 'bench', version: '1' }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', () => ({ tools: [...tools] }))
  server.setRequestHandler('tools/call', () => ({ content: [{ type: 'text', text: 'sunny' }] }))
  return server
}

interface Asked {
  readonly method: string
  readonly params: { readonly name?: string }
}

function requestOf({ method, params }: Asked, token: string): Request {
  const version = '2026-07-28'
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  }
  return new Request('http://127.0.0.1/mcp', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': version,
      'mcp-method': method,
      ...(params.name === undefined ? {} : { 'mcp-name': params.name }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  })
}

async function listed(way: Handler, request: Request): Promise<readonly string[]> {
  const answer = (await (await way(request)).json()) as { readonly result?: { readonly tools: { name: string }[] } }
  return answer.result?.tools.map(({ name }) => name) ?? []
}

interface Contestant {
  readonly way: Handler
  readonly name: 'guard' | 'bare'
  /** What stands in every right answer. */
  readonly right: string
  readonly make: () => Request
}

function step(what: keyof typeof groups, { way, name, right, make }: Contestant): Step {
  const rowOf = (measure: 'p50' | 'p99'): Row => ({
    id: `guard.${what}.${name}.${measure}`,
    group: groups[what],
    name: name === 'guard' ? `the guard, ${what}` : `the handler alone, ${what}`,
    measure,
    unit: 'µs',
    peers: name === 'guard' ? [`guard.${what}.bare.${measure}`] : [],
  })
  return {
    rows: [rowOf('p50'), rowOf('p99')],
    async run(milliseconds): Promise<Measured> {
      const latencies: number[] = []
      const started = performance.now()
      while (performance.now() - started < milliseconds) {
        const sent = performance.now()
        const response = await way(make())
        const text = await response.text()
        latencies.push((performance.now() - sent) * 1000)
        if (!response.ok || !text.includes(right)) throw new Error(`${name}: a wrong answer, so nothing is measured`)
      }
      const values = {
        [`guard.${what}.${name}.p50`]: percentile(latencies, 50),
        [`guard.${what}.${name}.p99`]: percentile(latencies, 99),
      }
      return { values, checkedAnswers: latencies.length }
    },
  }
}
