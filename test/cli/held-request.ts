import { once } from 'node:events'
import { connect as openSocket } from 'node:net'
import { afterwards, claims } from './terminal.ts'

/** A request whose last byte is held back. */
export function holdOpen(http: string): { readonly sent: Promise<unknown>; finish(): Promise<string> } {
  const [host = '', port = ''] = http.split(':')
  const body = JSON.stringify({
    subject: { type: 'identity', id: 'alice', properties: { claims: claims.alice } },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'weather_forecast' },
  })
  const head = `POST /access/v1/evaluation HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
  const socket = openSocket(Number(port), host)
  let answer = ''
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    answer += String(chunk)
  })
  afterwards(() => void socket.destroy())
  const sent = once(socket, 'connect').then(
    () => new Promise((resolve) => socket.write(`${head}${body.slice(0, -1)}`, resolve)),
  )
  return {
    sent,
    async finish() {
      const closed = once(socket, 'close')
      socket.write(body.slice(-1))
      await closed
      return answer
    },
  }
}

/** Resolves when nobody listens there any more. */
export async function untilRefused(address: string): Promise<void> {
  const [host = '', port = ''] = address.split(':')
  for (let open = true; open; ) {
    const socket = openSocket(Number(port), host)
    open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
