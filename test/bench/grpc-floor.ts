// node grpc-floor.ts ANSWER: what grpc-js alone costs. Bytes in, the bytes of the file ANSWER out.
import { readFileSync } from 'node:fs'
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { methodOf } from '../../src/envoy/service.ts'

const answer = readFileSync(process.argv[2] ?? '')
const server = new Server()
const check = methodOf('/envoy.service.auth.v3.Authorization/Check', { responseStream: false })
server.addService(
  { Check: check },
  { Check: (_call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => reply(null, answer) },
)
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error
  process.stdout.write(`ready grpc=127.0.0.1:${port}\n`)
})
