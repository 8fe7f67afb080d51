import {
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'

const same = (bytes: Buffer): Buffer => bytes
const checkPath = '/envoy.service.auth.v3.Authorization/Check'

/** A client of its own connection, as each worker of Envoy is. */
export function connect(address: string, options: ChannelOptions = {}): Client {
  const target = address.startsWith('unix:') ? address : `dns:${address}`
  return new Client(target, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, ...options })
}

/** One gRPC call with bytes in and out; rejects with the gRPC error. */
export function unary(client: Client, path: string, request: Buffer, deadline = Date.now() + 10_000): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, same, same, request, new Metadata(), { deadline }, (error, reply) => {
      if (error !== null) reject(error)
      else if (reply === undefined) reject(new Error('no reply'))
      else resolve(reply)
    })
  })
}

export function check(client: Client, request: Buffer): Promise<Buffer> {
  return unary(client, checkPath, request)
}

/** A check that is given up by calling `cancel`. */
export function abortable(
  client: Client,
  request: Buffer,
): { call: ClientUnaryCall; ended: Promise<ServiceError | null> } {
  let call: ClientUnaryCall | undefined
  const ended = new Promise<ServiceError | null>((resolve) => {
    call = client.makeUnaryRequest(checkPath, same, same, request, new Metadata(), {}, resolve)
  })
  if (call === undefined) throw new Error('no call was made')
  return { call, ended }
}

export function process(client: Client): ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest('/envoy.service.ext_proc.v3.ExternalProcessor/Process', same, same)
}

export function watchHealth(client: Client, request: Buffer): ClientReadableStream<Buffer> {
  return client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', same, same, request)
}

export function reflect(client: Client, version: 'v1' | 'v1alpha'): ClientDuplexStream<Buffer, Buffer> {
  return client.makeBidiStreamRequest(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, same, same)
}
