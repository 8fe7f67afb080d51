// One way to answer MCP requests, asked one after the other.
import { type Measured, percentile, type Row, type Step } from './figures.ts'

export type Way = (request: Request) => Promise<Response>

export interface Contestant {
  /** `part.what.name` of the rows. */
  readonly id: string
  readonly group: string
  readonly name: string
  /** The id of the contestant that this one is a ratio of. */
  readonly peer?: string
  readonly way: Way
  /** What stands in every right answer. */
  readonly right: string
  readonly make: () => Request
}

/** @throws Error when any answer is not the right one */
export function answerStep({ id, group, name, peer, way, right, make }: Contestant): Step {
  const rowOf = (measure: 'p50' | 'p99'): Row => ({
    id: `${id}.${measure}`,
    group,
    name,
    measure,
    unit: 'µs',
    peers: peer === undefined ? [] : [`${peer}.${measure}`],
  })
  return {
    rows: [rowOf('p50'), rowOf('p99')],
    async run(milliseconds): Promise<Measured> {
      const latencies: number[] = []
      // Not measured: connections that ended while others were measured are found out by asking, and opened anew.
      await way(make())
        .then((response) => response.text())
        .catch(() => undefined)
      const started = performance.now()
      while (performance.now() - started < milliseconds) {
        const sent = performance.now()
        const response = await way(make())
        const text = await response.text()
        latencies.push((performance.now() - sent) * 1000)
        if (!response.ok || !text.includes(right)) throw new Error(`${name}: a wrong answer, so nothing is measured`)
      }
      const values = { [`${id}.p50`]: percentile(latencies, 50), [`${id}.p99`]: percentile(latencies, 99) }
      return { values, checkedAnswers: latencies.length }
    },
  }
}

/** What is asked of an MCP server. */
export interface Asked {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>> & { readonly name?: string }
}

/** A request of 2026-07-28. */
export function mcpRequest(url: string | URL, { method, params }: Asked, token: string): Request {
  const version = '2026-07-28'
  const meta = {
    'io.modelcontextprotocol/protocolVersion': version,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
  }
  return new Request(url, {
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
