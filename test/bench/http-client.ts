import { Agent, request } from 'node:http'

/** Asks one question again and again over one connection. */
export interface Asker {
  /** The answer's JSON. @throws Error when the status is not 200 */
  ask(): Promise<unknown>
  close(): void
}

/** @param address HOST:PORT */
export function createAsker(address: string, path: string, question: object): Asker {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const body = Buffer.from(JSON.stringify(question))
  const [host, port] = address.split(':')
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }
  return {
    ask: async () => {
      const { status, text } = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const asked = request({ agent, host, port, path, method: 'POST', headers }, (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }))
          response.on('error', reject)
        })
        asked.on('error', reject)
        asked.end(body)
      })
      if (status !== 200) throw new Error(`${path} answered ${status}: ${text.slice(0, 200)}`)
      return JSON.parse(text) as unknown
    },
    close: () => agent.destroy(),
  }
}
