import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

// An independent reading of the .proto files: protobufjs's own codecs, made when the tests run.
const protoRoot = fileURLToPath(new URL('../../src/envoy/proto/', import.meta.url))

function load(file: string): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => protoRoot + target
  return root.loadSync(file, { keepCase: true })
}

const extAuthz = load('envoy/service/auth/v3/external_auth.proto')
const extProc = load('envoy/service/ext_proc/v3/external_processor.proto')
const health = load('grpc/health/v1/health.proto')
const reflection = load('grpc/reflection/v1/reflection.proto')

export interface HeaderFields {
  key?: string
  value?: string
  raw_value?: Buffer
}

export interface HttpFields {
  method?: string
  headers?: Record<string, string>
  header_map?: { headers: HeaderFields[] }
  body?: string
  raw_body?: Buffer
}

export interface CheckFields {
  attributes?: {
    source?: { principal?: string; address?: { socket_address?: { address?: string } } }
    request?: { http?: HttpFields }
    context_extensions?: Record<string, string>
  }
}

export function encodeCheckRequest(fields: CheckFields): Buffer {
  return encode(extAuthz.lookupType('envoy.service.auth.v3.CheckRequest'), fields)
}

/** A POST whose body is the JSON of `message`, as Envoy sends it with `pack_as_bytes`. */
export function post(message: unknown, http: HttpFields = {}, contextExtensions: Record<string, string> = {}): Buffer {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer good', ...http.headers }
  const rawBody = Buffer.from(JSON.stringify(message))
  return encodeCheckRequest({
    attributes: {
      request: { http: { method: 'POST', raw_body: rawBody, ...http, headers } },
      context_extensions: contextExtensions,
    },
  })
}

export interface ReplyHeader {
  header: { key: string; value: string; raw_value?: unknown }
  append?: unknown
  append_action?: string
}

export interface MetadataValue {
  stringValue?: string
  boolValue?: boolean
  listValue?: { values?: MetadataValue[] }
}

/** A CheckResponse as an object: only what is on the wire, enums by name. */
export interface Reply {
  status?: { code?: number }
  denied_response?: { status: { code: number }; headers?: ReplyHeader[]; body: string }
  ok_response?: { headers?: ReplyHeader[]; headers_to_remove?: string[] }
  dynamic_metadata?: { fields: Record<string, MetadataValue> }
}

export function decodeCheckResponse(bytes: Buffer): Reply {
  const type = extAuthz.lookupType('envoy.service.auth.v3.CheckResponse')
  return type.toObject(type.decode(bytes), { enums: String }) as Reply
}

/** What the bytes say to Envoy; absent is the same as 0, which allows. */
export function statusCode(bytes: Buffer): number {
  return decodeCheckResponse(bytes).status?.code ?? 0
}

/** `allow`, or the first reason; what Envoy obeys is the status, and the metadata beside it must say the same. */
export function outcomeOf(bytes: Buffer): string {
  const { status, dynamic_metadata: metadata } = decodeCheckResponse(bytes)
  const allow = (status?.code ?? 0) === 0
  if (allow !== (metadata?.fields['allow']?.boolValue === true)) throw new Error('status and metadata disagree')
  return allow ? 'allow' : String(metadata?.fields['reasons']?.listValue?.values?.[0]?.stringValue)
}

export function removals(bytes: Buffer): string[] {
  return decodeCheckResponse(bytes).ok_response?.headers_to_remove ?? []
}

/** The headers a reply sets, allowed or denied. */
export function headersOf(bytes: Buffer): Record<string, string> {
  const { ok_response, denied_response } = decodeCheckResponse(bytes)
  const headers = ok_response?.headers ?? denied_response?.headers ?? []
  return Object.fromEntries(headers.map(({ header }) => [header.key, header.value]))
}

export interface ProcessingFields {
  request_headers?: HeadersFields
  response_headers?: HeadersFields
  request_body?: BodyFields
  response_body?: BodyFields
  request_trailers?: object
  response_trailers?: object
  metadata_context?: { filter_metadata: Record<string, { fields: Record<string, object> }> }
  observability_mode?: boolean
}

export interface HeadersFields {
  headers?: { headers: HeaderFields[] }
  end_of_stream?: boolean
}

export interface BodyFields {
  body?: Buffer
  end_of_stream?: boolean
}

export function encodeProcessing(fields: ProcessingFields): Buffer {
  return encode(extProc.lookupType('envoy.service.ext_proc.v3.ProcessingRequest'), fields)
}

export interface CommonFields {
  header_mutation?: { remove_headers?: string[] }
  body_mutation?: { body?: Buffer; clear_body?: boolean }
}

/** A ProcessingResponse as an object: only what is on the wire, enums by name. */
export interface ProcessingReply {
  request_headers?: { response?: CommonFields }
  response_headers?: { response?: CommonFields }
  response_body?: { response?: CommonFields }
  response_trailers?: object
  immediate_response?: { status: { code: number }; headers: { set_headers: ReplyHeader[] }; body: Buffer }
  mode_override?: { response_body_mode?: string }
}

export function decodeProcessing(bytes: Buffer): ProcessingReply {
  const type = extProc.lookupType('envoy.service.ext_proc.v3.ProcessingResponse')
  return type.toObject(type.decode(bytes), { enums: String }) as ProcessingReply
}

export function encodeHealthRequest(service: string): Buffer {
  return encode(health.lookupType('grpc.health.v1.HealthCheckRequest'), { service })
}

export function decodeHealthResponse(bytes: Buffer): string | undefined {
  const type = health.lookupType('grpc.health.v1.HealthCheckResponse')
  return (type.toObject(type.decode(bytes), { enums: String }) as { status?: string }).status
}

export function encodeReflectionRequest(fields: object): Buffer {
  return encode(reflection.lookupType('grpc.reflection.v1.ServerReflectionRequest'), fields)
}

export interface ReflectionReply {
  original_request?: Record<string, unknown>
  file_descriptor_response?: { file_descriptor_proto: Buffer[] }
  all_extension_numbers_response?: { base_type_name: string }
  list_services_response?: { service: { name: string }[] }
  error_response?: { error_code: number; error_message: string }
}

export function decodeReflectionResponse(bytes: Buffer): ReflectionReply {
  const type = reflection.lookupType('grpc.reflection.v1.ServerReflectionResponse')
  return type.toObject(type.decode(bytes)) as ReflectionReply
}

function encode(type: protobuf.Type, fields: object): Buffer {
  const problem = type.verify(fields)
  if (problem !== null) throw new TypeError(problem)
  return Buffer.from(type.encode(type.fromObject(fields)).finish())
}
