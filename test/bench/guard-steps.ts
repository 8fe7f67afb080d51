// The in-process guard around a handler of the SDK, beside the same handler bare: a list of a thousand tools, and a call.
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { createGuard } from '../../src/guard/index.ts'
import { answerStep, mcpRequest, type Way } from './answer-step.ts'
import type { Step } from './figures.ts'
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
  } satisfies Record<string, Way>
  const list = { method: 'tools/list', params: {} }
  const use = { method: 'tools/call', params: { name: call.visible, arguments: { city: 'Wellington' } } }
  const request = (asked: typeof list | typeof use) => mcpRequest('http://127.0.0.1/mcp', asked, token)
  const shown = await listed(ways.guard, request(list))
  const all = await listed(ways.bare, request(list))
  const isCut = shown.includes(call.visible) && !shown.includes(call.forbidden) && shown.length < all.length
  if (!isCut || all.length !== sizes.servers * sizes.toolsPerServer) throw new Error('the guard does not cut the list')
  const body = await (await ways.bare(request(list))).text()
  return {
    steps: (['list', 'call'] as const).flatMap((what) => {
      const make = () => request(what === 'list' ? list : use)
      const group = groups[what]
      const right = (bare: boolean) => (what === 'call' ? 'sunny' : `"${bare ? call.forbidden : call.visible}"`)
      const [guarded, bare] = [`guard.${what}.guard`, `guard.${what}.bare`]
      return [
        answerStep({
          id: guarded,
          group,
          name: `the guard, ${what}`,
          peer: bare,
          way: ways.guard,
          right: right(false),
          make,
        }),
        answerStep({ id: bare, group, name: `the handler alone, ${what}`, way: ways.bare, right: right(true), make }),
      ]
    }),
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

async function listed(way: Way, request: Request): Promise<readonly string[]> {
  const answer = (await (await way(request)).json()) as { readonly result?: { readonly tools: { name: string }[] } }
  return answer.result?.tools.map(({ name }) => name) ?? []
}
