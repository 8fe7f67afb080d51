// What `npm run generate` makes of src/envoy/proto: the file descriptors that gRPC reflection answers with.
import { readFile } from 'node:fs/promises'
import protobuf from 'protobufjs'
import descriptor from 'protobufjs/ext/descriptor.js'

const protoRoot = new URL('../src/envoy/proto/', import.meta.url)
const target = 'src/envoy/descriptors.gen.ts'

/** Every .proto file, by its name in `import`, in the order of the generated list. */
const protoFiles = [
  'envoy/config/core/v3/address.proto',
  'envoy/config/core/v3/base.proto',
  'envoy/extensions/filters/http/ext_proc/v3/processing_mode.proto',
  'envoy/service/auth/v3/attribute_context.proto',
  'envoy/service/auth/v3/external_auth.proto',
  'envoy/service/ext_proc/v3/external_processor.proto',
  'envoy/type/v3/http_status.proto',
  'google/protobuf/struct.proto',
  'google/protobuf/wrappers.proto',
  'google/rpc/status.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
] as const

interface ParsedFile {
  readonly name: string
  readonly package: string
  readonly imports: readonly string[]
}

/** The text of the generated file, by its path from the project's root. */
export async function generatedCodecs(): Promise<Map<string, string>> {
  const root = new protobuf.Root()
  const files: ParsedFile[] = []
  for (const name of protoFiles) files.push(parseFile(root, name, await readFile(new URL(name, protoRoot), 'utf8')))
  root.resolveAll()
  return new Map([[target, sourceText(files.map((file) => entryOf(root, file)))]])
}

function parseFile(root: protobuf.Root, name: string, text: string): ParsedFile {
  const parser = protobuf.parse as typeof protobuf.parse & { filename: string | null }
  parser.filename = name
  const parsed = protobuf.parse(text, root, { keepCase: true })
  parser.filename = null
  if (parsed.package === undefined) throw new Error(`\`${name}\` must name a package`)
  return { name, package: parsed.package, imports: parsed.imports ?? [] }
}

interface Entry {
  readonly name: string
  readonly imports: readonly string[]
  readonly symbols: readonly string[]
  readonly base64: string
}

function entryOf(root: protobuf.Root, file: ParsedFile): Entry {
  const members = membersOf(root, file)
  const message = {
    name: file.name,
    package: file.package,
    dependency: [...file.imports],
    messageType: members.filter((member) => member instanceof protobuf.Type).map(messageOf),
    enumType: members.filter((member) => member instanceof protobuf.Enum).map(enumOf),
    service: members.filter((member) => member instanceof protobuf.Service).map(serviceOf),
    syntax: 'proto3',
  }
  const type = descriptor.FileDescriptorProto as unknown as protobuf.Type
  return {
    name: file.name,
    imports: file.imports,
    symbols: members.flatMap(symbolsOf),
    base64: Buffer.from(type.encode(type.fromObject(message)).finish()).toString('base64'),
  }
}

function membersOf(root: protobuf.Root, file: ParsedFile): protobuf.ReflectionObject[] {
  const namespace = root.lookup(file.package)
  if (!(namespace instanceof protobuf.Namespace)) throw new Error(`\`${file.name}\` declares nothing`)
  return namespace.nestedArray.filter((member) => member.filename === file.name)
}

function symbolsOf(member: protobuf.ReflectionObject): string[] {
  const nested = member instanceof protobuf.Type ? member.nestedArray.flatMap(symbolsOf) : []
  const methods =
    member instanceof protobuf.Service ? member.methodsArray.map((method) => method.fullName.slice(1)) : []
  return [member.fullName.slice(1), ...nested, ...methods]
}

function messageOf(type: protobuf.Type): object {
  const oneofs = type.oneofsArray
  return {
    name: type.name,
    field: type.fieldsArray.map((field) => fieldOf(field, oneofs)),
    nestedType: [
      ...type.nestedArray.filter((nested) => nested instanceof protobuf.Type).map(messageOf),
      ...type.fieldsArray.filter((field) => field instanceof protobuf.MapField).map(mapEntryOf),
    ],
    enumType: type.nestedArray.filter((nested) => nested instanceof protobuf.Enum).map(enumOf),
    oneofDecl: oneofs.map((oneof) => ({ name: oneof.name })),
  }
}

function fieldOf(field: protobuf.Field, oneofs: readonly protobuf.OneOf[]): object {
  const oneofIndex = field.partOf === null ? {} : { oneofIndex: oneofs.indexOf(field.partOf) }
  const head = { name: field.name, number: field.id, label: field.repeated || field.map ? 3 : 1, ...oneofIndex }
  if (field instanceof protobuf.MapField) {
    return { ...head, type: 11, typeName: `${field.parent?.fullName}.${entryName(field)}` }
  }
  return { ...head, ...typeOf(field.type, field.resolvedType) }
}

function mapEntryOf(field: protobuf.MapField): object {
  return {
    name: entryName(field),
    field: [
      { name: 'key', number: 1, label: 1, ...typeOf(field.keyType, null) },
      { name: 'value', number: 2, label: 1, ...typeOf(field.type, field.resolvedType) },
    ],
    options: { mapEntry: true },
  }
}

/** `context_extensions` has the entry type `ContextExtensionsEntry`, as protoc names it. */
function entryName(field: protobuf.MapField): string {
  return `${field.name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}Entry`
}

/** Numbers of FieldDescriptorProto.Type. */
const scalarTypes: Readonly<Record<string, number>> = { double: 1, int32: 5, bool: 8, string: 9, bytes: 12 }

function typeOf(name: string, resolved: protobuf.ReflectionObject | null): object {
  if (resolved !== null) return { type: resolved instanceof protobuf.Enum ? 14 : 11, typeName: resolved.fullName }
  const type = scalarTypes[name]
  if (type === undefined) throw new Error(`type \`${name}\` has no descriptor number here; add it to scalarTypes`)
  return { type }
}

function enumOf(type: protobuf.Enum): object {
  return { name: type.name, value: Object.entries(type.values).map(([name, number]) => ({ name, number })) }
}

function serviceOf(service: protobuf.Service): object {
  return {
    name: service.name,
    method: service.methodsArray.map((method) => ({
      name: method.name,
      inputType: method.resolvedRequestType?.fullName,
      outputType: method.resolvedResponseType?.fullName,
      ...(method.requestStream ? { clientStreaming: true } : {}),
      ...(method.responseStream ? { serverStreaming: true } : {}),
    })),
  }
}

function sourceText(entries: readonly Entry[]): string {
  return [
    '// Generated from src/envoy/proto by `npm run generate`; do not edit.',
    '',
    '/** The .proto files of this server: name, imports, fully qualified symbols, FileDescriptorProto in base64. */',
    'export const fileDescriptors: readonly {',
    '  readonly name: string',
    '  readonly imports: readonly string[]',
    '  readonly symbols: readonly string[]',
    '  readonly base64: string',
    `}[] = ${JSON.stringify(entries, null, 2)}`,
    '',
  ].join('\n')
}
