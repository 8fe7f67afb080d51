import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { Reader } from 'protobufjs/minimal.js'
import { Writer } from 'protobufjs/minimal.js'
import { fileDescriptors } from './descriptors.gen.ts'
import { methodOf, type Service } from './service.ts'
import { readMessage, readNested, readText, tag } from './wire.ts'

/** gRPC server reflection for the services of this server; both versions have the same messages. */
export interface Reflection {
  readonly services: readonly Service[]
  /** Ends every open stream, which would otherwise keep the server from shutting down. */
  endStreams(): void
}

type Stream = ServerDuplexStream<Buffer, Buffer>

/** Answers about the services named, and about every message that their methods use. */
export function createReflection(services: readonly string[]): Reflection {
  const names = [...services, ...versions.map((version) => `grpc.reflection.${version}.ServerReflection`)].sort()
  const streams = new Set<Stream>()

  function info(stream: Stream): void {
    streams.add(stream)
    stream.on('data', (request: Buffer) => stream.write(respond(request, names)))
    stream.on('end', () => stream.end())
    stream.on('close', () => streams.delete(stream))
    stream.on('cancelled', () => streams.delete(stream))
  }

  return {
    services: versions.map((version) => ({
      definition: {
        ServerReflectionInfo: methodOf(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, {
          requestStream: true,
          responseStream: true,
        }),
      },
      implementation: { ServerReflectionInfo: info },
    })),
    endStreams() {
      for (const stream of streams) stream.end()
      streams.clear()
    },
  }
}

const versions = ['v1', 'v1alpha'] as const

type Descriptor = (typeof fileDescriptors)[number]

const byName = new Map(fileDescriptors.map((file) => [file.name, file]))
const bySymbol = new Map(fileDescriptors.flatMap((file) => file.symbols.map((symbol) => [symbol, file] as const)))

/** What a ServerReflectionRequest asks for; the last field of its oneof counts. */
type Question =
  | { readonly kind: 'file' | 'symbol' | 'extensionsOf'; readonly name: string }
  | { readonly kind: 'services' | 'extension' | 'nothing' }

function respond(request: Buffer, services: readonly string[]): Buffer {
  const writer = Writer.create()
  const question = questionOf(request)
  if (question !== undefined) writer.uint32(tag.bytes(2)).bytes(request)
  return Buffer.from(writeAnswer(writer, question, services).finish())
}

function writeAnswer(writer: Writer, question: Question | undefined, services: readonly string[]): Writer {
  switch (question?.kind) {
    case 'services':
      return writeServices(writer, services)
    case 'file':
      return writeFiles(writer, byName.get(question.name))
    case 'symbol':
      return writeFiles(writer, bySymbol.get(question.name))
    case 'extensionsOf':
      if (!bySymbol.has(question.name)) return writeError(writer, status.NOT_FOUND, 'no such type here')
      return writer.uint32(tag.bytes(5)).fork().uint32(tag.bytes(1)).string(question.name).ldelim()
    case 'extension':
      return writeError(writer, status.NOT_FOUND, 'no such extension here')
    default:
      return writeError(writer, status.INVALID_ARGUMENT, 'not a ServerReflectionRequest that asks for something')
  }
}

function writeServices(writer: Writer, services: readonly string[]): Writer {
  writer.uint32(tag.bytes(6)).fork()
  for (const name of services) writer.uint32(tag.bytes(1)).fork().uint32(tag.bytes(1)).string(name).ldelim()
  return writer.ldelim()
}

function writeFiles(writer: Writer, file: Descriptor | undefined): Writer {
  if (file === undefined) return writeError(writer, status.NOT_FOUND, 'no such file or symbol here')
  writer.uint32(tag.bytes(4)).fork()
  for (const each of withImports(file)) writer.uint32(tag.bytes(1)).bytes(Buffer.from(each.base64, 'base64'))
  return writer.ldelim()
}

function writeError(writer: Writer, code: number, message: string): Writer {
  return writer
    .uint32(tag.bytes(7))
    .fork()
    .uint32(tag.varint(1))
    .int32(code)
    .uint32(tag.bytes(2))
    .string(message)
    .ldelim()
}

/** The file and, each once, everything that it imports. */
function withImports(file: Descriptor): Set<Descriptor> {
  const files = new Set([file])
  // A Set hands out what is added while it is walked.
  for (const each of files) {
    for (const name of each.imports) {
      const imported = byName.get(name)
      if (imported !== undefined) files.add(imported)
    }
  }
  return files
}

function questionOf(request: Buffer): Question | undefined {
  let question: Question = { kind: 'nothing' }
  try {
    readMessage(request, (reader, field) => {
      const read = readQuestion(reader, field)
      if (read !== undefined) question = read
      return read !== undefined
    })
    return question
  } catch {
    return undefined
  }
}

function readQuestion(reader: Reader, field: number): Question | undefined {
  switch (field) {
    case tag.bytes(3):
      return { kind: 'file', name: readText(reader) }
    case tag.bytes(4):
      return { kind: 'symbol', name: readText(reader) }
    case tag.bytes(5):
      readNested(reader, () => false)
      return { kind: 'extension' }
    case tag.bytes(6):
      return { kind: 'extensionsOf', name: readText(reader) }
    case tag.bytes(7):
      readText(reader)
      return { kind: 'services' }
    default:
      return undefined
  }
}
