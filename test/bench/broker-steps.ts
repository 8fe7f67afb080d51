// A call through the broker, beside the same call to the server behind it.
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { startBroker } from '../../src/broker-service.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createDecisionLog } from '../../src/decision-log/log.ts'
import { answerStep, mcpRequest } from './answer-step.ts'
import type { Step } from './figures.ts'
import { call, type Workload } from './workload.ts'

export interface BrokerPart {
  readonly steps: readonly Step[]
  close(): Promise<void>
}

const group = 'tools/call over HTTP, through the broker and straight to its upstream (lower is better)'

/** Starts an upstream and a broker before it. */
export async function brokerPart({ folder, configFile, token }: Workload): Promise<BrokerPart> {
  const upstream = await startUpstream()
  const file = join(folder, 'broker.yaml')
  const broker = { listen: '127.0.0.1:0', upstreams: { [call.server]: { url: upstream.url } } }
  const given = JSON.parse(await readFile(configFile, 'utf8')) as object
  await writeFile(file, JSON.stringify({ ...given, state: { file: 'broker-state.db' }, broker }), { mode: 0o600 })
  const service = await startBroker({
    config: await loadConfig(file, { env: {} }),
    log: createDecisionLog({ level: 'silent' }),
  })
  const ask = (url: string, name: string) => () =>
    mcpRequest(url, { method: 'tools/call', params: { name, arguments: { city: 'Wellington' } } }, token)
  const shared = { group, way: async (request: Request) => await fetch(request), right: 'sunny' }
  const [through, straight] = ['broker.call.broker', 'broker.call.upstream']
  return {
    steps: [
      answerStep({ ...shared, id: through, name: 'the broker', peer: straight, make: ask(service.mcp, call.visible) }),
      answerStep({ ...shared, id: straight, name: 'the upstream alone', make: ask(upstream.url, call.tool) }),
    ],
    async close() {
      await service.stop()
      await upstream.close()
    },
  }
}

async function startUpstream(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'bench', version: '1' }, { capabilities: { tools: {} } })
    const inputSchema = { type: 'object' as const }
    server.setRequestHandler('tools/list', () => ({ tools: [{ name: call.tool, inputSchema }] }))
    server.setRequestHandler('tools/call', () => ({ content: [{ type: 'text', text: 'sunny' }] }))
    return server
  })
  const server = createServer(toNodeHandler(handler) as RequestListener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      await handler.close()
      server.close()
      server.closeAllConnections()
    },
  }
}
