import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'

/** A gRPC service whose messages are bytes: each handler reads its own, so that nothing is refused before it runs. */
export interface Service {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
}

/** A method of such a service. `path` is `/package.Service/Method`. */
export function methodOf(
  path: string,
  streams: { readonly requestStream?: boolean; readonly responseStream: boolean },
): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: streams.requestStream ?? false,
    responseStream: streams.responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
}

function same(bytes: Buffer): Buffer {
  return bytes
}
