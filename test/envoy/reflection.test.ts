import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type Client, status } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEnvoyDoor, type EnvoyDoor } from '../../src/envoy/server.ts'
import { generatedCodecs } from '../../tools/generate-proto.ts'
import { recording, strict } from './authorizers.ts'
import { connect, reflect } from './clients.ts'
import { decodeReflectionResponse, encodeReflectionRequest, post, type ReflectionReply } from './messages.ts'

let door: EnvoyDoor
let client: Client

beforeAll(async () => {
  door = await createEnvoyDoor({ authorizer: recording(), read: strict, address: '127.0.0.1:0' })
  client = connect(door.address)
})

afterAll(async () => {
  client.close()
  await door.drain({ deadlineMs: 0 })
})

async function ask(request: Buffer, version: 'v1' | 'v1alpha' = 'v1'): Promise<ReflectionReply> {
  const stream = reflect(client, version)
  stream.write(request)
  const [reply] = await once(stream, 'data')
  const ended = once(stream, 'end')
  stream.end()
  await ended
  return decodeReflectionResponse(reply)
}

interface FileFields {
  name: string
  package: string
  dependency: string[]
}

/** The files of an answer as objects, and as a root that resolves every type in them. */
function filesOf(reply: ReflectionReply): { files: FileFields[]; root: protobuf.Root } {
  const type = descriptor.FileDescriptorProto as unknown as protobuf.Type
  const set = descriptor.FileDescriptorSet as unknown as protobuf.Type
  const decoded = (reply.file_descriptor_response?.file_descriptor_proto ?? []).map((bytes) => type.decode(bytes))
  const root = protobuf.Root.fromDescriptor(set.encode({ file: decoded }).finish(), { keepCase: true })
  return { files: decoded.map((file) => type.toObject(file) as FileFields), root }
}

const services = [
  'envoy.service.auth.v3.Authorization',
  'envoy.service.ext_proc.v3.ExternalProcessor',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
]

describe.each(['v1', 'v1alpha'] as const)('reflection %s', (version) => {
  it('lists the services', async () => {
    const reply = await ask(encodeReflectionRequest({ list_services: '*' }), version)
    expect(reply.list_services_response?.service.map(({ name }) => name)).toEqual(services)
    expect(reply.original_request).toEqual({ list_services: '*' })
  })

  it.each(services)('describes %s with everything it imports', async (symbol) => {
    const { files, root } = filesOf(await ask(encodeReflectionRequest({ file_containing_symbol: symbol }), version))
    const names = new Set(files.map(({ name }) => name))
    for (const { dependency } of files) for (const name of dependency ?? []) expect(names).toContain(name)
    const service = root.resolveAll().lookupService(symbol)
    expect(service.methodsArray.length).toBeGreaterThan(0)
    for (const method of service.methodsArray) expect(method.resolve().resolved).toBe(true)
  })
})

describe('reflection', () => {
  it.each([
    ['envoy.service.auth.v3.CheckRequest', 'envoy/service/auth/v3/external_auth.proto'],
    ['envoy.service.auth.v3.Authorization.Check', 'envoy/service/auth/v3/external_auth.proto'],
    ['envoy.service.auth.v3.AttributeContext.HttpRequest', 'envoy/service/auth/v3/attribute_context.proto'],
    ['envoy.config.core.v3.HeaderValueOption.HeaderAppendAction', 'envoy/config/core/v3/base.proto'],
  ])('finds the file of %s', async (symbol, name) => {
    const { files } = filesOf(await ask(encodeReflectionRequest({ file_containing_symbol: symbol })))
    expect(files[0]?.name).toBe(name)
  })

  it('gives a file by its name', async () => {
    const { files } = filesOf(await ask(encodeReflectionRequest({ file_by_filename: 'google/rpc/status.proto' })))
    expect(files).toMatchObject([{ name: 'google/rpc/status.proto', package: 'google.rpc' }])
  })
})

describe('a reflected description', () => {
  it('is enough to write a check with', async () => {
    const symbol = 'envoy.service.auth.v3.Authorization'
    const { root } = filesOf(await ask(encodeReflectionRequest({ file_containing_symbol: symbol })))
    const type = root.resolveAll().lookupType('envoy.service.auth.v3.CheckRequest')
    const http = { method: 'POST', headers: { a: 'b' }, raw_body: Buffer.from('{}') }
    const read = type.toObject(
      type.decode(type.encode(type.fromObject({ attributes: { request: { http } } })).finish()),
    )
    expect(read).toEqual({ attributes: { request: { http } } })
    expect(type.toObject(type.decode(post({})))).toMatchObject({
      attributes: { request: { http: { method: 'POST' } } },
    })
  })
})

describe('reflection that finds nothing', () => {
  it.each([
    ['an unknown symbol', { file_containing_symbol: 'a.B' }, status.NOT_FOUND],
    ['a symbol called __proto__', { file_containing_symbol: '__proto__' }, status.NOT_FOUND],
    ['an unknown file', { file_by_filename: '../package.json' }, status.NOT_FOUND],
    ['an extension', { file_containing_extension: { containing_type: 'a.B', extension_number: 1 } }, status.NOT_FOUND],
    ['extensions of an unknown type', { all_extension_numbers_of_type: 'a.B' }, status.NOT_FOUND],
    ['nothing', {}, status.INVALID_ARGUMENT],
  ])('answers %s with an error', async (_name, request, code) => {
    expect((await ask(encodeReflectionRequest(request))).error_response?.error_code).toBe(code)
  })

  it('answers garbage with an error', async () => {
    expect((await ask(Buffer.from([255, 1]))).error_response?.error_code).toBe(status.INVALID_ARGUMENT)
  })

  it('knows no extensions of its messages', async () => {
    const type = 'envoy.service.auth.v3.CheckRequest'
    const reply = await ask(encodeReflectionRequest({ all_extension_numbers_of_type: type }))
    expect(reply.all_extension_numbers_response).toMatchObject({ base_type_name: type })
  })
})

describe('a reflection stream', () => {
  it('answers several questions in one stream', async () => {
    const stream = reflect(client, 'v1')
    for (const symbol of services.slice(0, 2)) stream.write(encodeReflectionRequest({ file_containing_symbol: symbol }))
    const replies: Buffer[] = []
    stream.on('data', (reply: Buffer) => replies.push(reply))
    const ended = once(stream, 'end')
    stream.end()
    await ended
    expect(replies).toHaveLength(2)
  })

  it('does not keep the server from closing', async () => {
    const own = await createEnvoyDoor({ authorizer: recording(), read: strict, address: '127.0.0.1:0' })
    const other = connect(own.address)
    const stream = reflect(other, 'v1')
    stream.write(encodeReflectionRequest({ list_services: '' }))
    await once(stream, 'data')
    await Promise.all([own.drain({ deadlineMs: 60_000, noticeMs: 0 }), once(stream, 'end')])
    other.close()
  })
})

it('the generated descriptors are those of the .proto files', async () => {
  for (const [path, text] of await generatedCodecs()) {
    expect(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text)
  }
})
