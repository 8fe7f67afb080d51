// node http2-floor.ts ANSWER: what HTTP/2 and gRPC's framing alone cost. Bytes in, the bytes of the file ANSWER out.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'

const answer = readFileSync(process.argv[2] ?? '')
const frame = Buffer.alloc(5 + answer.length)
frame.writeUInt32BE(answer.length, 1)
answer.copy(frame, 5)

const server = createServer()
server.on('stream', (stream) => {
  stream.on('error', () => undefined)
  stream.resume()
  stream.once('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end(frame)
  })
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`ready grpc=127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
