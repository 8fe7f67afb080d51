import { type ServerUnaryCall, type ServerWritableStream, type sendUnaryData, status } from '@grpc/grpc-js'
import { Writer } from 'protobufjs/minimal.js'
import { methodOf, type Service } from './service.ts'
import { readMessage, readText, tag } from './wire.ts'

/** grpc.health.v1: what Envoy's health check asks. */
export interface Health {
  readonly service: Service
  setServing(serving: boolean): void
  /** Ends every Watch, which would otherwise keep the server from shutting down. */
  endWatches(): void
}

/** Of grpc.health.v1.HealthCheckResponse.ServingStatus. */
const serving = 1
const notServing = 2
const serviceUnknown = 3

type Watch = ServerWritableStream<Buffer, Buffer>

/** Health of the server as a whole (the empty name) and of the services named; of no other. */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(['', ...services])
  const watches = new Set<Watch>()
  let current = serving

  function check(call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void {
    const name = nameOf(call.request)
    if (name === undefined) reply({ code: status.INVALID_ARGUMENT, details: 'not a HealthCheckRequest' })
    else if (known.has(name)) reply(null, response(current))
    else reply({ code: status.NOT_FOUND, details: 'no such service here' })
  }

  function watch(call: Watch): void {
    const name = nameOf(call.request)
    if (name === undefined || !known.has(name)) {
      call.write(response(serviceUnknown))
    } else {
      watches.add(call)
      call.on('cancelled', () => watches.delete(call))
      call.write(response(current))
    }
  }

  return {
    service: {
      definition: {
        Check: methodOf('/grpc.health.v1.Health/Check', { responseStream: false }),
        Watch: methodOf('/grpc.health.v1.Health/Watch', { responseStream: true }),
      },
      implementation: { Check: check, Watch: watch },
    },
    setServing(on) {
      const next = on ? serving : notServing
      if (next === current) return
      current = next
      for (const call of watches) call.write(response(current))
    },
    endWatches() {
      for (const call of watches) call.end()
      watches.clear()
    },
  }
}

function nameOf(request: Buffer): string | undefined {
  let name = ''
  try {
    readMessage(request, (reader, field) => {
      if (field !== tag.bytes(1)) return false
      name = readText(reader)
      return true
    })
    return name
  } catch {
    return undefined
  }
}

function response(servingStatus: number): Buffer {
  return Buffer.from(Writer.create().uint32(tag.varint(1)).int32(servingStatus).finish())
}
